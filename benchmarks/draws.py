"""Whether `auto_corrections` lowers label accuracy, on small random draws of each data set.

    SQLFUNCS_DATA=... python -m benchmarks.draws

Each draw has its labels as people gave them, and its true labels with 0 to 25 % of them changed at
random. The draws were not looked at when the thresholds of
`learning/detection/corrections.py` were set; those of seeds 30 to 33 were.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import pandas as pd

import sqlfuncs
from benchmarks.alternatives import DATA
from benchmarks.pages import circumstances, write

SIZES = (350, 700, 1300)
SEEDS = range(60, 64)
CHANGED = (None, 0.0, 0.04, 0.08, 0.12, 0.25)  # None: as given
RELABELLED = """
WITH _log AS MATERIALIZED (FROM auto_corrections(issues, id, label))
SELECT (SELECT avg((label = true_label)::INTEGER) FROM apply_corrections(issues, _log, id, label)),
    (SELECT count(*) FROM _log)
"""


def changed(labels: pd.Series, share: float, seed: int) -> list[str]:
    """Labels of which a share is another, drawn from those there are."""
    generator = np.random.default_rng(seed)
    names = sorted(labels.unique())
    picked = generator.random(len(labels)) < share
    return [
        generator.choice([name for name in names if name != label]) if pick else label
        for label, pick in zip(labels, picked, strict=True)
    ]


def gains(con: duckdb.DuckDBPyConnection, table: pd.DataFrame, size: int) -> Iterator[float | None]:
    """What correcting gains on each draw; None where nothing is proposed."""
    for seed in SEEDS:
        for share in CHANGED:
            draw = table.sample(size, random_state=seed).assign(id=range(size))
            if share is not None:
                draw["label"] = changed(draw.true_label, share, seed)
            con.register("draw", draw)
            con.execute("CREATE OR REPLACE TABLE issues AS FROM label_issues(draw, text, label)")
            [(after, made)] = con.execute(RELABELLED).fetchall()
            yield after - (draw.label == draw.true_label).mean() if made else None


def main() -> None:
    """A line for each data set and size."""
    lines = [
        f"| draws of seeds {SEEDS[0]} to {SEEDS[-1]} | rows | draws | corrected | made worse "
        "| the worst | mean gain of the corrected |",
        "|---|---|---|---|---|---|---|",
    ]
    with sqlfuncs.connect() as con:
        for name, sql in DATA.items():
            table = con.execute(f"SELECT text, label, true_label FROM ({sql})").df()
            for size in SIZES:
                found = list(gains(con, table, size))
                made = np.array([gain for gain in found if gain is not None])
                worse = made[made < -1e-9]
                lines.append(
                    f"| {name} | {size} | {len(found)} | {len(made)} | {len(worse)} "
                    f"| {worse.min() if len(worse) else 0:.3f} "
                    f"| {f'{made.mean():.3f}' if len(made) else '-'} |"
                )
    write("draws", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main()
