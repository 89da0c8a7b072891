"""label_issues on tables of any size: learned from a sample, judged row by row in one pass.

    count    the rows of each label                                 a scan of one column
    draw     by a hash of each row's content, so that neither order nor partitions matter
    read     what encoders say of the sampled texts                 spread over all workers
    learn    features, heads of every fold, pool, noise             one task, of bounded size
    judge    each row by the heads that did not see its content     one pass, without a shuffle

A table that is no larger than the sample is computed in one task, with the bits of DuckDB.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from sqlfuncs import wording, work
from sqlfuncs.engines.duckdb.embedded_calls import Named
from sqlfuncs.engines.spark import calls, copied, frames, given_labels, running
from sqlfuncs.engines.spark.artifacts import artifact
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.decisions import LOG
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.engines.spark.given_labels import GivenLabels
from sqlfuncs.engines.spark.judging_tasks import RECORD, Drawing, Judging, Learning, Reading
from sqlfuncs.engines.spark.signatures import signature
from sqlfuncs.errors import BadInput
from sqlfuncs.learning.detection import judges
from sqlfuncs.learning.detection.copies_rule import CopiesRule
from sqlfuncs.learning.detection.judge import Judge
from sqlfuncs.learning.models import shares
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.tasks.base import Options, Task
from sqlfuncs.learning.tasks.sampled_judge import Sampling, refuse_few
from sqlfuncs.store import stores
from sqlfuncs.store.manifests import ModelRecord

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MOST_NUMBERS = 25_000_000  # of the vectors that are learned from: 100 MB
_FEW = 5_000  # rows: however long they are, a process holds them


def label_issues(df: DataFrame, call: Call, own: pa.Schema) -> DataFrame:
    """All columns of a table and those of label_issues, `own`; lazily."""
    labels = given_labels.read(df, call)
    most = frames.MOST_ROWS
    if not compared(call, labels.task):
        most = sample_size(df, call.columns["x"], labels.rows)
    if is_held(df, call, labels, most):
        return frames.in_one_task(df, _kept_here(df, call), own)
    record, files = learned(df, call, labels.counts)
    if "judge" in call.options:
        judge, options = Judge.from_files(record, files), options_of(call)
        assert options.judge is not None
        judges.keep(options.judge, judge, model=options.model, kind=record.kind, seconds=0.0)
    return judged(df, call, record, files, own)


def is_held(df: DataFrame, call: Call, labels: GivenLabels, most: int) -> bool:
    """Whether a table is judged as a whole, in one process: if it has up to `most` rows, or has to.

    Raises what the function says of a table without rows, NoUsableRows and TooFewClasses by its
    labels, and BadInput for one that has to and is larger than a process holds.
    """
    if not labels.rows:
        frames.refuse_empty(call)
    is_of_classes = labels.task.judges_from_sample
    if is_of_classes and LOG not in call.tables and len(labels.counts) < 2:  # else there may be
        some = df.select(*map(frames.column, call.read)).limit(_FEW)
        call.rows(running.collected(some))  # says so in the function's words
        refuse_few([*labels.counts])
    whole = compared(call, labels.task)
    if whole and labels.rows > frames.MOST_ROWS:
        raise BadInput(
            f"{call.signature.name} reads all rows of a table at once for {whole}, and "
            f"{labels.rows:,} are too many for one process. Draw {frames.MOST_ROWS:,} rows or "
            "fewer at random."
        )
    return labels.rows <= most or bool(whole)


def judge_labels(df: object, x: str, label: str, *, judge: str) -> DataFrame:
    """All columns of a table, and what a judge that is kept says of each row by itself.

    As label_issues, whose option `judge` keeps one; nothing is learned. The judge goes along.
    """
    with wording.speaking(DIALECT):
        frame = frames.as_frame(df)
        there = frame.columns
        named = calls.columns(signature("label_issues"), {"x": x, "label": label}, there)
        read = frames.schema_of(frame, [str(named["x"]), str(named["label"])])
        own = Call(signature("label_issues"), named).refuse_mistakes(there, read)
        judges.get(judge)  # that there is one, and that it is a judge
        record, files = stores.models().load(judge)
    return judged(frame, Call(signature("label_issues"), named), record, files, own)


def _kept_here(df: DataFrame, call: Call) -> Call:
    """A call that keeps no judge, after it was kept in the driver's home: a task has another."""
    if "judge" not in call.options:
        return call
    call.rows(running.collected(df.select(*map(DIALECT.identifier, call.read))))
    options = {name: value for name, value in call.options.items() if name != "judge"}
    return replace(call, options=options)


def judged(
    df: DataFrame, call: Call, record: ModelRecord, files: Mapping[str, bytes], own: pa.Schema
) -> DataFrame:
    """All columns of a table and what a judge says of each row by itself, `own` of it.

    Where its sample held copies, the labels of the copies of each row are counted before.
    """
    from pyspark.sql.pandas.types import from_arrow_type
    from pyspark.sql.types import StructField, StructType

    added = [StructField(field.name, from_arrow_type(field.type)) for field in own]
    keeps = running.is_on_this_machine(df.sparkSession)
    x, label = str(call.columns["x"]), str(call.columns["label"])
    schema, counted = StructType([*df.schema.fields, *added]), ""
    if CopiesRule.from_files(files) is not None:
        (counted,) = frames.free_names([*df.columns, *own.names], "copies")
        df = copied.counted(df, x, label, counted)
    run = Judging(x, label, record, artifact(df.sparkSession, files), own, keeps, counted)
    return frames.in_batches(df, run, schema)


