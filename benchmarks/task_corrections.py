"""Whether `auto_corrections` betters labels of each kind, after sixty rows that people reviewed.

Run by `benchmarks.tasks`, on the tables of the other kinds. All of it is SQL as users write it: 60
rows of `review_queue(..., purpose := 'verify')` are answered by the true labels, what
`auto_corrections` then releases is applied, and `evaluate` is asked before and after. The rows
that were reviewed count in neither, so that what people mended is not the machine's merit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

import sqlfuncs
from benchmarks import task_numbers, task_tags, task_words
from benchmarks.pages import circumstances, write

SEEDS, ROWS = range(100, 105), 1_500  # of each table, drawn for each seed
REVIEWED = 60


@dataclass(frozen=True)
class Kind:
    """Labels of a kind: their `type` in SQL, `task`, what `evaluate` says of them, and `better`.

    `better` is 1 where more of it is better, and -1 where less is.
    """

    type: str
    task: str
    figure: str
    better: int


TAGS = Kind("VARCHAR[]", "multilabel", "micro_f1", 1)
NUMBERS = Kind("DOUBLE", "regression", "mae", -1)
WORDS = Kind("VARCHAR[]", "token_classification", "f1", 1)


def tables(folder: Path, seed: int) -> Iterator[tuple[str, Kind, pd.DataFrame]]:
    """Tables with the columns x, label and true_label."""
    for corpus in task_numbers.CORPORA:
        texts, given, others = task_numbers.one_of_five(folder, corpus, seed)
        rows = pd.DataFrame({"x": texts, "label": given, "true_label": others})
        yield f"politeness' scores, {corpus}", NUMBERS, rows
    frame, _, true = task_tags.table(folder, seed)
    right = [[f"t{tag:02}" for tag in np.flatnonzero(row)] for row in true]
    rows = pd.DataFrame({"x": frame["text"], "label": frame["label"], "true_label": right})
    yield "tags, GoEmotions", TAGS, rows
    yield "tags, GoEmotions, true ones", TAGS, rows.assign(label=rows["true_label"])
    words, clean, noisy = task_words.corpus(folder)
    for kind in task_words.JUDGED:
        rows = pd.DataFrame({"x": words, "label": noisy[kind], "true_label": clean})
        yield f"words, {kind}", WORDS, rows


def measure(kind: Kind, rows: pd.DataFrame, seed: int) -> tuple[int, float, float]:
    """How many rows were released, and what `evaluate` says of the labels before and after."""
    some = rows.sample(min(ROWS, len(rows)), random_state=seed).reset_index(drop=True)
    x = "VARCHAR[]" if kind is WORDS else "VARCHAR"
    task = f"task := '{kind.task}'"
    with sqlfuncs.connect() as con:
        con.register("drawn", some.assign(id=range(len(some))))
        con.execute(
            f"CREATE TABLE t AS SELECT id, x::{x} AS x, label::{kind.type} AS label, "
            f"true_label::{kind.type} AS true_label FROM drawn"
        )
        con.execute(f"CREATE TABLE issues AS FROM label_issues(t, x, label, {task})")
        con.execute(
            "CREATE TABLE log AS SELECT id AS key, if(label = true_label, 'keep', 'relabel') AS "
            "action, label::VARCHAR AS old_label, if(label = true_label, NULL, "
            "true_label)::VARCHAR AS new_label, 'a person' AS decided_by, NULL::VARCHAR AS reason, "
            "TIMESTAMP '2026-01-01' AS decided_at FROM "
            f"review_queue(t, x, label, id, purpose := 'verify', budget := {REVIEWED}, {task})"
        )
        con.execute(
            f"CREATE TABLE found AS FROM auto_corrections(issues, id, label, log := log, {task})"
        )
        con.execute("CREATE TABLE mended AS FROM apply_corrections(t, found, id, label)")
        released = con.execute("SELECT count(*) FROM found").fetchone()
        assert released is not None
        return int(released[0]), _figure(con, kind, "t"), _figure(con, kind, "mended")


def _figure(con: duckdb.DuckDBPyConnection, kind: Kind, table: str) -> float:
    """What `evaluate` says of the labels of a table, without the rows that were reviewed."""
    con.execute(
        f"CREATE OR REPLACE TABLE others AS FROM {table} WHERE id::VARCHAR NOT IN "
        "(SELECT key::VARCHAR FROM log)"
    )
    said = con.execute(
        f"SELECT {kind.figure} FROM evaluate(others, true_label, label, task := '{kind.task}')"
    ).fetchone()
    assert said is not None
    return float(said[0])


def main() -> None:
    """Print and write down how often labels became better, and worse, in the seeds."""
    folder = os.environ.get("SQLFUNCS_BENCH")
    if folder is None:
        print("Corrections are left out: SQLFUNCS_BENCH names no folder.")
        return
    found: dict[str, tuple[Kind, list[tuple[int, float, float]]]] = {}
    for seed in SEEDS:
        for name, kind, rows in tables(Path(folder), seed):
            found.setdefault(name, (kind, []))[1].append(measure(kind, rows, seed))
            print(seed, name, found[name][1][-1], flush=True)
    lines = [
        f"| {len(SEEDS)} draws of {ROWS:,} rows, {REVIEWED} reviewed | of | given | after "
        "| released in | worse in | at the worst |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, (kind, runs) in found.items():
        released, before, after = np.array(runs).T
        gain = kind.better * (after - before) + 0.0  # no minus before a zero
        lines.append(
            f"| {name} | {kind.figure} | {before.mean():.3f} | {after.mean():.3f} | "
            f"{(released > 0).sum()} | {(gain < 0).sum()} | {gain.min():+.3f} |"
        )
    write("task corrections", "\n".join([*lines, "", circumstances()]))
