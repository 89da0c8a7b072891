"""`sqlfuncs demo`: the whole loop, query file by query file, on one DuckDB file."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from sqlfuncs import datasets, work
from sqlfuncs.cli import show, statements
from sqlfuncs.cli.run import opened, ready, rendered
from sqlfuncs.datasets import Dataset
from sqlfuncs.queries import files
from sqlfuncs.visible import visible

TRAINED_ON = {
    "given": "train",
    "pruned": "pruned",
    "auto_corrected": "corrected",
    "reviewed": "reviewed",
}


@dataclass(frozen=True)
class Step:
    """A query file and the parameters it is run with."""

    query: str
    given: dict[str, str]


@click.command("demo")
@click.option("--data", "folder", help="The folder of the politeness files (or SQLFUNCS_DATA).")
@click.option("--db", help="The DuckDB file to make; default: demo_politeness.duckdb.")
def command(folder: str | None, db: str | None) -> None:
    """Find wrong labels, correct them, train before and after, and show the gain."""
    data = datasets.find(folder)
    print(f"Data: {data.title}\n      {data.why}.", file=sys.stderr)
    file = Path(db or f"demo_{data.name}.duckdb")
    begun = time.perf_counter()
    with opened(str(file)) as con:
        for step in steps(data):
            query = files.find(step.query)
            show.heading(f"{query.title}  ({query.name}.sql) - {query.answers}")
            sql = rendered(query, step.given)
            show.sql(sql)
            for result in statements.run(con, ready(con, query, sql)):
                if result.columns:
                    show.result(result.columns, result.rows, "table")
                print(f"{result.seconds:.1f} s", file=sys.stderr)
    work.say(f"the whole loop took {time.perf_counter() - begun:.0f} s")
    print(visible(_next_commands(data, file)))


def steps(data: Dataset) -> Iterator[Step]:
    """The query files of the loop, in order, for a data set."""
    numbered = {"number_rows": data.key} if data.numbered else {}
    columns = {"text": data.text, "label": data.label}
    keyed = {"key": data.key, "label": data.label}
    yield Step("load", {"file": str(data.train), "table": "train", **numbered})
    yield Step("load", {"file": str(data.answers), "table": "answers", **numbered})
    yield Step("load", {"file": str(data.test), "table": "test", **numbered})
    yield Step("detect", {"table": "train", **columns})
    yield Step("review_queue", {"text": data.text, **keyed})
    yield Step("verify", {**keyed, "answer": data.answer})
    yield Step("correct", keyed)
    yield Step("prune", {})
    yield Step("take_review", {**keyed, "answer": data.answer})
    for name, table in TRAINED_ON.items():
        yield Step("fine_tune", {"table": table, "name": f"{data.name}_{name}", **columns})
    yield Step("evaluate", {"model": f"{data.name}_reviewed", **columns})
    models = ",".join(f"{data.name}_{name}" for name in TRAINED_ON)
    yield Step("gain", {"models": models, **columns})


def _next_commands(data: Dataset, db: Path) -> str:
    file = shlex.quote(str(db))
    program = _program()
    return f"""
Everything is in {db}. Try next:
  {program} report {file} --log reviewed_decisions
  {program} run review_queue --db {file} text={data.text} label={data.label} budget=30
  {program} run evaluate --db {file} text={data.text} label={data.label} model={data.name}_given
  {program} run detect --db {file} text={data.text} label={data.label} cut=confident_learning --show
  {program} review {file} --table train --text {data.text} --label {data.label} --key {data.key}
On a CSV of your own, with columns text and label:
  {program} run load --db mine.duckdb file=mine.csv number_rows=id
  {program} run detect --db mine.duckdb text=text label=label
  {program} run review_queue --db mine.duckdb text=text label=label"""


def _program() -> str:
    """How this program is called from here: by its name, or by its path if that is not found."""
    if shutil.which("sqlfuncs"):
        return "sqlfuncs"
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return "python -m sqlfuncs.cli"
    with contextlib.suppress(ValueError):
        program = program.absolute().relative_to(Path.cwd())
    return shlex.quote(str(program))
