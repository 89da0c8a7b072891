"""label_set(class_probs, threshold): the smallest sets that hold the right label often enough."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

THREE = "MAP {'a': 0.5, 'b': 0.3, 'c': 0.2}"


@pytest.mark.parametrize(
    ("threshold", "labels"),
    [
        ("-1", ["a"]),
        ("0", ["a"]),
        ("0.49", ["a"]),
        ("0.5", ["a", "b"]),
        ("0.79", ["a", "b"]),
        ("0.8", ["a", "b", "c"]),
        ("1", ["a", "b", "c"]),
        ("'infinity'::DOUBLE", ["a", "b", "c"]),
        ("NULL", None),
    ],
)
def test_as_many_as_have_the_threshold(
    con: duckdb.DuckDBPyConnection, threshold: str, labels: list[str] | None
) -> None:
    assert con.execute(f"SELECT label_set({THREE}, {threshold})").fetchall() == [(labels,)]


@pytest.mark.parametrize(
    ("probs", "labels"),  # for a threshold of .5
    [
        ("MAP {'a': 0.4, 'b': 0.4, 'c': 0.2}", ["a", "b"]),  # as likely as one another: both
        ("MAP {'a': 0.4, 'b': NULL}", None),
        ("MAP {'a': 0.4, 'b': 'nan'::DOUBLE}", None),
        ("NULL", None),
        ("MAP {}::MAP(VARCHAR, DOUBLE)", []),
        ('\'{"a": 0.9, "b": 0.1}\'', ["a"]),  # as a CSV file has it
        ("MAP {1: 0.9, 2: 0.1}", ["1"]),
    ],
)
def test_of_odd_probabilities(
    con: duckdb.DuckDBPyConnection, probs: str, labels: list[str] | None
) -> None:
    assert con.execute(f"SELECT label_set({probs}, 0.5)").fetchall() == [(labels,)]


def _expected(probs: dict[str, float], threshold: float) -> list[str]:
    """By the definition: the classes more likely than one have no more than the threshold."""
    scores = {
        name: round(math.fsum(q for q in probs.values() if q > p), 9) for name, p in probs.items()
    }
    held = [name for name in probs if scores[name] <= threshold]
    return sorted(held, key=lambda name: (scores[name], name))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(weights=st.lists(st.integers(1, 9), min_size=1, max_size=6), threshold=st.floats(0, 1.2))
def test_the_definition(
    con: duckdb.DuckDBPyConnection, weights: list[int], threshold: float
) -> None:
    probs = {f"class {n}": weight / sum(weights) for n, weight in enumerate(weights)}
    [(found,)] = con.execute(
        "SELECT label_set(MAP($1::VARCHAR[], $2::DOUBLE[]), $3)",
        [list(probs), list(probs.values()), threshold],
    ).fetchall()
    assert found == _expected(probs, threshold)


def test_the_right_label_is_held_as_often_as_asked(con: duckdb.DuckDBPyConnection) -> None:
    """On average over samples of 60, of a model that is too sure of itself."""
    generator = np.random.default_rng(0)
    shares, sizes = [], []
    for _ in range(40):
        logits = generator.normal(size=(400, 4)) * 1.5
        true = np.array([generator.choice(4, p=np.exp(z) / np.exp(z).sum()) for z in logits])
        sharp = np.exp(2.5 * logits)
        probs = sharp / sharp.sum(axis=1, keepdims=True)
        con.register(
            "frame",
            pd.DataFrame(
                {"id": range(400), "label": np.array(list("abcd"))[true], "p": list(probs)}
            ),
        )
        con.execute("""
            CREATE OR REPLACE TABLE issues AS
            SELECT id, label, MAP(['a', 'b', 'c', 'd'], p) AS class_probs FROM frame;
            CREATE OR REPLACE TABLE log AS
            SELECT id AS key, 'keep' AS action, label AS old_label, NULL::VARCHAR AS new_label,
                'ann' AS decided_by, NULL::VARCHAR AS reason, TIMESTAMP '2026-01-01' AS decided_at
            FROM issues ORDER BY sqlfuncs.main._sf_random_order(id) LIMIT 60
        """)
        [(held, size)] = con.execute("""
            WITH found AS (
                FROM label_set_threshold(issues, log, id, label)
            ), sets AS (
                SELECT id, label, label_set(class_probs, threshold) AS held FROM issues, found
            )
            SELECT avg(list_contains(held, label)::INTEGER), avg(len(held))
            FROM sets WHERE id NOT IN (SELECT key FROM log)
        """).fetchall()
        shares.append(held)
        sizes.append(size)
    assert 0.89 <= np.mean(shares) <= 0.93
    assert np.mean(sizes) < 3
