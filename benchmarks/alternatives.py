"""What was tried for `fast` and for corrections, and what it gave: the figures of decisions.md.

SQLFUNCS_DATA=... python -m benchmarks.alternatives
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

import sqlfuncs
from benchmarks.detection import TABLES
from benchmarks.pages import ROOT, circumstances, write
from sqlfuncs.learning.features.heads import one_thread
from sqlfuncs.learning.labels import classes
from sqlfuncs.learning.models.class_target import ClassTarget
from sqlfuncs.learning.models.folds import fold_numbers
from sqlfuncs.learning.models.out_of_sample import Prepared, prepare
from sqlfuncs.learning.models.pooling import Pool
from sqlfuncs.learning.rows.text import Texts

DATA = {
    "wikipedia": TABLES["wikipedia"][0],
    "blog": TABLES["blog"][0],
    "sample": f"FROM '{ROOT}/data/support_requests.csv'",
}
SEEDS = range(3)
Floats = npt.NDArray[np.float64]


def cross(view: Any, data: Prepared, salt: str, **settings: Any) -> Floats:
    """Out-of-sample probabilities of one head in one cut of the rows."""
    folds = fold_numbers(data.groups, data.target.strata, 5, salt)
    out = np.zeros((len(data.target.strata), data.target.width))
    with one_thread():
        for fold in np.unique(folds):
            held_out = folds == fold
            head = LogisticRegression(**{"max_iter": 1000, "tol": 1e-3, **settings})
            head.fit(view[~held_out], data.target.strata[~held_out])
            out[np.ix_(held_out, head.classes_)] = head.predict_proba(view[held_out])
    return out


def averaged(
    data: Prepared,
    seed: int,
    *,
    cuts: int = 3,
    views: Sequence[int] = (0, 1, 2),
    inverse_penalties: Sequence[float] = (0.5, 0.5, 0.5, 0.2),
    pooled: bool = True,
    **more: Any,
) -> Floats:
    """What the heads of some views say, averaged over some cuts of the rows and pooled."""
    said = [
        np.mean(
            [
                cross(data.views[view], data, f"{seed}.{cut}", C=inverse_penalties[view], **more)
                for cut in range(cuts)
            ],
            axis=0,
        )
        for view in views
    ]
    return (Pool.learn(said, data.target.strata) if pooled else Pool.even(len(said)))(said)


RECIPES: dict[str, Callable[[Prepared, int], Floats]] = {
    "as it is: three heads, pooled, three cuts": averaged,
    "a fourth head, on all that the encoder says": partial(averaged, views=[0, 1, 2, 3]),
    "one cut": partial(averaged, cuts=1),
    "two cuts": partial(averaged, cuts=2),
    "the plain mean of the heads": partial(averaged, pooled=False),
    "TF-IDF alone": partial(averaged, views=[0]),
    "sentence embedding alone": partial(averaged, views=[1]),
    "the encoder halfway up alone": partial(averaged, views=[2]),
    "TF-IDF and sentence embedding": partial(averaged, views=[0, 1]),
    "heads twice as free": partial(averaged, inverse_penalties=(1.0, 1.0, 1.0, 0.4)),
    "heads half as free": partial(averaged, inverse_penalties=(0.25, 0.25, 0.25, 0.1)),
    "classes weighted evenly": partial(averaged, class_weight="balanced"),
}


def load(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[Prepared, npt.NDArray[np.bool_]]:
    """A data set prepared for training, and which of its labels are wrong, in that order."""
    table = con.execute(f"SELECT text, label, true_label FROM ({sql})").df()
    rows = Texts(list(table.text), np.full(len(table), None, dtype=object))
    names = classes.in_order(table.label)
    data = prepare(rows, ClassTarget(classes.codes(list(table.label), names), len(names)))
    data.views.append(np.hstack(data.views[1:]))
    return data, (table.label != table.true_label).to_numpy()[data.order]


def precision(data: Prepared, wrong: npt.NDArray[np.bool_], probs: Floats) -> float:
    """The average precision of self-confidence."""
    given = probs[np.arange(len(wrong)), data.target.strata]
    return float(average_precision_score(wrong, -given))


def recipes(con: duckdb.DuckDBPyConnection) -> str:
    """Average precision of each recipe on each data set: the mean over the seeds."""
    loaded = {name: load(con, sql) for name, sql in DATA.items()}
    lines = [
        f"| average precision, mean of seeds 0 to {len(SEEDS) - 1} | {' | '.join(loaded)} |",
        "|---|" + "---|" * len(loaded),
    ]
    for recipe, probabilities in RECIPES.items():
        figures = [
            np.mean([precision(data, wrong, probabilities(data, seed)) for seed in SEEDS])
            for data, wrong in loaded.values()
        ]
        lines.append(f"| {recipe} | {' | '.join(f'{figure:.3f}' for figure in figures)} |")
    return "\n".join(lines)


def corrections(con: duckdb.DuckDBPyConnection) -> str:
    """Label accuracy before and after auto_corrections, for people's labels and known noise."""
    lines = [
        "| label accuracy | given | every flag relabelled | after `auto_corrections` | gate |",
        "|---|---|---|---|---|",
    ]
    for name, sql in DATA.items():
        for share in (None, 0, 5, 10, 20, 30):
            con.execute(f"CREATE OR REPLACE TABLE t AS {_with_noise(sql, share)}")
            con.execute("CREATE OR REPLACE TABLE i AS FROM label_issues(t, text, label)")
            con.execute("CREATE OR REPLACE TABLE log AS FROM auto_corrections(i, id, label)")
            figures = con.execute("""
                SELECT avg((label = true_label)::INTEGER),
                    avg((CASE WHEN is_label_issue THEN suggested_label ELSE label END
                        = true_label)::INTEGER),
                    (SELECT avg((label = true_label)::INTEGER)
                        FROM apply_corrections(t, log, id, label)),
                FROM i
            """).fetchall()[0]
            (gate,) = con.execute("SELECT can_judge FROM model_strength(i, label)").fetchall()[0]
            about = "labels as given" if share is None else f"true labels, {share} % changed"
            shown = " | ".join(f"{figure:.3f}" for figure in figures)
            lines.append(f"| {name}, {about} | {shown} | {'open' if gate else 'closed'} |")
    return "\n".join(lines)


def _with_noise(sql: str, share: int | None) -> str:
    """Texts with the labels given, or with the true ones of which a share is another's."""
    rows = f"SELECT row_number() OVER () AS id, text, label, true_label FROM ({sql})"
    if share is None:
        return rows
    return f"""
        WITH r AS ({rows}), names AS (
            SELECT list(DISTINCT true_label ORDER BY true_label) AS n FROM r
        )
        SELECT id, text, true_label, CASE WHEN hash(id) % 100 < {share} THEN
            list_filter(n, lambda x: x <> true_label)[1 + (hash(id, 1) % (len(n) - 1))::BIGINT]
            ELSE true_label END AS label
        FROM r, names
    """


def main() -> None:
    """Print both tables."""
    with sqlfuncs.connect() as con:
        write("alternatives", f"{recipes(con)}\n\n{corrections(con)}\n\n{circumstances()}")


if __name__ == "__main__":
    main()
