"""Classes that are steps of a scale: the farthest errors first."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

STEPS = np.array(["bad", "poor", "fair", "good", "best"])
ORDERED = f"ordered := {STEPS.tolist()}"


@pytest.fixture
def graded(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The table `t` of 1,500 vectors in five steps, of which people miss by one or by many."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(1500, 5))
    score = vectors[:, 0] + random.normal(size=1500) / 2
    true = np.searchsorted([-1.2, -0.4, 0.4, 1.2], score)
    off = random.choice([0, 0, 0, 0, 1, -1, 3, -3], 1500)
    given = (true + off).clip(0, 4)
    frame = pd.DataFrame(
        {
            "id": range(1500),
            "v": list(vectors.astype(np.float32)),
            "label": STEPS[given],
            "step": given + 1,
            "far": np.abs(given - true),
        }
    )
    con.register("frame", frame)
    con.execute("CREATE TABLE t AS FROM frame")
    con.unregister("frame")
    return con


def _found(con: duckdb.DuckDBPyConnection, call: str) -> pd.DataFrame:
    return con.execute(f"SELECT * FROM {call} ORDER BY id").df()


def test_far_errors_come_first(graded: duckdb.DuckDBPyConnection) -> None:
    plain = _found(graded, "label_issues(t, v, label)")
    scaled = _found(graded, f"label_issues(t, v, label, {ORDERED})")

    def precision(found: pd.DataFrame) -> float:
        return float(average_precision_score(found.far >= 2, -found.label_quality))

    assert precision(scaled) > precision(plain) + 0.05
    flagged = scaled[scaled.is_label_issue]
    assert (flagged.suggested_label != flagged.label).all()
    place = {name: at for at, name in enumerate(STEPS)}
    true = (flagged.step - 1).to_numpy()
    assert flagged.label_quality.mean() < scaled.label_quality.mean() - 0.1
    assert set(flagged.suggested_label.map(place)) <= set(range(5)) and len(true) > 100


def test_whole_numbers_and_the_other_end(graded: duckdb.DuckDBPyConnection) -> None:
    by_name = _found(graded, f"label_issues(t, v, label, {ORDERED})")
    by_step = _found(graded, "label_issues(t, v, step, ordered := [1, 2, 3, 4, 5])")
    back = _found(graded, "label_issues(t, v, step, ordered := [5, 4, 3, 2, 1])")
    assert np.allclose(by_step.label_quality, back.label_quality)
    assert (by_step.label_quality - by_name.label_quality).abs().max() < 0.02
    audited = _found(graded, f"audit(t, v, label, {ORDERED})")
    assert audited.label_quality.equals(by_name.label_quality)


def test_the_queue_begins_with_the_farthest(graded: duckdb.DuckDBPyConnection) -> None:
    far = [
        _found(graded, f"review_queue(t, v, label, id, budget := 400{more})").far.mean()
        for more in ("", f", {ORDERED}")
    ]
    assert far[1] > far[0] + 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("ordered := ['bad', 'good']", "lacks labels that the table has: 'best', 'fair', 'poor'"),
        ("ordered := 'bad'", "has to be a list of the labels"),
        ("ordered := ['bad', NULL]", "has to be a list of the labels"),
        (f"ordered := {[*STEPS.tolist(), 'bad']}", "names a label twice"),
        (f"{ORDERED}, method := 'self_confidence'", "leave method out"),
        (f"{ORDERED}, judge := 'j'", "leave judge out"),
        (f"{ORDERED}, key := id, log := log", "Leave one of them out"),
        (f"{ORDERED}, task := 'regression'", "label holds no numbers"),
    ],
)
def test_what_cannot_be_had_is_said(
    graded: duckdb.DuckDBPyConnection, options: str, message: str
) -> None:
    graded.execute("""
        CREATE TABLE log AS SELECT id AS key, 'keep' AS action, label AS old_label,
            'ann' AS decided_by, NULL::VARCHAR AS new_label, TIMESTAMP '2026-01-01' AS decided_at
        FROM t LIMIT 1
    """)
    with pytest.raises(duckdb.Error) as error:
        graded.execute(f"FROM label_issues(t, v, label, {options})").fetchall()
    assert message in str(error.value)
