from __future__ import annotations

import pytest

from sqlfuncs.engines.duckdb.quoting import QUOTING
from sqlfuncs.errors import BadQueryFile
from sqlfuncs.queries import files
from sqlfuncs.queries.piecewise import Piecewise
from sqlfuncs.queries.render import render

HEADER = "-- title: Some\n-- param table table = train: which\n-- param n integer: how many\n\n"


def test_statements_are_rendered_by_the_header_before_them() -> None:
    chosen = {"param_n": "3", "param_table": "it's", "n": "7"}
    pieces = Piecewise(QUOTING, lambda name: chosen.get(name))
    assert pieces.sql("SELECT 1") == "SELECT 1"
    assert pieces.sql(f"{HEADER}FROM {{{{ table | ident }}}};") == 'FROM "it\'s";'
    assert pieces.sql("-- no header\nLIMIT {{ n | literal }}") == "LIMIT 3"
    assert pieces.sql("SELECT '{}'") == "SELECT '{}'"
    del chosen["param_table"]
    assert pieces.sql("FROM {{ table | ident }}") == 'FROM "train"'


def test_what_cannot_be_rendered_is_said() -> None:
    pieces = Piecewise(QUOTING, lambda name: None)
    with pytest.raises(BadQueryFile, match="parameters are not known"):
        pieces.sql("FROM {{ table | ident }}")
    with pytest.raises(BadQueryFile, match="the query needs n="):
        pieces.sql(HEADER + "FROM {{ table | ident }}")
    with pytest.raises(BadQueryFile, match="unquoted"):
        Piecewise(QUOTING, {"param_n": "3"}.get).sql(HEADER + "FROM {{ table }}")


def test_a_shipped_file_in_pieces_is_the_same() -> None:
    file = files.find("detect")
    path = files.folder() / "detect.sql"
    pieces = Piecewise(QUOTING, lambda name: None)
    apart = [pieces.sql(each) for each in path.read_text(encoding="utf-8").split(";\n")]
    assert ";\n".join(apart).split() == render(file, {}, QUOTING).split()
