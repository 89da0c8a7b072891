"""The cases in tests/sql/*.sql: SQL statements and what the last of them has to give.

A case starts with a line `-- case: what it shows`, then come one or more statements, then
either `-- expect` and the rows, a comment line each, values as `a | b` in their order (no
line: no rows); or `-- error: part of the message`, once or more. Values are written as
DuckDB casts them to text (lists, maps and structs too), NULL as NULL, a line feed in a value
as \\n. The functions have their bare names, and nothing else exists at the start of a case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

FOLDER = Path(__file__).parent / "sql"
_TITLE = re.compile(r"^-- case:(.*)$", re.MULTILINE)
_OUTCOME = re.compile(r"^-- (expect|error:.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """Statements, and either rows or parts of an error's message."""

    sql: str
    rows: tuple[str, ...] = ()
    error: tuple[str, ...] = ()


def parse(text: str) -> dict[str, Case]:
    """The cases of a file by their titles.

    >>> parse('''-- case: one and one
    ... SELECT 1 + 1, NULL;
    ... -- expect
    ... -- 2 | NULL
    ... ''')
    {'one and one': Case(sql='SELECT 1 + 1, NULL;', rows=('2 | NULL',), error=())}
    """
    before, *parts = _TITLE.split(text)
    if any(line and not line.startswith("--") for line in before.splitlines()):
        raise ValueError("statements stand before the first case")
    cases: dict[str, Case] = {}
    for title, body in zip((t.strip() for t in parts[::2]), parts[1::2], strict=True):
        if not title or title in cases:
            raise ValueError(f"the title {title!r} is empty or there twice")
        cases[title] = _case(title, body)
    return cases


def _case(title: str, body: str) -> Case:
    outcome = _OUTCOME.search(body)
    if outcome is None:
        raise ValueError(f"{title!r} has neither '-- expect' nor '-- error: message'")
    sql = body[: outcome.start()].strip()
    lines = [line.rstrip() for line in body[outcome.start() :].splitlines() if line.strip()]
    odd = [line for line in lines if not line.startswith("-- ")]
    if odd:
        raise ValueError(f"{title!r}: after its outcome stands {odd[0]!r}")
    told = [line.removeprefix("-- ").strip() for line in lines]
    if told[0] == "expect":
        return Case(sql, rows=tuple(told[1:]))
    if not all(line.startswith("error:") for line in told):
        raise ValueError(f"{title!r}: an error is followed by something else")
    return Case(sql, error=tuple(line.removeprefix("error:").strip() for line in told))


def _cases() -> list[object]:
    return [
        pytest.param(case, id=f"{file.stem}: {title}")
        for file in sorted(FOLDER.glob("*.sql"))
        for title, case in parse(file.read_text(encoding="utf-8")).items()
    ]


def _rows(con: duckdb.DuckDBPyConnection, statement: str) -> tuple[str, ...]:
    """The rows as text, in their order; DuckDB itself casts the values."""
    result = con.query(statement)
    if result is None:
        return ()
    shown = result.project("coalesce(CAST(COLUMNS(*) AS VARCHAR), 'NULL')").fetchall()
    return tuple(" | ".join(row).replace("\n", "\\n").strip() for row in shown)


@pytest.mark.parametrize("case", _cases())
def test_case(con: duckdb.DuckDBPyConnection, case: Case) -> None:
    statements = [statement.query for statement in con.extract_statements(case.sql)]
    for statement in statements[:-1]:
        con.execute(statement)
    if case.error:
        with pytest.raises(duckdb.Error) as caught:
            _rows(con, statements[-1])
        message = " ".join(str(caught.value).split())
        assert [part for part in case.error if part not in message] == [], message
    else:
        assert _rows(con, statements[-1]) == case.rows


def test_there_are_cases() -> None:
    assert len(_cases()) >= 30


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-- case: a\nSELECT 1;\n", "neither"),
        ("-- case: a\nSELECT 1;\n-- expect\n-- 1\nSELECT 2;\n", "after its outcome"),
        ("-- case: a\nSELECT 1;\n-- error: x\n-- 1\n", "followed by something else"),
        ("-- case: a\nSELECT 1;\n-- expect\n-- case: a\nSELECT 1;\n-- expect\n", "there twice"),
        ("SELECT 1;\n-- case: a\nSELECT 1;\n-- expect\n", "before the first case"),
    ],
)
def test_a_file_with_a_mistake_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text)
