"""How wide intervals of `label_health` are by a reviewed random sample, and how often they hold.

    SQLFUNCS_DATA=... python -m benchmarks.sampled_health

People's answers are the true labels.
"""

from __future__ import annotations

import numpy as np

import sqlfuncs
from benchmarks.decisions import Table, judged, tables
from benchmarks.pages import circumstances, write
from sqlfuncs.learning.detection.health import health
from sqlfuncs.learning.detection.sampling import Drawn

DRAWS = 300
REVIEWED = (50, 100, 200)


def line(name: str, table: Table, reviewed: int) -> str:
    """A line: the mean over classes and draws."""
    wrong = table.codes != table.true
    counts = np.bincount(table.codes)
    truth = np.bincount(table.codes, wrong) / np.where(counts > 0, counts, 1)
    without = health(table.codes, table.probs)
    generator = np.random.default_rng(0)
    widths, held, off = [], [], []
    for _ in range(DRAWS):
        places = generator.permutation(len(wrong))[:reviewed]
        found = health(table.codes, table.probs, Drawn(places, wrong[places], table.true[places]))
        widths.append(found.high - found.low)
        held.append((found.low <= truth) & (truth <= found.high))
        off.append(np.abs(found.error_rate - truth))
    before = float((without.high - without.low).mean())
    return (
        f"| {name} | {reviewed} | {before:.2f} | {np.mean(widths):.2f} "
        f"| {np.mean(widths) / before:.2f} | {np.mean(held):.3f} "
        f"| {np.abs(without.error_rate - truth).mean():.3f} | {np.mean(off):.3f} |"
    )


def main() -> None:
    """A line for each table and number of reviewed rows."""
    lines = [
        "| | reviewed | width without | with the sample | ratio | held the truth "
        "| estimate off by, without | with |",
        "|---|---|---|---|---|---|---|---|",
    ]
    with sqlfuncs.connect() as con:
        for name, rows in tables(con):
            if "true labels" not in name:
                table = judged(con, rows)
                lines += [line(name, table, reviewed) for reviewed in REVIEWED]
    write("sampled_health", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main()
