"""Lists as DuckDB writes them, and as the computing has them."""

from __future__ import annotations

import json
from unicodedata import normalize

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sqlfuncs
from sqlfuncs.engines.duckdb import list_text

NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6), max_size=4
)


@given(NAMES)
def test_what_duckdb_writes_is_read(names: list[str]) -> None:
    with duckdb.connect() as con:
        ((written,),) = con.execute("SELECT ($1::VARCHAR[])::VARCHAR", [names]).fetchall()
    assert list_text.parts(written) == [normalize("NFC", name) for name in names]


@pytest.mark.parametrize(
    ("text", "found"), [("a", None), ("", None), ("[", None), (" [a] ", ["a"])]
)
def test_what_is_no_list(text: str, found: list[str] | None) -> None:
    assert list_text.parts(text) == found


NASTY = ["a, b", "it's", 'say "so"', "two\nlines", "back\\slash", "[x]", "NULL", "", "é", "\x01"]


def test_lists_come_and_go_as_json() -> None:
    with sqlfuncs.connect() as con:
        ((text, json_again),) = con.execute(
            """
            SELECT sqlfuncs.main._sf_label_text($1, l) AS text,
                sqlfuncs.main._sf_label_json(text, l)
            FROM (SELECT ['a'] AS l)
            """,
            [json.dumps(NASTY)],
        ).fetchall()
        ((back,),) = con.execute("SELECT $1::VARCHAR[]", [text]).fetchall()
    assert back == json.loads(json_again) == NASTY


@pytest.mark.parametrize(
    ("of", "text", "as_json"),
    [("['a']", "no list", None), ("['a']", "[b, NULL]", '["b",null]'), ("1", "[b]", "[b]")],
)
def test_what_is_no_list_of_tags_or_of_no_list(of: str, text: str, as_json: str | None) -> None:
    with sqlfuncs.connect() as con:
        ((found,),) = con.execute(
            f"SELECT sqlfuncs.main._sf_label_json($1, l) FROM (SELECT {of} AS l)", [text]
        ).fetchall()
    assert found == as_json
