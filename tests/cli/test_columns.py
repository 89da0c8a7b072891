from __future__ import annotations

import pytest

from sqlfuncs.cli import columns
from sqlfuncs.errors import BadInput

TYPES = {"ID": "BIGINT", "Prompt": "VARCHAR", "label": "VARCHAR"}


@pytest.mark.parametrize(
    ("given", "usual", "found"),
    [(None, columns.TEXT, "Prompt"), ("id", columns.KEY, "ID"), ("LABEL", (), "label")],
)
def test_names_are_found_in_any_case(given: str | None, usual: tuple[str, ...], found: str) -> None:
    assert columns.find(TYPES, "t", "text", given, usual) == found


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(BadInput, match="--x vector: t has no such column"):
        columns.find(TYPES, "t", "x", "vector", ("Prompt",))
    with pytest.raises(BadInput, match=r"--key is needed. .* CREATE TABLE numbered AS .* FROM t"):
        columns.find({"label": "VARCHAR"}, "t", "key", None, columns.KEY)
