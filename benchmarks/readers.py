"""What larger encoders add: wrong labels ranked by `fast` and by `best`, of tone and of topic.

    SQLFUNCS_DATA=... SQLFUNCS_BENCH=... python -m benchmarks.readers

Bank questions (PolyAI's banking77, CC BY 4.0, in a folder of fetched repositories) have 15 % of
their labels changed, to any other class or to the next one. Corrections are what a sample of
reviewed rows releases (`benchmarks.decisions`), with what people mend in it, mean of 100 draws.
`best` has to have its larger encoder: what fell back to another reader is not printed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import duckdb
import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

import sqlfuncs
from benchmarks.alternatives import DATA
from benchmarks.cuts import git
from benchmarks.decisions import judged, simulate
from benchmarks.pages import circumstances, refuse_fallback, write

BANK = "PolyAI-LDN+task-specific-datasets", "banking_data/train.csv"
ROWS, GROUPS, CHANGED = 4_000, (77, 10, 3), 0.15
MODELS = ("fast", "best")
REVIEWED, DRAWS = 60, 100
Cell = tuple[float, float, float]


def bank(groups: int, *, to_next: bool) -> pd.DataFrame:
    """Questions in so many groups of neighbouring intents, with wrong labels."""
    table = pd.read_csv(io.BytesIO(git(BANK[0], "show", f"HEAD:{BANK[1]}")))
    table = table.sample(ROWS, random_state=0)
    intents = table.category.astype("category").cat.codes.to_numpy(dtype=np.int64)
    true = intents * groups // (intents.max() + 1)
    generator = np.random.default_rng(0)
    changed = generator.random(ROWS) < CHANGED
    by = 1 if to_next else generator.integers(1, groups, ROWS)
    given = np.where(changed, (true + by) % groups, true)
    return pd.DataFrame(
        {
            "text": table.text.to_numpy(),
            "label": [f"group {each}" for each in given],
            "true_label": [f"group {each}" for each in true],
        }
    )


def tables(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each with the columns text, label and true_label."""
    for name, sql in DATA.items():
        yield name, con.execute(f"SELECT text, label, true_label FROM ({sql})").df()
    for groups in GROUPS:
        yield f"bank, {groups} groups, even noise", bank(groups, to_next=False)
        yield f"bank, {groups} groups, to the next", bank(groups, to_next=True)


def cell(con: duckdb.DuckDBPyConnection, rows: pd.DataFrame, model: str) -> Cell:
    """Average precision, the share of flags that are right, label accuracy after `REVIEWED`."""
    table = judged(con, rows, model)
    wrong = table.codes != table.true
    reviewed = simulate(table, "ours", REVIEWED, DRAWS, np.random.default_rng(0))
    return (
        float(average_precision_score(wrong, -table.quality)),
        float(wrong[table.flagged].mean()),
        float(reviewed.accuracy.mean()),
    )


def main() -> None:
    """A line for each table."""
    refuse_fallback("benchmarks.readers")
    lines = [
        f"| average precision; flags right; labels right once {REVIEWED} rows are reviewed | "
        f"{' | '.join(f'`{model}`' for model in MODELS)} |",
        "|---|" + "---|" * len(MODELS),
    ]
    with sqlfuncs.connect() as con:
        for name, rows in tables(con):
            found = [cell(con, rows, model) for model in MODELS]
            shown = (f"{ap:.3f}; {right:.2f}; {after:.3f}" for ap, right, after in found)
            print(name, found, flush=True)
            given = f"{name}, given {(rows.label == rows.true_label).mean():.3f}"
            lines.append(f"| {given} | {' | '.join(shown)} |")
    write("readers", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main()
