from __future__ import annotations

import duckdb
import pytest
from scipy.stats import binomtest

from tests.functions.issue_tables import Issue, issues, strong, weak

COLUMNS = [
    *("judged", "agreement", "agreement_low", "majority", "kappa", "noise", "can_judge", "reason"),
]


def _strength(con: duckdb.DuckDBPyConnection) -> dict[str, object]:
    found = con.execute("FROM model_strength(issues, label)")
    names = [column[0] for column in found.description or []]
    (row,) = found.fetchall()
    return dict(zip(names, row, strict=True))


def test_a_model_that_knows_more_than_the_commonest_label(con: duckdb.DuckDBPyConnection) -> None:
    issues(con, strong())
    found = _strength(con)
    assert list(found) == COLUMNS
    low = binomtest(40, 40).proportion_ci(method="wilson").low
    assert found == {
        "judged": 40,
        "agreement": 1.0,
        "agreement_low": pytest.approx(float(low)),
        "majority": 0.5,
        "kappa": 1.0,
        "noise": 0.0,
        "can_judge": True,
        "reason": None,
    }


def test_a_model_that_only_says_the_commonest_label(con: duckdb.DuckDBPyConnection) -> None:
    issues(con, weak())
    found = _strength(con)
    assert (found["agreement"], found["majority"], found["can_judge"]) == (0.75, 0.75, False)
    low = binomtest(30, 40).proportion_ci(method="wilson").low
    assert found["agreement_low"] == pytest.approx(float(low))
    reason = str(found["reason"])
    assert reason.startswith("the model is too weak to judge")
    assert "75.0 %" in reason
    assert f"{100 * low:.1f} %" in reason


@pytest.mark.parametrize(("agreeing", "beats"), [(26, False), (27, True)])
def test_the_first_gate_opens_where_the_interval_leaves_the_majority(
    con: duckdb.DuckDBPyConnection, agreeing: int, beats: bool
) -> None:
    rows: list[Issue] = []
    for i in range(40):
        label, other = ("a", "b") if i % 2 else ("b", "a")
        said = label if i < agreeing else other
        rows.append((i, label, {said: 0.8, ("b" if said == "a" else "a"): 0.2}, False))
    issues(con, rows)
    low = binomtest(agreeing, 40).proportion_ci(method="wilson").low
    assert (low > 0.5) == beats
    # For so weak a model and so few rows, the second gate stays closed.
    reason = str(_strength(con)["reason"])
    assert reason.startswith("40 rows are too few" if beats else "the model is too")


def test_rows_that_were_not_judged_do_not_count(con: duckdb.DuckDBPyConnection) -> None:
    issues(con, [*strong(), *((i, "c", None, False) for i in range(60))])
    found = _strength(con)
    assert (found["judged"], found["majority"], found["can_judge"]) == (40, 0.5, True)


@pytest.mark.parametrize("rows", [[], [(1, "a", None, False)]])
def test_without_a_judged_row(con: duckdb.DuckDBPyConnection, rows: list[Issue]) -> None:
    issues(con, rows)
    found = _strength(con)
    assert (found["judged"], found["can_judge"], found["reason"]) == (0, False, "no row was judged")


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("INTEGER", ("0", "1")),
        ("BOOLEAN", ("true", "false")),
        ("ENUM ('x', 'y')", ("y", "x")),
        ("DATE", ("2026-01-01", "2026-01-02")),
    ],
)
def test_labels_of_every_type(
    con: duckdb.DuckDBPyConnection, kind: str, names: tuple[str, str]
) -> None:
    issues(con, strong(names), kind)
    found = _strength(con)
    assert (found["agreement"], found["can_judge"]) == (1.0, True)


def test_on_what_label_issues_gives(con: duckdb.DuckDBPyConnection) -> None:
    issues(con, strong())
    con.execute("CREATE TABLE own AS SELECT id, label, class_probs AS probs FROM issues")
    con.execute("CREATE OR REPLACE TABLE issues AS FROM label_issues(own, probs, label)")
    assert _strength(con)["can_judge"] is True


def test_a_table_that_is_no_result_of_label_issues(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS SELECT 1 AS id, 'a' AS label")
    with pytest.raises(duckdb.Error, match="class_probs"):
        con.execute("FROM model_strength(t, label)").fetchall()
