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
from sqlfuncs.engines.spark import calls, frames, running
from sqlfuncs.engines.spark.artifacts import artifact
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.engines.spark.judging_tasks import RECORD, Drawing, Judging, Learning, Reading
from sqlfuncs.engines.spark.labels import labels_of
from sqlfuncs.engines.spark.signatures import signature
from sqlfuncs.errors import BadInput
from sqlfuncs.learning.detection import judges
from sqlfuncs.learning.detection.judge import Judge
from sqlfuncs.learning.models import shares
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.tasks.base import Options
from sqlfuncs.learning.tasks.sampled_judge import Sampling
from sqlfuncs.store import stores
from sqlfuncs.store.manifests import ModelRecord

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MOST_NUMBERS = 40_000_000  # of the vectors that are learned from: 160 MB


def label_issues(df: DataFrame, call: Call, own: pa.Schema) -> DataFrame:
    """All columns of a table and those of label_issues, `own`; lazily."""
    x, label = call.columns["x"], call.columns["label"]
    assert isinstance(label, str)
    counts = counts_of(df, label)
    rows = sum(counts.values())
    if not rows and not running.collected(df.select(DIALECT.identifier(label)).limit(1)).num_rows:
        frames.refuse_empty(call)
    whole = compared(call)
    if rows <= (frames.MOST_ROWS if whole else shares.SAMPLE_ROWS):
        return frames.in_one_task(df, _kept_here(df, call), own)
    if whole or not isinstance(x, str):
        raise BadInput(
            f"{whole or 'x'} is read with all rows of a table at once, and {rows:,} are too "
            f"many for one process. Draw {frames.MOST_ROWS:,} rows or fewer at random."
        )
    options = Options(**dict(call.options))  # type: ignore[arg-type]
    record, files = _learned(df, x, label, counts, options)
    if options.judge is not None:
        judge = Judge.from_files(record, files)
        judges.keep(options.judge, judge, model=options.model, kind=record.kind, seconds=0.0)
    return judged(df, x, label, record, files, own)


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
    return judged(frame, str(named["x"]), str(named["label"]), record, files, own)


def _kept_here(df: DataFrame, call: Call) -> Call:
    """A call that keeps no judge, after it was kept in the driver's home: a task has another."""
    if "judge" not in call.options:
        return call
    call.rows(running.collected(df.select(*map(DIALECT.identifier, call.read))))
    options = {name: value for name, value in call.options.items() if name != "judge"}
    return replace(call, options=options)


def judged(
    df: DataFrame,
    x: str,
    label: str,
    record: ModelRecord,
    files: Mapping[str, bytes],
    own: pa.Schema,
) -> DataFrame:
    """All columns of a table and what a judge says of each row by itself."""
    from pyspark.sql.pandas.types import from_arrow_type
    from pyspark.sql.types import StructField, StructType

    added = [StructField(field.name, from_arrow_type(field.type)) for field in own]
    keeps = running.is_on_this_machine(df.sparkSession)
    run = Judging(x, label, record, artifact(df.sparkSession, files), own, keeps)
    return frames.in_batches(df, run, StructType([*df.schema.fields, *added]))


def counts_of(df: DataFrame, label: str) -> dict[str, int]:
    """How many rows each label has, by its text. Rows without one are not counted."""
    quoted = DIALECT.identifier(label)
    table = running.collected(df.groupBy(quoted).count())
    known = labels_of(table.column(0).combine_chunks(), label)
    counts: dict[str, int] = {}
    for text, count in zip(known.texts.to_pylist(), table.column(1).to_pylist(), strict=True):
        if text is not None:
            counts[text] = counts.get(text, 0) + count
    return counts


def compared(call: Call) -> str:
    """What was given that is learned from a whole table, or compares its rows; "" if nothing."""
    columns = [name for name in ("votes", "annotator", "key") if call.columns.get(name) is not None]
    options = [name for name in ("false_flags", "risk") if call.options.get(name) is not None]
    return next(iter(columns + options), "")


def _learned(
    df: DataFrame, x: str, label: str, counts: Mapping[str, int], options: Options
) -> tuple[ModelRecord, dict[str, bytes]]:
    """A judge, as a record and files, learned in a task from a sample of the table."""
    width = width_of(df, x)
    most = min(shares.SAMPLE_ROWS, MOST_NUMBERS // max(1, width))
    drawn, sampling = _drawn(df, x, label, counts, options.seed, most)
    work.say(
        f"label_issues learns from {min(most, sampling.rows):,} of {sampling.rows:,} rows, drawn "
        "by a hash of their content, and judges all"
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
