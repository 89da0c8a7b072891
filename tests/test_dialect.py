"""No engine's dialect in the texts of the rooms that know no engine; and whose words parts are in.

Docstrings are left out: they tell analysts what a function takes, in the SQL of the engine that
there is, and no program reads them. `store/` speaks SQLite to files of its own.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.test_imports import MODULES

SPEAK = ("engines", "cli", "integrations", "queries")  # rooms that have an engine's dialect
SPEAKS_SQLITE = "store"
# Written so that English, regular expressions and lists of characters are none of it.
DIALECT = re.compile(
    r"""
      \ :=|:=\                                          # an option
    | ::[A-Z]|\)::                                     # a cast
    | \b(?:VARCHAR|BLOB|DOUBLE|REAL|FLOAT|U?(?:TINY|SMALL|BIG|HUGE)INT|INTEGER|BOOLEAN|DECIMAL
        |TIMESTAMP|STRUCT|MAP|ENUM|DATE|TIME)\b         # a type
    | \w\[\]                                            # a type of lists
    | \b(?:SELECT|FROM|WHERE|JOIN|GROUP\ BY|ORDER\ BY|HAVING|QUALIFY|EXCLUDE|PIVOT
        |SET\ VARIABLE|CREATE|INSERT|ALTER|ATTACH)\b    # a statement
    | \[(?:'\w|\.\.\.)|\{\w+:\s                         # a list, a struct
    | \b(?:arg_max|arg_min|array_\w+|list_\w+|struct_\w+|map_\w+|regexp_\w+|unnest|flatten
        |getvariable|strptime)\(                        # a function
    """,
    re.VERBOSE,
)


def _texts(tree: ast.AST) -> Iterator[ast.Constant]:
    """The texts in a module, those between the values of an f-string too; not its docstrings."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):  # texts that stand alone are docstrings, of attributes as well
            node.body = [  # type: ignore[attr-defined]
                each
                for each in body
                if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
            ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node


def _speaking(text: str) -> list[str]:
    return [said for node in _texts(ast.parse(text)) for said in DIALECT.findall(str(node.value))]


def dialect_outside() -> list[str]:
    """Where a text of a room that knows no engine speaks a dialect: module:line: text."""
    found = []
    for module, file in MODULES.items():
        room = module.split(".")[1] if "." in module else ""
        if room in (*SPEAK, SPEAKS_SQLITE):
            continue
        for node in _texts(ast.parse(file.read_text(encoding="utf-8"))):
            if DIALECT.search(str(node.value)):
                found.append(f"{module}:{node.lineno}: {node.value!r}")
    return found


def test_the_rooms_without_an_engine_speak_no_dialect() -> None:
    assert dialect_outside() == []


@pytest.mark.parametrize(
    "text",
    [
        'f"k := {k}"',
        'f"{name} := {value!r}"',
        '"x::FLOAT[]"',
        '"an image (BLOB)"',
        "\"labels, ['a', 'b']\"",
        '"FROM jobs() lists them"',
        '"or once SET VARIABLE a = 1"',
        '"{a: a, b: b}"',
        '"unnest(x)"',
    ],
)
def test_a_dialect_is_heard(text: str) -> None:
    assert _speaking(f"said = {text}")


@pytest.mark.parametrize(
    "text",
    [
        '"take it from the table, select a row, where it is: a map, a list of dates"',
        '"time: 3 s; a date; real numbers; the text is NULL"',
        'f"{a}: {b}"',
        r'''r"[:=→](?:\\s+)|\\[{]"''',
        '" \\t:=->"',
        '"http://[::1]:80"',
    ],
)
def test_what_is_no_dialect(text: str) -> None:
    assert _speaking(f"said = {text}") == []


def test_docstrings_may() -> None:
    assert _speaking('"""k := 1"""') == []
