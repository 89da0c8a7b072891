"""How long `fine_tune` takes with `fast` on the blog's texts, whose embeddings are cached.

SQLFUNCS_DATA=... python -m benchmarks.fast
"""

from __future__ import annotations

import time

import duckdb

import sqlfuncs
from benchmarks.detection import DATA
from benchmarks.pages import circumstances, write

REPEATS = 3


def seconds(con: duckdb.DuckDBPyConnection, base: str, seed: int) -> float:
    """Of one training through SQL, registering the model included."""
    begun = time.perf_counter()
    con.execute(
        "FROM fine_tune('timed', blog, prompt, completion, base := $1, seed := $2)", [base, seed]
    ).fetchall()
    took = time.perf_counter() - begun
    con.execute("FROM drop_model('timed')").fetchall()
    return took


def main() -> None:
    """Train once for the embeddings, and then time it."""
    with sqlfuncs.connect() as con:
        con.execute(f"CREATE TABLE blog AS FROM '{DATA}/blog_train_consensus.csv'")
        (rows,) = con.execute("SELECT count(*) FROM blog").fetchall()[0]
        seconds(con, "fast", 0)
        times = [seconds(con, "fast", seed) for seed in range(REPEATS)]
    text = (
        f"`fine_tune` with `base := 'fast'` on {rows:,} texts, embeddings cached: "
        f"{min(times):.1f} s ({', '.join(f'{each:.2f}' for each in times)})."
    )
    write("fast", "\n".join([text, "", circumstances()]))


if __name__ == "__main__":
    main()
