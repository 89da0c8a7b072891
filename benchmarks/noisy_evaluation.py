"""How often `evaluate_noisy` holds the true accuracy, where the true labels are known.

    SQLFUNCS_DATA=... python -m benchmarks.noisy_evaluation

The labels as given are the noisy test set, what the detector predicts out of sample is the model
that is evaluated, and the consensus of five people the truth. From each table, 500 rows are drawn
with replacement 500 times, and the first rows of each draw are reviewed. Beside it stand what a
user would do otherwise: trust the labels as given, or look at the reviewed rows alone.
"""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt

import sqlfuncs
from benchmarks.detection import TABLES
from benchmarks.pages import circumstances, write

ROWS, DRAWS, REVIEWED = 500, 500, (50, 100, 200)
EVALUATED = """
SELECT n.accuracy, n.accuracy_low, n.accuracy_high, n.label_accuracy_low, n.label_accuracy_high,
    g.accuracy, g.accuracy_low, g.accuracy_high, s.accuracy_low, s.accuracy_high
FROM evaluate_noisy(draw, label, predicted_label, seen) AS n,
    evaluate(draw, label, predicted_label) AS g, evaluate(draw, seen, predicted_label) AS s
"""
Floats = npt.NDArray[np.float64]
HEAD = """| table | reviewed of 500 | true accuracy | as given | corrected, mean | holds the truth \
| width | as given holds it | reviewed rows alone: holds it | width | labels right | holds it |
|---|---|---|---|---|---|---|---|---|---|---|---|"""


def _line(con: duckdb.DuckDBPyConnection, name: str, reviewed: int) -> str:
    con.execute("CREATE OR REPLACE TABLE judged AS FROM label_issues(train, text, label)")
    ((truth, labels),) = con.execute(
        "SELECT avg((true_label = predicted_label)::INT), avg((true_label = label)::INT) "
        "FROM judged"
    ).fetchall()
    frame = con.execute("SELECT label, predicted_label, true_label FROM judged ORDER BY id").df()
    random = np.random.default_rng(0)
    found = []
    for _ in range(DRAWS):
        draw = frame.iloc[random.integers(0, len(frame), ROWS)].reset_index(drop=True)
        draw["seen"] = draw.true_label.where(draw.index < reviewed, None)
        con.register("draw", draw)
        found.append(con.execute(EVALUATED).fetchall()[0])
    mean, low, high, l_low, l_high, given, g_low, g_high, s_low, s_high = np.array(found).T
    return (
        f"| {name} | {reviewed} | {truth:.3f} | {given.mean():.3f} | {mean.mean():.3f} "
        f"| {_holds(low, truth, high)} | {(high - low).mean():.3f} "
        f"| {_holds(g_low, truth, g_high)} | {_holds(s_low, truth, s_high)} "
        f"| {(s_high - s_low).mean():.3f} | {labels:.3f} | {_holds(l_low, labels, l_high)} |"
    )


def _holds(low: Floats, truth: float, high: Floats) -> str:
    return f"{((low <= truth) & (truth <= high)).mean():.1%}"


def main() -> None:
    """Measure every data set with each number of reviewed rows."""
    lines = [HEAD]
    for name, (train, _) in TABLES.items():
        with sqlfuncs.connect() as con:
            con.execute(f"CREATE TABLE train AS {train}")
            lines += [_line(con, name, reviewed) for reviewed in REVIEWED]
    write("noisy_evaluation", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main()
