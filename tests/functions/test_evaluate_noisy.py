from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

COLUMNS = [
    "n", "reviewed", "accuracy_given", "accuracy", "accuracy_low", "accuracy_high",
    "label_accuracy", "label_accuracy_low", "label_accuracy_high",
]  # fmt: skip
FLIP = {"a": "b", "b": "a"}


def _draw(random: np.random.Generator, rows: int, right: float, labels: float) -> pd.DataFrame:
    """Two classes; predictions are wrong more often where labels are, as on hard rows."""
    true = random.choice(["a", "b"], rows, p=[0.7, 0.3])
    hard = random.random(rows) < 0.4
    other = np.vectorize(FLIP.get)(true)
    wrong_label = random.random(rows) < np.where(hard, 1.6, 0.6) * (1 - labels)
    wrong_guess = random.random(rows) < np.where(hard, 1.6, 0.6) * (1 - right)
    return pd.DataFrame(
        {
            "truth": true,
            "label": np.where(wrong_label, other, true),
            "predicted": np.where(wrong_guess, other, true),
        }
    )


def _evaluated(con: duckdb.DuckDBPyConnection, frame: pd.DataFrame) -> dict[str, float]:
    con.register("t", frame)
    found = con.execute("FROM evaluate_noisy(t, label, predicted, reviewed)").df().iloc[0]
    return {str(name): float(value) for name, value in found.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("right", "labels", "rows", "reviewed"),
    [(0.75, 0.8, 400, 60), (0.9, 0.65, 1000, 100), (0.6, 0.95, 300, 40)],
)
def test_the_interval_holds_the_true_accuracy_95_times_in_100(
    con: duckdb.DuckDBPyConnection, right: float, labels: float, rows: int, reviewed: int
) -> None:
    random = np.random.default_rng(0)
    draws, held, held_labels, corrected = 300, 0, 0, 0.0
    for _ in range(draws):
        frame = _draw(random, rows, right, labels)
        frame["reviewed"] = frame.truth.where(frame.index < reviewed, None)
        found = _evaluated(con, frame)
        held += found["accuracy_low"] <= right <= found["accuracy_high"]
        held_labels += found["label_accuracy_low"] <= labels <= found["label_accuracy_high"]
        corrected += found["accuracy"] / draws
    # Of 300 draws that hold with 95 %, 276 or fewer do in one case of 100.
    assert held > 276
    assert held_labels > 276
    assert abs(corrected - right) < 0.015


def test_reviewing_a_few_tells_more_than_the_few_alone(con: duckdb.DuckDBPyConnection) -> None:
    random = np.random.default_rng(1)
    frame = _draw(random, 2000, 0.85, 0.9)
    frame["reviewed"] = frame.truth.where(frame.index < 150, None)
    found = _evaluated(con, frame)
    assert found["accuracy_given"] < found["accuracy_low"] < 0.85 < found["accuracy_high"]
    few = frame[:150]
    alone = binomtest(int((few.truth == few.predicted).sum()), 150).proportion_ci(method="wilson")
    assert found["accuracy_high"] - found["accuracy_low"] < 0.9 * (alone.high - alone.low)


def test_all_rows_reviewed_is_evaluate(con: duckdb.DuckDBPyConnection) -> None:
    frame = _draw(np.random.default_rng(2), 600, 0.8, 0.7)
    frame["reviewed"] = frame.truth
    found = _evaluated(con, frame)
    ((accuracy, low, high),) = con.execute(
        "SELECT accuracy, accuracy_low, accuracy_high FROM evaluate(t, truth, predicted)"
    ).fetchall()
    assert found["accuracy"] == pytest.approx(accuracy)
    assert (found["accuracy_low"], found["accuracy_high"]) == pytest.approx((low, high), abs=0.005)
    assert found["label_accuracy"] == pytest.approx((frame.truth == frame.label).mean())


def test_columns_types_and_names(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE "o""d" AS
        SELECT i % 2 AS "gi""ven", (i % 2)::DOUBLE AS said, if(i < 5, i % 2, NULL) AS seen
        FROM range(20) r(i)
    """)
    found = con.execute(
        'WITH input AS (FROM "o""d") FROM evaluate_noisy(input, "gi""ven", said, seen)'
    )
    assert [column[0] for column in found.description or []] == COLUMNS
    ((n, reviewed, given, accuracy, low, high, *_),) = found.fetchall()
    assert (n, reviewed, given, accuracy) == (20, 5, 1.0, 1.0)
    assert 0 < low < high == 1


def test_rows_that_disagree_of_which_none_was_reviewed_widen_the_interval(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute("""
        CREATE TABLE t AS
        SELECT 'a' AS label, if(i < 80, 'a', 'b') AS predicted, if(i < 40, 'a', NULL) AS reviewed
        FROM range(100) r(i)
    """)
    ((accuracy, low, high),) = con.execute(
        "SELECT accuracy, accuracy_low, accuracy_high "
        "FROM evaluate_noisy(t, label, predicted, reviewed)"
    ).fetchall()
    assert accuracy == pytest.approx(0.9)
    assert low < 0.8 and high > 0.99
