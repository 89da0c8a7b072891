"""What the columns of `label_issues` are worth in training, beside training on the labels as given.

    SQLFUNCS_DATA=... python -m benchmarks.quality_training [BASES [SEEDS]]

`weights := label_quality`, `drop := is_label_issue` and `balanced := true`, through SQL, on the
data of the other measurements and on the bundled sample; accuracies are on test rows whose labels
are right, and means over seeds.
"""

from __future__ import annotations

import sys

import duckdb
import numpy as np

import sqlfuncs
from benchmarks.detection import TABLES
from benchmarks.pages import ROOT, circumstances, write

WAYS = {
    "nothing": "",
    "`weights := label_quality`": ", weights := label_quality",
    "`drop := is_label_issue`": ", drop := is_label_issue",
    "`balanced := true`": ", balanced := true",
}


SAMPLE = (
    f"FROM '{ROOT}/data/support_requests.csv'",
    f"FROM '{ROOT}/data/support_requests_test.csv'",
)


def accuracies(con: duckdb.DuckDBPyConnection, base: str, seed: int) -> list[tuple[float, float]]:
    """Test accuracy, and the mean of the classes' recalls, of each way of training."""
    found = []
    for name, option in WAYS.items():
        con.execute(
            f"FROM fine_tune('measured', issues, text, label, base := $1, seed := $2{option})",
            [base, seed],
        ).fetchall()
        rows = con.execute("""
            SELECT avg(is_right::INT), count(*) FROM (
                SELECT label, llm_classify(text, model := 'measured') = label AS is_right FROM test
            ) GROUP BY label
        """).fetchall()
        con.execute("FROM drop_model('measured')").fetchall()
        recalls, counts = np.array(rows, dtype=float).T
        found.append((float(np.average(recalls, weights=counts)), float(recalls.mean())))
        print(base, seed, name, found[-1], flush=True)
    return found


def main(bases: list[str], seeds: int) -> None:
    """Train all, and write down the table."""
    lines = ["| data | base | " + " | ".join(WAYS) + " |", "|---|---|" + "---|" * len(WAYS)]
    for data, (train, test) in {**TABLES, "sample": SAMPLE}.items():
        with sqlfuncs.connect() as con:
            con.execute(f"""
                CREATE TABLE train AS {train};
                CREATE TABLE test AS FROM ({test}) WHERE text NOT IN (SELECT text FROM train);
                CREATE TABLE issues AS FROM label_issues(train, text, label);
            """)
            for base in bases:
                found = np.mean([accuracies(con, base, seed) for seed in range(seeds)], axis=0)
                cells = (f"{accuracy:.3f} ({recall:.3f})" for accuracy, recall in found)
                lines.append(f"| {data} | `{base}` | {' | '.join(cells)} |")
    runs = f"Seeds 0 to {seeds - 1}" if seeds > 1 else "One seed"
    write("quality training", "\n".join([*lines, "", f"{runs}. {circumstances()}"]))


if __name__ == "__main__":
    main(
        sys.argv[1].split(",") if len(sys.argv) > 1 else ["fast", "minilm"],
        int(sys.argv[2]) if len(sys.argv) > 2 else 2,
    )
