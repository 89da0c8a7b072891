"""label_health(..., key := column, log := decisions): rates that rest on a reviewed sample."""

from __future__ import annotations

import duckdb
import pytest

LOG = """
CREATE OR REPLACE TABLE log AS
SELECT id AS key, if(truth = label, 'keep', '{wrong}') AS action, label AS old_label,
    CASE WHEN truth <> label AND '{wrong}' = 'relabel' THEN truth END AS new_label,
    '{by}' AS decided_by, NULL::VARCHAR AS reason, now() AT TIME ZONE 'UTC' AS decided_at
FROM t ORDER BY sqlfuncs.main._sf_random_order(id) LIMIT {rows}
"""


@pytest.fixture
def t(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The table `t` of 1,000 rows; of the labels a 30 % are wrong, of b 10 %; x says little."""
    con.execute("""
        CREATE TABLE t AS
        SELECT i AS id, if(i % 2 = 0, 'a', 'b') AS label,
            if(i % 20 IN (2, 4, 6, 5), if(label = 'a', 'b', 'a'), label) AS truth,
            if((label = truth) = (i % 3 > 0), 0.7, 0.4) AS p,
            MAP {'a': if(label = 'a', p, 1 - p), 'b': if(label = 'b', p, 1 - p)} AS probs
        FROM range(1000) r(i)
    """)
    return con


def _health(con: duckdb.DuckDBPyConnection, options: str = "") -> dict[str, tuple[float, ...]]:
    found = con.execute(
        "SELECT label, error_rate, error_rate_low, error_rate_high "
        f"FROM label_health(t, probs, label{options})"
    ).fetchall()
    return {label: tuple(values) for label, *values in found}


LOGGED = ", key := id, log := log"


@pytest.mark.parametrize("wrong", ["relabel", "exclude"])
def test_rates_are_those_of_the_sample(t: duckdb.DuckDBPyConnection, wrong: str) -> None:
    t.execute(LOG.format(rows=300, wrong=wrong, by="ann"))
    before, after = _health(t), _health(t, LOGGED)
    for label, truth in (("a", 0.3), ("b", 0.1)):
        rate, low, high = after[label]
        assert low <= truth <= high
        assert abs(rate - truth) < 0.08
        assert high - low < 0.5 * (before[label][2] - before[label][1])


def test_it_says_on_what_rates_rest(t: duckdb.DuckDBPyConnection) -> None:
    t.execute(LOG.format(rows=50, wrong="relabel", by="ann"))
    found = t.execute(f"SELECT explanation FROM label_health(t, probs, label{LOGGED})").fetchall()
    assert all(
        text.endswith(" Rates rest on 50 rows that people reviewed, drawn at random.")
        for (text,) in found
    )


def test_what_flagged_rows_is_the_sample(t: duckdb.DuckDBPyConnection) -> None:
    t.execute(LOG.format(rows=50, wrong="relabel", by="ann"))
    said = "SELECT DISTINCT cut, explanation LIKE '%likelier wrong than right%' FROM label_health"
    assert t.execute(f"{said}(t, probs, label{LOGGED})").fetchall() == [("calibrated", True)]
    of_a_cut = t.execute(f"{said}(t, probs, label, cut := 'both'{LOGGED})").fetchall()
    assert of_a_cut == [("both", False)]


def test_too_few_change_nothing_and_it_says_so(
    t: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    t.execute(LOG.format(rows=19, wrong="relabel", by="ann"))
    assert _health(t, LOGGED) == _health(t)
    assert "of the rows drawn at random 19 are reviewed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "log",
    [
        LOG.format(rows=0, wrong="relabel", by="ann"),
        LOG.format(rows=300, wrong="relabel", by="auto_corrections"),
        LOG.format(rows=300, wrong="needs_review", by="ann")
        + "; UPDATE log SET action = 'needs_review'",
    ],
)
def test_what_is_no_review_changes_nothing(t: duckdb.DuckDBPyConnection, log: str) -> None:
    t.execute(log)
    assert _health(t, LOGGED) == _health(t)


def test_a_sample_of_candidates_says_no_rates_and_it_says_so(
    t: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    t.execute("UPDATE t SET probs = MAP {truth: 0.7, if(truth = 'a', 'b', 'a'): 0.3}")
    t.execute(LOG.format(rows=1000, wrong="relabel", by="ann"))
    t.execute(
        "DELETE FROM log WHERE key NOT IN "
        "(SELECT id FROM review_queue(t, probs, label, id, purpose := 'verify', budget := 60))"
    )
    before = {label: values[0] for label, values in _health(t).items()}
    assert {label: values[0] for label, values in _health(t, LOGGED).items()} == before
    assert "a sample of those that may be corrected" in capsys.readouterr().err


def test_rows_reviewed_worst_first_are_no_sample(t: duckdb.DuckDBPyConnection) -> None:
    t.execute(LOG.format(rows=1000, wrong="relabel", by="ann"))
    t.execute("DELETE FROM log WHERE action = 'keep'")
    assert _health(t, LOGGED) == _health(t)


@pytest.mark.parametrize("options", [", log := NULL", ", key := NULL, log := NULL", ", key := id"])
def test_null_is_no_log(t: duckdb.DuckDBPyConnection, options: str) -> None:
    assert _health(t, options) == _health(t)


def test_rows_without_a_key_are_the_last_of_the_random_order(t: duckdb.DuckDBPyConnection) -> None:
    """Nobody can decide about them, and they end no sample that others have."""
    t.execute(LOG.format(rows=300, wrong="relabel", by="ann"))
    expected = _health(t, LOGGED)
    t.execute("UPDATE t SET id = NULL WHERE id NOT IN (SELECT key FROM log) AND id % 3 = 0")
    assert _health(t, LOGGED) == expected


def test_keys_of_another_type(t: duckdb.DuckDBPyConnection) -> None:
    t.execute(LOG.format(rows=100, wrong="relabel", by="ann"))
    expected = _health(t, LOGGED)
    t.execute("ALTER TABLE log ALTER key TYPE VARCHAR")
    assert _health(t, LOGGED) == expected


def test_label_may_be_an_expression_without_a_log(t: duckdb.DuckDBPyConnection) -> None:
    found = t.execute("SELECT label FROM label_health(t, probs, lower(label))").fetchall()
    assert found == [("a",), ("b",)]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (", log := log", "Give the column that names a row, as in key := id"),
        (", key := truth, log := log", "keys that stand in the table more than once"),
        (", key := id, log := t", "nothing was applied"),
        (", key := id, log := missing", "missing does not exist"),
        (", key := missing, log := log", '"missing" not found'),
    ],
)
def test_logs_that_do_not_fit(t: duckdb.DuckDBPyConnection, options: str, error: str) -> None:
    t.execute(LOG.format(rows=30, wrong="relabel", by="ann"))
    with pytest.raises(duckdb.Error) as caught:
        _health(t, options)
    assert error in str(caught.value)
