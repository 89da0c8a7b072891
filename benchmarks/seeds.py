"""How much the figures of label_issues depend on how the folds happen to be cut."""

from __future__ import annotations

import sqlfuncs
from benchmarks.detection import TABLES
from benchmarks.pages import circumstances, write

SEEDS = range(6)
FIGURES = """
SELECT
    avg((label <> true_label)::INTEGER) FILTER (is_label_issue) AS right_among_flags,
    count(*) FILTER (is_label_issue AND label <> true_label)
        / count(*) FILTER (label <> true_label) AS found_of_all,
    avg((suggested_label = true_label)::INTEGER) FILTER (is_label_issue) AS suggestion_right
FROM issues
"""
AVERAGE_PRECISION = """
WITH ranked AS (
    SELECT label <> true_label AS wrong, rank() OVER (ORDER BY label_quality) AS place FROM issues
), counted AS (
    SELECT wrong, place, sum(wrong::INTEGER) OVER (ORDER BY place) AS hits FROM ranked
)
SELECT avg(hits / place) FROM counted WHERE wrong
"""


def main() -> None:
    """Print the mean and range over the seeds, for each data set."""
    lines = [
        "| seeds 0 to 5: mean (range) | average precision | right among flags | found of all "
        "| suggestion right |",
        "|---|---|---|---|---|",
    ]
    for name, (train, _) in TABLES.items():
        measured = []
        with sqlfuncs.connect() as con:
            con.execute(f"CREATE TABLE train AS {train}")
            for seed in SEEDS:
                con.execute(
                    "CREATE OR REPLACE TABLE issues AS "
                    f"FROM label_issues(train, text, label, seed := {seed})"
                )
                measured.append(
                    (
                        *con.execute(AVERAGE_PRECISION).fetchall()[0],
                        *con.execute(FIGURES).fetchall()[0],
                    )
                )
        columns = [
            f"{sum(values) / len(values):.3f} ({min(values):.3f} to {max(values):.3f})"
            for values in zip(*measured, strict=True)
        ]
        lines.append(f"| {name} | {' | '.join(columns)} |")
    write("seeds", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main()