def compared(call: Call, task: type[Task]) -> str:
    """What was given that is learned from a whole table, or compares its rows; "" if nothing."""
    columns = [name for name in ("votes", "annotator", "key") if call.columns.get(name) is not None]
    of_all = ("false_flags", "risk", "ordered")
    options = [name for name in of_all if call.options.get(name) is not None]
    labels = [] if task.judges_from_sample else [f"labels of this kind ({task.name})"]
    return next(iter(columns + options + labels), "")


def sample_size(df: DataFrame, x: Named, rows: int) -> int:
    """How many rows of a table a judge is learned from: fewer where they are long vectors."""
    if rows <= _FEW or not isinstance(x, str):
        return shares.SAMPLE_ROWS
    if not pa.types.is_list(frames.schema_of(df, [x]).field(x).type):
        return shares.SAMPLE_ROWS
    return most_learned(width_of(df, x))


def most_learned(width: int) -> int:
    """Of rows that are vectors of so many numbers; 0: of others."""
    return min(shares.SAMPLE_ROWS, MOST_NUMBERS // max(1, width))


def options_of(call: Call) -> Options:
    """The options of a call that label_issues has."""
    known = signature("label_issues").options.keys() - {"task"}
    given = {name: value for name, value in call.options.items() if name in known}
    return Options(**given)  # type: ignore[arg-type]


def learned(
    df: DataFrame, call: Call, counts: Mapping[str, int]
) -> tuple[ModelRecord, dict[str, bytes]]:
    """A judge, as a record and files, learned in a task from a sample of the table.

    Raises BadInput before a job is run.
    """
    x, label, options = call.columns["x"], str(call.columns["label"]), options_of(call)
    if not isinstance(x, str):
        raise BadInput("x is read with all rows of a table at once where it is several columns.")
    width = width_of(df, x)
    most = most_learned(width)
    drawn, sampling = _drawn(df, x, label, counts, options.seed, most)
    work.say(
        f"{call.signature.name} learns from {min(most, sampling.rows):,} of {sampling.rows:,} "
        "rows, drawn by a hash of their content, and judges all"
    )
    if not width:
        reading = Reading(options.model, running.is_on_this_machine(df.sparkSession))
        drawn = drawn.mapInArrow(reading, drawn.schema)
    learning = Learning(sampling, options)
    files = running.collected(
        drawn.repartition(1).mapInArrow(learning, "name string, content binary")
    )
    by_name = dict(zip(*(files.column(at).to_pylist() for at in (0, 1)), strict=True))
    record = ModelRecord(**json.loads(by_name.pop(RECORD)))
    return record, by_name


def drawn(
    df: DataFrame, call: Call, counts: Mapping[str, int], *, most: int, rare: bool
) -> DataFrame:
    """About `most` rows of a table, x and label, drawn by a hash of their content.

    Where they are not `rare` to be drawn more densely, all classes are as common as in the table.
    """
    seed = int(str(call.options.get("seed", 0)))
    known = counts if rare else {label: sum(counts.values()) for label in counts}
    x, label = str(call.columns["x"]), str(call.columns["label"])
    return _drawn(df, x, label, known, seed, most, rows=sum(counts.values()))[0]


def _drawn(
    df: DataFrame,
    x: str,
    label: str,
    counts: Mapping[str, int],
    seed: int,
    most: int,
    rows: int | None = None,
) -> tuple[DataFrame, Sampling]:
    sampling = Sampling(dict(counts), sum(counts.values()) if rows is None else rows, seed, most)
    fields = {field.name: field.dataType for field in df.schema.fields}
    types = f"x {fields[x].simpleString()}, label {fields[label].simpleString()}"
    chosen = df.select(DIALECT.identifier(x), DIALECT.identifier(label)).toDF("x", "label")
    return chosen.mapInArrow(Drawing(sampling), f"{types}, vector binary"), sampling


def width_of(df: DataFrame, x: str) -> int:
    """How many numbers an embedding has; 0 of texts. Raises BadInput for rows of other kinds."""
    some = (
        running.collected(
            df.select(DIALECT.identifier(x))
            .where(f"{DIALECT.identifier(x)} IS NOT NULL")
            .limit(200)
        )
        .column(0)
        .combine_chunks()
    )
    kind = registry.kind_of(some)
    if not kind.can_be_trained_on:
        raise BadInput(
            f"x is {kind.called}, and tables of more than {shares.SAMPLE_ROWS:,} rows are judged "
            "where it is texts or embeddings."
        )
    vectors = kind.read(some).embeddings
    return 0 if vectors is None else int(vectors.shape[1])
