"""How many labels of a result are flagged, by labels of every kind: what `detect` prints."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

CALL = (
    "_flag_counts(issues, x, label, class_probs IS NOT NULL OR NULL, not_judged, is_label_issue, "
    "suggested_label{})"
)


def _found(
    con: duckdb.DuckDBPyConnection, rows: str, options: str = ""
) -> tuple[list[str], list[tuple[Any, ...]]]:
    con.execute(f"""
        CREATE OR REPLACE TABLE issues AS
        SELECT x, label, suggested AS suggested_label, suggested IS NOT NULL AS is_label_issue,
            probs AS class_probs, reason AS not_judged
        FROM (VALUES {rows}) AS r(x, label, suggested, probs, reason)
    """)
    found = con.execute(f"FROM {CALL.format(options)}")
    return [each[0] for each in found.description or []], found.fetchall()


_PLAIN = ["label", "rows", "flagged", "flagged_percent", "most_suggested", "not_judged"]
_P = "MAP {'a': 0.5}"


def test_classes(con: duckdb.DuckDBPyConnection) -> None:
    rows = (
        f"('t', 1, 2, {_P}, NULL), ('t', 1, 10, {_P}, NULL), ('t', 1, NULL, {_P}, NULL), "
        f"('t', 2, NULL, {_P}, 'why'), ('t', NULL, NULL, {_P}, 'NULL')"
    )
    assert _found(con, rows) == (
        _PLAIN,
        [(1, 3, 2, 66.7, 2, 0), (2, 1, 0, 0.0, None, 1), (None, 1, 0, 0.0, None, 1)],
    )


def test_numbers_by_fifths_whatever_their_type(con: duckdb.DuckDBPyConnection) -> None:
    """A result without class probabilities is of numbers, of whole ones, too."""
    rows = ", ".join(f"('t', {n}, {'0' if n > 98 else 'NULL'}, {_P}, NULL)" for n in range(1, 101))
    nothing = rows.replace(_P, "NULL::MAP(VARCHAR, DOUBLE)")
    names = ["label", "least", "most", *_PLAIN[1:]]
    expected = [
        (n + 11, n + 1.0, n + 20.0, 20, 2 * (n == 80), 10.0 * (n == 80), 0 if n == 80 else None, 0)
        for n in range(0, 100, 20)
    ]
    assert _found(con, rows, ", task := 'regression'") == (names, expected)
    assert len(_found(con, rows)[1]) == 100
    same = _found(con, nothing)[1]
    assert same == [(row[0], *row[3:]) for row in expected]


def test_equal_numbers_are_not_parted(con: duckdb.DuckDBPyConnection) -> None:
    rows = ", ".join(f"('t', {n}, NULL::DOUBLE, NULL, NULL)" for n in [1.5] * 70 + [2.5] * 30)
    _, found = _found(con, rows + ", ('t', NULL, NULL, NULL, 'NULL')", ", task := 'regression'")
    assert [row[:4] for row in found] == [
        (1.5, 1.5, 1.5, 70),
        (2.5, 2.5, 2.5, 30),
        (None, None, None, 1),
    ]


def test_tags_each_by_itself(con: duckdb.DuckDBPyConnection) -> None:
    rows = (
        f"('t', ['a', 'a', 'b'], ['b'], {_P}, NULL), ('t', [], ['a', 'c'], {_P}, NULL), "
        f"('t', ['b'], NULL, {_P}, 'why')"
    )
    assert _found(con, rows) == (
        ["label", "missing", *_PLAIN[1:]],
        [
            (["a"], 1, 1, 1, 100.0, ["a", "c"], 0),
            (["c"], 1, 0, 0, None, ["a", "c"], 0),
            (["b"], 0, 2, 0, 0.0, None, 1),
        ],
    )


@pytest.mark.parametrize("x", ["['u', 'v']", "NULL"])
def test_words_each_label_by_itself(con: duckdb.DuckDBPyConnection, x: str) -> None:
    """With or without x: a result of labels of words has no class probabilities."""
    none = "NULL::MAP(VARCHAR, DOUBLE)"
    rows = (
        f"({x}, ['O', 'O'], ['O', 'P'], {none}, NULL), ({x}, ['P', 'O'], NULL, {none}, NULL), "
        f"({x}, NULL, ['P', 'P'], {none}, 'NULL')"
    )
    names, found = _found(con, rows)
    assert [name for name in names if name != "missing"] == _PLAIN
    plain = [tuple(v for n, v in zip(names, row, strict=True) if n != "missing") for row in found]
    assert plain == [
        (["O"], 3, 1, 33.3, ["P"], 0),
        (["P"], 1, 0, 0.0, None, 0),
        (None, 1, 0, 0.0, None, 1),
    ]
