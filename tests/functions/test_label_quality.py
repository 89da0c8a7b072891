from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from cleanlab.rank import get_label_quality_scores
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.detection import confident

HALVES = "MAP {'a': 0.5, 'b': 0.5}"
TYPES = ("VARCHAR", "INTEGER", "BOOLEAN", "ENUM")


def _random_case(
    seed: int, rows: int, classes: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Imbalanced labels, and probabilities with zeros among them, also at the given label."""
    random = np.random.default_rng(seed)
    labels = random.choice(classes, size=rows, p=random.dirichlet(np.full(classes, 0.5)))
    probs = random.dirichlet(np.full(classes, 0.3), size=rows)
    probs[random.random(probs.shape) < 0.2] = 0
    probs[probs.sum(axis=1) == 0, 0] = 1
    return labels.astype(np.int64), probs / probs.sum(axis=1, keepdims=True)


def _scores(
    con: duckdb.DuckDBPyConnection,
    labels: npt.NDArray[np.int64],
    probs: npt.NDArray[np.float64],
    method: str,
    kind: str,
) -> npt.NDArray[np.float64]:
    classes = probs.shape[1]
    names = {
        "VARCHAR": ["it's", "a b", "", "ä", "🎈", "NULL"][:classes],
        "INTEGER": [str(code - 1) for code in range(classes)],
        "BOOLEAN": ["false", "true"],
        "ENUM": [f"e{code}" for code in range(classes)],
    }[kind]
    sql_names = ", ".join("'" + name.replace("'", "''") + "'" for name in names)
    sql_type = f"ENUM ({sql_names})" if kind == "ENUM" else kind
    frame = pd.DataFrame(
        {"n": range(len(labels)), "label": [names[code] for code in labels], "p": list(probs)}
    )
    con.register("frame", frame)
    found = con.execute(
        f"SELECT label_quality(label::{sql_type}, MAP([{sql_names}]::{sql_type}[], p), "
        f"method := '{method}') AS q FROM frame ORDER BY n"
    ).fetchnumpy()["q"]
    con.unregister("frame")
    return np.asarray(found, dtype=np.float64)


@pytest.mark.parametrize("method", confident.CLEANLAB_METHODS)
@pytest.mark.parametrize("kind", TYPES)
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10**6), rows=st.integers(2, 60), classes=st.integers(2, 6))
def test_it_is_the_score_of_cleanlab(
    con: duckdb.DuckDBPyConnection, method: str, kind: str, seed: int, rows: int, classes: int
) -> None:
    labels, probs = _random_case(seed, rows, 2 if kind == "BOOLEAN" else classes)
    expected = get_label_quality_scores(labels, probs, method=method)
    scores = _scores(con, labels, probs, method, kind)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        confident.label_quality(labels, probs, method), expected, rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("method", confident.CLEANLAB_METHODS)
@pytest.mark.parametrize(
    "arguments",
    [
        f"'c', {HALVES}",
        f"NULL::VARCHAR, {HALVES}",
        f"NULL, {HALVES}",
        "'a', NULL::MAP(VARCHAR, DOUBLE)",
        "'a', NULL",
        "'a', MAP {}::MAP(VARCHAR, DOUBLE)",
        "'a', MAP {'a': 0.5, 'b': 'nan'::DOUBLE}",
        "'a', MAP {'a': 'nan'::DOUBLE, 'b': 0.5}",
        "'a', MAP {'a': 0.5, 'b': NULL}",
        "'a', MAP {'a': NULL, 'b': 0.5}",
        "'a', MAP {'a': NULL, 'b': NULL}::MAP(VARCHAR, DOUBLE)",
        "'a', MAP {'a': 0.5, 'b': 'inf'::DOUBLE}",
        "'A', MAP {'a': 0.5, 'b': 0.5}",
    ],
)
def test_what_cannot_be_scored_is_null(
    con: duckdb.DuckDBPyConnection, method: str, arguments: str
) -> None:
    found = con.execute(f"SELECT label_quality({arguments}, method := '{method}')").fetchall()
    assert found == [(None,)]


def test_one_bad_row_does_not_harm_the_others(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "SELECT label_quality(label, probs) FROM (VALUES (1, 'a', MAP {'a': 0.7, 'b': 0.3}), "
        "(2, NULL, MAP {'a': 0.7, 'b': 0.3}), (3, 'a', NULL), (4, 'c', MAP {'a': 0.7, 'b': 0.3}), "
        "(5, 'b', MAP {'a': 0.7, 'b': 0.3})) v(n, label, probs) ORDER BY n"
    )
    assert found.fetchall() == [(0.7,), (None,), (None,), (None,), (0.3,)]


def test_an_unknown_method_names_the_three(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.InvalidInputException) as caught:
        con.execute(f"SELECT label_quality('a', {HALVES}, method := 'margin')").fetchall()
    assert "method := 'margin' is not known" in str(caught.value)
    assert all(f"'{method}'" in str(caught.value) for method in confident.CLEANLAB_METHODS)
    with pytest.raises(BadOption, match="'margin' is not known"):
        confident.label_quality(np.array([0]), np.array([[0.5, 0.5]]), "margin")


@pytest.mark.parametrize("kind", ["FLOAT", "DECIMAL(3, 2)"])
def test_probabilities_of_other_types(con: duckdb.DuckDBPyConnection, kind: str) -> None:
    found = con.execute(
        f"SELECT label_quality('a', MAP {{'a': 0.25::{kind}, 'b': 0.75::{kind}}})"
    ).fetchall()
    assert found == [(0.25,)]
