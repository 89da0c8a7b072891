"""The experiment of the blog post: `queries/politeness_experiment.sql` on the blog's own texts.

    SQLFUNCS_DATA=... python -m benchmarks.experiment [BASES]

Reviewed labels are the plurality of five annotators, which is what the blog post trained on.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

from benchmarks.detection import DATA
from benchmarks.pages import circumstances, write
from sqlfuncs.store import models


def main(bases: str) -> None:
    """Run the query file and write down what it prints."""
    with tempfile.TemporaryDirectory() as empty:
        database = Path(empty) / "blog.duckdb"
        with duckdb.connect(str(database)) as con:
            con.execute(f"""
                CREATE TABLE test AS
                SELECT prompt AS text, completion AS label FROM '{DATA}/blog_test.csv';
                CREATE TABLE train AS
                SELECT g.prompt AS text, g.completion AS label, r.completion AS true_label
                FROM '{DATA}/blog_train.csv' AS g
                POSITIONAL JOIN '{DATA}/blog_train_consensus.csv' AS r
            """)
        for name in {record.name for record in models.records()}:
            if name.startswith("experiment "):
                models.drop(name)  # of an earlier run: it would be taken as it is
        done = subprocess.run(
            [
                *(sys.executable, "-m", "sqlfuncs.cli", "run", "politeness_experiment"),
                *("--db", str(database), "--format", "markdown", f"bases={bases}"),
            ],
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
    write("experiment", "\n".join([done.stdout.strip(), "", circumstances()]))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "fast,minilm,smollm2")
