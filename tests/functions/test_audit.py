from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest

from sqlfuncs import work
from sqlfuncs.functions import label_issues, near_duplicates, outliers
from tests.conftest import needs_local

OF_LABEL = [column.name for column in label_issues.FUNCTION.returns if column.only is None]
OF_ROW = ["outlier_score", "is_outlier", "near_duplicate_group", "near_duplicate_score"]
OWN = [
    *OF_LABEL[:-1],
    *OF_ROW,
    "ambiguity",
    "is_ambiguous",
    "is_well_labeled",
    "is_unlabeled",
    "not_judged",
]


class _Heard(work.Quiet):
    def __init__(self) -> None:
        self.messages: list[str] = []

    def show(self, message: str) -> None:
        self.messages.append(message)


def _points(con: duckdb.DuckDBPyConnection, rows: int = 200) -> None:
    """Two classes of vectors, in which 1 % of the labels are wrong and three rows are copies."""
    random = np.random.default_rng(0)
    side = np.arange(rows) % 2
    values = random.standard_normal((rows, 6)) + 4 * np.eye(6)[side]
    values[10] = values[12] = values[14]
    labels = np.where(np.isin(np.arange(rows), [20, 41]), 1 - side, side)
    frame = pd.DataFrame({"id": range(rows), "e": list(values), "label": labels})
    con.register("frame", frame)
    con.execute("CREATE TABLE points AS SELECT id, e::FLOAT[] AS e, label FROM frame")
    con.unregister("frame")


def test_it_says_what_the_three_functions_say(con: duckdb.DuckDBPyConnection) -> None:
    _points(con)
    found = con.execute("FROM audit(points, e, label)")
    assert [c[0] for c in found.description or []] == ["id", "e", "label", *OWN]
    assert con.execute(
        f"SELECT id, {', '.join(OF_LABEL)} FROM audit(points, e, label)"
    ).fetchall() == (
        con.execute(
            f"SELECT id, {', '.join(OF_LABEL)} FROM label_issues(points, e, label)"
        ).fetchall()
    )
    for function in (outliers, near_duplicates):
        names = ", ".join(c.name for c in function.FUNCTION.returns[:-1])
        alone = con.execute(f"SELECT {names} FROM {function.FUNCTION.name}(points, e)").fetchall()
        assert con.execute(f"SELECT {names} FROM audit(points, e, label)").fetchall() == alone


def test_options_are_those_of_the_three_functions(con: duckdb.DuckDBPyConnection) -> None:
    _points(con)
    audited = con.execute(
        "SELECT is_label_issue, label_quality, is_outlier, near_duplicate_group FROM audit(points, "
        "e, label, cut := 'both', method := 'normalized_margin', folds := 3, seed := 1, k := 3, "
        "outlier_threshold := 0.2, near_duplicate_threshold := 0.8)"
    ).fetchall()
    con.execute(
        "CREATE TABLE i AS FROM label_issues(points, e, label, cut := 'both', "
        "method := 'normalized_margin', folds := 3, seed := 1)"
    )
    con.execute("CREATE TABLE o AS FROM outliers(points, e, k := 3, threshold := 0.2)")
    con.execute("CREATE TABLE n AS FROM near_duplicates(points, e, k := 3, threshold := 0.8)")
    assert (
        audited
        == con.execute(
            "SELECT i.is_label_issue, i.label_quality, o.is_outlier, n.near_duplicate_group "
            "FROM i POSITIONAL JOIN o POSITIONAL JOIN n"
        ).fetchall()
    )


@needs_local
@pytest.mark.slow
def test_what_it_says_of_the_sample_is_true(sample: duckdb.DuckDBPyConnection) -> None:
    found = sample.execute("FROM audit(requests, text, label)").df()
    right = found.label == found.true_label
    assert found.is_well_labeled.mean() > 0.4
    assert right[found.is_well_labeled].mean() > 0.97
    assert not (found.is_well_labeled & (found.is_label_issue | found.is_ambiguous)).any()
    hit = found.predicted_label == found.true_label
    assert hit[found.is_ambiguous].mean() < 0.65 < 0.8 < hit[~found.is_ambiguous].mean()
    flagged = found[found.is_label_issue]
    wrong = flagged.label != flagged.true_label
    # Of rows it is in doubt of, few are flagged, and those less rightly.
    assert flagged.is_ambiguous.mean() < found.is_ambiguous.mean() / 1.5
    assert wrong[~flagged.is_ambiguous].mean() > wrong[flagged.is_ambiguous].mean()
    assert not found.is_unlabeled.any()


def test_unlabeled_rows_get_a_suggestion_and_may_be_outliers(
    con: duckdb.DuckDBPyConnection,
) -> None:
    _points(con)
    con.execute("UPDATE points SET label = NULL WHERE id IN (3, 4)")
    con.execute("UPDATE points SET e = NULL WHERE id IN (4, 5)")
    rows = con.execute(
        "SELECT id, is_label_issue, suggested_label, is_well_labeled, is_unlabeled, "
        "outlier_score IS NULL, is_ambiguous, not_judged FROM audit(points, e, label) "
        "WHERE id BETWEEN 3 AND 6 ORDER BY id"
    ).fetchall()
    assert rows == [
        (3, False, 1, False, True, False, False, "the label is NULL"),
        (4, None, None, None, False, True, None, "the embedding is NULL"),
        (5, None, None, None, False, True, None, "the embedding is NULL"),
        (6, False, None, rows[3][3], False, False, False, None),
    ]


def test_a_row_whose_label_cannot_be_judged_may_be_an_outlier(
    con: duckdb.DuckDBPyConnection,
) -> None:
    _points(con)
    con.execute("INSERT INTO points VALUES (-1, [-9, -9, -9, -9, -9, -9], 7)")
    row = con.execute(
        "SELECT is_outlier, is_label_issue, is_well_labeled, is_unlabeled, not_judged "
        "FROM audit(points, e, label) WHERE id = -1"
    ).fetchone()
    why = "no row of other content has this label, so no model could learn it"
    assert row == (True, None, None, False, why)


@pytest.mark.parametrize(
    ("x", "kind"),
    [
        ("MAP {0: if(id % 2 = 0, 0.9, 0.1), 1: if(id % 2 = 0, 0.1, 0.9)}", "a map of probab"),
        ("{a: e[1], b: e[2]}", "the fields of a STRUCT"),
    ],
)
def test_what_cannot_be_compared_is_said_once(
    con: duckdb.DuckDBPyConnection, x: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _points(con)
    monkeypatch.setattr(work, "_said", set())
    heard = _Heard()
    with work.listening(heard):
        for _ in range(2):
            rows = con.execute(
                f"SELECT DISTINCT {', '.join(OF_ROW)} FROM audit(points, {x}, label)"
            ).fetchall()
            assert rows == [(None,) * 4]
    assert len([m for m in heard.messages if f"not compared by {kind}" in m]) == 1
    counts = con.execute(
        "SELECT count(is_ambiguous), count(*) FILTER (is_well_labeled) "
        f"FROM audit(points, {x}, label)"
    ).fetchone()
    assert counts is not None and counts[0] == 200 and counts[1] > 50


def test_order_does_not_change_a_bit(con: duckdb.DuckDBPyConnection) -> None:
    _points(con)
    con.execute("CREATE TABLE shuffled AS FROM points ORDER BY hash(id)")
    rest = ", ".join(name for name in OWN if name != "near_duplicate_group")
    one, two = (
        con.execute(f"SELECT id, {rest} FROM audit({t}, e, label) ORDER BY id").fetchall()
        for t in ("points", "shuffled")
    )
    assert one == two
