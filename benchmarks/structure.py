"""How the code hangs together, counted; no data and no engine are needed.

    python -m benchmarks.structure

Writes into docs/benchmarks.md how many modules import each other in a circle (imports inside
functions count), the questions outside of `learning/rows/` of what kind rows are, the texts that
speak an engine's dialect in rooms that know none, the files that know a kind of row (what a new
kind touches), and the lines of the package.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from benchmarks.pages import write
from sqlfuncs.learning.rows import registry
from tests.test_dialect import dialect_outside
from tests.test_imports import MODULES, PACKAGE, asking_for_kinds_of_rows, imports


def circles() -> int:
    """How many modules are reached again by what they import."""
    graph = imports()
    place = {module: at for at, module in enumerate(graph)}
    pairs = [(place[one], place[other]) for one in graph for other in graph[one]]
    ones, others = zip(*pairs, strict=True)
    matrix = csr_array(([1] * len(pairs), (ones, others)), shape=(len(graph), len(graph)))
    _, group = connected_components(matrix, directed=True, connection="strong")
    return int((np.bincount(group)[group] > 1).sum())


def files_of_a_kind() -> dict[str, int]:
    """Of each kind of row: its file, and those that import it."""
    graph = imports()
    return {
        kind.__name__: 1 + sum(kind.__module__ in imported for imported in graph.values())
        for kind in registry.kinds()
    }


def lines() -> int:
    """Of Python and SQL in the package."""
    files = [file for end in ("py", "sql") for file in PACKAGE.rglob(f"*.{end}")]
    return sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)


def main() -> None:
    """Write the counts into the page."""
    rows = {
        "modules": len(MODULES),
        "of these in import circles": circles(),
        "questions of what kind rows are, outside their room": len(asking_for_kinds_of_rows()),
        "texts in an engine's dialect, outside the rooms that know one": len(dialect_outside()),
        **{f"files that know `{kind}`": files for kind, files in files_of_a_kind().items()},
        "lines of Python and SQL": f"{lines():,}",
    }
    write(
        "structure", "\n".join(["| | |", "|---|---|", *(f"| {k} | {v} |" for k, v in rows.items())])
    )


if __name__ == "__main__":
    main()
