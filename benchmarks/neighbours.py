"""Outliers and near duplicates of 100,000 embeddings, beside cleanlab's Datalab.

    pip install 'sqlfuncs[bench]'    # Datalab needs datasets
    python -m benchmarks.neighbours

The vectors are clustered random ones with planted near duplicates and outliers (seed 0), and the
sentence embeddings of the bundled sample. Both sides run in one process, one after the other.
"""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.metrics import average_precision_score, roc_auc_score

import sqlfuncs
from benchmarks.pages import ROOT, circumstances, write
from sqlfuncs.learning.similarity.neighbours import nearest

Vectors = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
K = 10


@dataclass(frozen=True)
class Data:
    """Vectors of length 1, and which are planted: far away, or beside another one."""

    vectors: Vectors
    outlier: Flags
    duplicate: Flags


def planted(vectors: Vectors, random: np.random.Generator) -> Data:
    """Make 1 % of the rows foreign, and 2 % near copies of others."""
    count, dimensions = vectors.shape
    chosen = random.permutation(count)
    foreign, copies, originals = np.split(
        chosen[: 5 * count // 100], [count // 100, count * 3 // 100]
    )
    vectors = vectors.copy()
    mean = vectors.mean(axis=0)
    vectors[foreign] = mean + random.standard_normal((len(foreign), dimensions)) * vectors.std(
        axis=0
    )
    vectors[copies] = vectors[originals] + 0.02 * vectors.std() * random.standard_normal(
        (len(copies), dimensions)
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    outlier, duplicate = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    outlier[foreign] = True
    duplicate[copies] = duplicate[originals] = True
    return Data(vectors.astype(np.float32), outlier, duplicate)


def clustered(random: np.random.Generator, count: int = 100_000, dimensions: int = 384) -> Vectors:
    """Vectors around 500 centres."""
    centres = random.standard_normal((500, dimensions))
    noise = random.standard_normal((count, dimensions), dtype=np.float32)
    return (centres[random.integers(500, size=count)] + noise).astype(np.float32)


def of_the_sample(con: Any) -> Vectors:
    """The sentence embeddings of the bundled sample."""
    rows = con.execute(f"SELECT embed(text) FROM '{ROOT}/data/support_requests.csv'").fetchnumpy()
    return np.stack(next(iter(rows.values())))


def timed(call: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds of the wall and of all cores, and the result."""
    wall, cores = time.perf_counter(), time.process_time()
    result = call()
    return time.perf_counter() - wall, time.process_time() - cores, result


def ours(con: Any) -> dict[str, npt.NDArray[Any]]:
    """Both functions, as a user calls them."""
    found: dict[str, npt.NDArray[Any]] = {}
    for function, columns in (
        ("outliers", "outlier_score, is_outlier"),
        ("near_duplicates", "near_duplicate_score, near_duplicate_group IS NOT NULL AS is_near"),
    ):
        found |= con.execute(f"SELECT {columns} FROM {function}(points, x)").fetchnumpy()
    return found


def theirs(vectors: Vectors) -> Any:
    """Cleanlab's Datalab on the same vectors."""
    with contextlib.redirect_stdout(io.StringIO()):
        from cleanlab import Datalab

        lab = Datalab({"row": list(range(len(vectors)))})
        lab.find_issues(
            features=vectors, issue_types={"outlier": {"k": K}, "near_duplicate": {"k": K}}
        )
    return lab.get_issues()


def recall(vectors: Vectors) -> float:
    """The share of 1,000 rows' true neighbours that the index finds."""
    rows = np.arange(0, len(vectors), max(1, len(vectors) // 1000))
    found = nearest(vectors, K).cosines[rows]
    true = np.stack([np.sort(np.delete(vectors @ vectors[row], row))[-K] for row in rows])
    return float((found >= true[:, None] - 1e-6).mean())


def table(name: str, data: Data) -> str:
    """A Markdown table of one data set."""
    with sqlfuncs.connect() as con:
        arrays = pa.FixedSizeListArray.from_arrays(
            pa.array(data.vectors.ravel()), data.vectors.shape[1]
        )
        con.register("arrays", pa.table({"x": arrays}))
        con.execute("CREATE TABLE points AS FROM arrays")
        mine_wall, mine_cores, mine = timed(lambda: ours(con))
    their_wall, their_cores, lab = timed(lambda: theirs(data.vectors))

    def both(what: str, left: float, right: float) -> str:
        return f"| {what} | {left:.3f} | {right:.3f} |"

    def found(flags: npt.NDArray[Any], true: Flags) -> tuple[float, float]:
        return float(true[flags].mean()) if flags.any() else 0.0, float(flags[true].mean())

    lab_outlier = found(lab["is_outlier_issue"].to_numpy(), data.outlier)
    my_outlier = found(mine["is_outlier"], data.outlier)
    lab_near = found(lab["is_near_duplicate_issue"].to_numpy(), data.duplicate)
    my_near = found(mine["is_near"], data.duplicate)
    their_score, my_score = -lab["outlier_score"].to_numpy(), mine["outlier_score"]
    their_near, my_near_score = (
        -lab["near_duplicate_score"].to_numpy(),
        mine["near_duplicate_score"],
    )
    count, dimensions = data.vectors.shape
    return "\n".join(
        [
            f"| {name}: {count:,} x {dimensions} | Datalab | two statements |",
            "|---|---|---|",
            both(
                "AUROC of `outlier_score`",
                roc_auc_score(data.outlier, their_score),
                roc_auc_score(data.outlier, my_score),
            ),
            both("outliers: right among the flags", lab_outlier[0], my_outlier[0]),
            both("outliers: found of all", lab_outlier[1], my_outlier[1]),
            both(
                "average precision of `near_duplicate_score`",
                average_precision_score(data.duplicate, their_near),
                average_precision_score(data.duplicate, my_near_score),
            ),
            both("near duplicates: right among the flags", lab_near[0], my_near[0]),
            both("near duplicates: found of all", lab_near[1], my_near[1]),
            both(f"recall of the {K} neighbours", 1.0, recall(data.vectors)),
            f"| times as fast | 1 | {their_wall / mine_wall:.1f} |",
            f"| times as fast, in seconds of all cores | 1 | {their_cores / mine_cores:.1f} |",
        ]
    )


def main() -> None:
    """Measure both sets."""
    if find_spec("datasets") is None:
        sys.exit("cleanlab's Datalab needs more packages. Type: pip install 'sqlfuncs[bench]'")
    random = np.random.default_rng(0)
    with sqlfuncs.connect() as con:
        real = of_the_sample(con)
    tables = [
        table("clustered, planted", planted(clustered(random), random)),
        table("the sample, planted", planted(real, random)),
    ]
    write("neighbours", "\n\n".join([*tables, circumstances()]))


if __name__ == "__main__":
    main()
