"""Whether halving the score of a flagged row ranks wrong labels better, on draws that set nothing.

    SQLFUNCS_DATA=... python -m benchmarks.flagged_quality

The draws are those of `draws`; beside the average precision of `label_quality` stands that of the
same scores without the halving (`learning/detection/confident.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

import sqlfuncs
from benchmarks.alternatives import DATA
from benchmarks.draws import CHANGED, SEEDS, SIZES, changed
from benchmarks.pages import circumstances, write
from sqlfuncs.learning.detection import noise

JUDGED = """
SELECT label, label <> true_label, label_quality, class_probs FROM label_issues(draw, text, label)
WHERE label_quality IS NOT NULL
"""


def precisions(
    con: duckdb.DuckDBPyConnection, table: pd.DataFrame, size: int
) -> Iterator[tuple[float, float]]:
    """Average precision with the halving and without, on each draw with wrong labels."""
    for seed in SEEDS:
        for share in CHANGED:
            if share == 0.0:
                continue
            draw = table.sample(size, random_state=seed)
            if share is not None:
                draw["label"] = changed(draw.true_label, share, seed)
            con.register("draw", draw)
            labels, wrong, quality, maps = zip(*con.execute(JUDGED).fetchall(), strict=True)
            names = list(maps[0])
            codes = np.array([names.index(label) for label in labels])
            probs = np.array([[each[name] for name in names] for each in maps])
            unhalved = noise.corrected(codes, probs)[np.arange(len(codes)), codes]
            yield (
                float(average_precision_score(wrong, 1 - np.array(quality))),
                float(average_precision_score(wrong, 1 - unhalved)),
            )


def main() -> None:
    """A line for each data set and size."""
    lines = [
        f"| draws of seeds {SEEDS[0]} to {SEEDS[-1]} | rows | draws | average precision "
        "| without the halving | better in | worse in |",
        "|---|---|---|---|---|---|---|",
    ]
    with sqlfuncs.connect() as con:
        for name, sql in DATA.items():
            table = con.execute(f"SELECT text, label, true_label FROM ({sql})").df()
            for size in SIZES:
                found = np.array(list(precisions(con, table, size)))
                gain = found[:, 0] - found[:, 1]
                lines.append(
                    f"| {name} | {size} | {len(found)} | {found[:, 0].mean():.4f} "
                    f"| {found[:, 1].mean():.4f} | {(gain > 1e-6).sum()} | {(gain < -1e-6).sum()} |"
                )
    write("flagged_quality", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main()
