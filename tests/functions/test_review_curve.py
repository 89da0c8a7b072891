from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from tests.functions.decisions import FAULTS, decide, three_rows

COLUMNS = [
    "reviewed",
    "errors_found",
    "errors_left",
    "errors_left_low",
    "errors_left_high",
    "precision",
]
ROWS = 1000


def _issues(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    """A table `issues` of 1,000 rows, id in order of the ranking; which of them are wrong."""
    rng = np.random.default_rng(1)
    wrong = rng.random(ROWS) < 0.6 * np.exp(-np.arange(ROWS) / 250)
    table = pa.table({"id": np.arange(ROWS), "label_quality": np.arange(ROWS) / ROWS})
    con.register("made", table)
    con.execute("CREATE TABLE issues AS SELECT *, 'a' AS label FROM made")
    con.unregister("made")
    return wrong


def _review(con: duckdb.DuckDBPyConnection, keys: np.ndarray, wrong: np.ndarray) -> None:
    con.register("answers", pa.table({"key": keys, "wrong": wrong[keys]}))
    con.execute(
        "CREATE OR REPLACE TABLE log AS SELECT key, if(wrong, 'relabel', 'keep') AS action, "
        "'a' AS old_label, if(wrong, 'b', NULL) AS new_label, 'ann' AS decided_by, "
        "now() AS decided_at FROM answers"
    )
    con.unregister("answers")


def _curve(con: duckdb.DuckDBPyConnection, options: str = "") -> list[tuple[float, ...]]:
    return con.execute(f"FROM review_curve(issues, log, id, label{options})").fetchall()


def test_columns_and_points(con: duckdb.DuckDBPyConnection) -> None:
    wrong = _issues(con)
    _review(con, np.arange(0, ROWS, 10), wrong)
    found = con.execute("FROM review_curve(issues, log, id, label, points := 3)")
    assert [c[0] for c in found.description or []] == COLUMNS
    rows = found.fetchall()
    assert [row[0] for row in rows] == [100, 400, 700, 1000]
    assert rows[0][1] == wrong[::10].sum()
    assert rows[0][2] == pytest.approx(wrong[::10].mean() * 900)
    assert rows[0][5] is None
    assert rows[-1][2:5] == (0, 0, 0)
    assert len(_curve(con)) == 21
    assert len(_curve(con, ", points := 5000")) == 901
    for _, found_so_far, left, low, high, _ in _curve(con):
        assert 0 <= low <= left <= high
        assert found_so_far + left == pytest.approx(rows[0][1] + rows[0][2])


def test_everything_reviewed(con: duckdb.DuckDBPyConnection) -> None:
    wrong = _issues(con)
    _review(con, np.arange(ROWS), wrong)
    assert [row[:5] for row in _curve(con)] == [(ROWS, wrong.sum(), 0, 0, 0)]


@pytest.mark.parametrize(("drawn", "queued"), [(60, 0), (150, 0), (150, 200)])
def test_coverage(con: duckdb.DuckDBPyConnection, drawn: int, queued: int) -> None:
    """The interval holds the truth about 19 times in 20, and the estimate is right on average."""
    wrong = _issues(con)
    rng = np.random.default_rng(0)
    covered, off = [], []
    for _ in range(60):
        sample = rng.choice(ROWS, drawn, replace=False)
        done = np.union1d(sample, np.arange(queued))
        _review(con, done, wrong)
        con.register("drawn", pa.table({"key": sample}))
        rest = np.setdiff1d(np.arange(ROWS), done)
        for reviewed, _, left, low, high, _ in _curve(con, ", sample := drawn, points := 4")[:-1]:
            truth = wrong[rest[int(reviewed) - len(done) :]].sum()
            covered.append(low <= truth <= high)
            off.append(left - truth)
        con.unregister("drawn")
    assert 0.9 < np.mean(covered) < 0.995
    assert abs(np.mean(off)) < 12


def test_the_top_of_the_ranking_is_no_sample(con: duckdb.DuckDBPyConnection) -> None:
    wrong = _issues(con)
    _review(con, np.arange(100), wrong)
    with pytest.raises(duckdb.InvalidInputException, match=r"no random sample.*nearer to the top"):
        _curve(con)
    con.execute("CREATE TABLE drawn AS SELECT 99 AS key UNION ALL SELECT 555")
    assert _curve(con, ", sample := drawn")[0][0] == 100
    con.execute("CREATE TABLE nobody AS SELECT 555 AS key")
    with pytest.raises(duckdb.InvalidInputException, match="no row of a random sample"):
        _curve(con, ", sample := nobody")


def test_what_does_not_count(con: duckdb.DuckDBPyConnection) -> None:
    """Excluded rows and rows that were not judged are none of the rows; doubts decide nothing."""
    _issues(con)
    con.execute("UPDATE issues SET label_quality = NULL WHERE id = 3")
    decide(
        con,
        ("500", "keep", "a", None, 1),
        ("501", "exclude", "a", None, 1),
        ("502", "needs_review", "a", None, 1),
        ("400", "relabel", "a", "b", 1),
    )
    rows = _curve(con)
    assert (rows[0][0], rows[0][1], rows[-1][0]) == (2, 1, ROWS - 2)


def test_a_log_without_rows(con: duckdb.DuckDBPyConnection) -> None:
    _issues(con)
    decide(con)
    with pytest.raises(duckdb.InvalidInputException, match="no row of a random sample"):
        _curve(con)


def test_too_few_points(con: duckdb.DuckDBPyConnection) -> None:
    _review(con, np.arange(0, ROWS, 10), _issues(con))
    with pytest.raises(duckdb.InvalidInputException, match="points := 0 is too few"):
        _curve(con, ", points := 0")


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_the_log_are_listed(con: duckdb.DuckDBPyConnection, fault: str) -> None:
    three_rows(con)
    decisions, parts = FAULTS[fault]
    decide(con, *decisions)
    con.execute("CREATE TABLE issues AS SELECT *, 0.5 AS label_quality FROM t")
    with pytest.raises(duckdb.InvalidInputException) as caught:
        _curve(con)
    assert [part for part in parts if part not in str(caught.value)] == []


@pytest.mark.parametrize(("rows", "is_refused"), [(26, False), (36, True)])
def test_how_far_a_sample_may_be_off(
    con: duckdb.DuckDBPyConnection, rows: int, is_refused: bool
) -> None:
    """By four standard errors: 3.7 of them for 26 rows of the first 580, and 4.4 for 36."""
    wrong = _issues(con)
    keys = np.linspace(0, ROWS // 2 + 80, rows).astype(int)
    _review(con, keys, wrong)
    if not is_refused:
        assert len(_curve(con)) > 1
        return
    with pytest.raises(duckdb.InvalidInputException, match=r"no random sample.*4\.\d standard"):
        _curve(con)
