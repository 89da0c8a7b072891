from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from cleanlab.count import compute_confident_joint

from sqlfuncs.learning.detection import health
from tests.conftest import needs_local


def _simulated(
    rate: float, seed: int, rows: int = 4000, classes: int = 4
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True classes, given ones of which a share is replaced by the next, and fair probabilities."""
    random = np.random.default_rng(seed)
    clear = random.dirichlet(np.full(classes, 0.12), size=rows)
    true = (clear.cumsum(axis=1) > random.random((rows, 1))).argmax(axis=1)
    given = np.where(random.random(rows) < rate, (true + 1) % classes, true)
    noise = (1 - rate) * np.eye(classes) + rate * np.roll(np.eye(classes), 1, axis=1)
    return true, given, clear @ noise


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.2, 0.3])
@pytest.mark.parametrize("seed", range(3))
def test_noise_of_whole_classes_is_measured_and_inside_the_interval(rate: float, seed: int) -> None:
    true, given, probs = _simulated(rate, seed)
    found = health.health(given, probs)
    wrong = np.bincount(given, given != true, 4) / np.bincount(given)
    assert np.abs(found.error_rate - wrong).mean() < 0.12
    assert (found.low <= wrong).all() and (wrong <= found.high).all()
    assert (found.low <= found.error_rate).all() and (found.error_rate <= found.high).all()
    if rate:
        assert found.confused_with.tolist() == [3, 0, 1, 2]  # those that became the next
        elsewhere = np.bincount(true, given != true, 4)
        factor = found.wrongly_elsewhere / elsewhere
        assert ((factor > 0.5) & (factor < 2.5)).all()


def test_the_confident_joint_is_cleanlabs() -> None:
    _, given, probs = _simulated(0.2, 0)
    theirs = compute_confident_joint(given, probs, calibrate=True)
    assert np.abs(health.confident_joint(given, probs) - theirs).max() <= 1


def _load(con: duckdb.DuckDBPyConnection, given: np.ndarray, probs: np.ndarray) -> None:
    con.register("frame", pd.DataFrame({"id": range(len(given)), "label": given, "p": list(probs)}))
    con.execute("CREATE TABLE given AS SELECT id, label, MAP([0, 1, 2, 3], p) AS probs FROM frame")
    con.unregister("frame")


def test_order_does_not_change_a_bit(con: duckdb.DuckDBPyConnection) -> None:
    _load(con, *_simulated(0.2, 0)[1:])
    con.execute("CREATE TABLE shuffled AS FROM given ORDER BY hash(id)")
    expected = con.execute("FROM label_health(given, probs, label)").fetchall()
    assert con.execute("FROM label_health(shuffled, probs, label)").fetchall() == expected


def test_rows_and_flags_are_those_of_label_issues(con: duckdb.DuckDBPyConnection) -> None:
    _load(con, *_simulated(0.2, 0)[1:])
    for cut in ("auto", "both"):
        counted = con.execute(
            "SELECT label, count(*), count(*) FILTER (is_label_issue) "
            f"FROM label_issues(given, probs, label, cut := '{cut}') GROUP BY label ORDER BY label"
        ).fetchall()
        assert (
            counted
            == con.execute(
                "SELECT label, rows, flagged "
                f"FROM label_health(given, probs, label, cut := '{cut}')"
            ).fetchall()
        )


@needs_local
def test_the_sample_is_as_unhealthy_as_it_says(sample: duckdb.DuckDBPyConnection) -> None:
    found = sample.execute("FROM label_health(requests, text, label)").df()
    truth = sample.execute(
        "SELECT label, avg((label <> true_label)::INTEGER) AS wrong FROM requests "
        "GROUP BY label ORDER BY label"
    ).df()
    assert found.label.tolist() == truth.label.tolist()
    assert (found.error_rate - truth.wrong).abs().max() < 0.1
    assert truth.wrong.between(found.error_rate_low, found.error_rate_high).all()
    assert found.cut.unique().tolist() == ["noise_corrected"]
    (why,) = found.explanation.unique()
    assert (
        "strong" in why
        and "what people's mistakes on hard rows look like" in why
        and "auto_corrections may correct labels" in why
    )


def test_it_says_why_nothing_would_be_corrected(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE unknown AS SELECT if(hash(i) % 3 = 0, 'a', 'b') AS label,
            MAP {'a': 0.3, 'b': 0.7} AS probs FROM range(300) r(i)
    """)
    con.execute("CREATE TABLE i AS FROM label_issues(unknown, probs, label)")
    (reason,) = con.execute("SELECT reason FROM model_strength(i, label)").fetchall()[0]
    rows = con.execute("SELECT explanation FROM label_health(unknown, probs, label)").fetchall()
    assert reason is not None
    assert [f"auto_corrections would propose nothing: {reason}." in row[0] for row in rows] == (
        [True, True]
    )
