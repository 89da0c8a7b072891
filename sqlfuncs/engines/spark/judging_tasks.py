"""The tasks of `judging`: what workers do with batches of rows. Each is found by its name there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa

from sqlfuncs import wording
from sqlfuncs.engines.spark.artifacts import Artifact
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.engines.spark.labels import labels_of
from sqlfuncs.learning.detection.copies_rule import CopiesRule
from sqlfuncs.learning.detection.judge import Judge
from sqlfuncs.learning.encoders import encoders
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import Floats
from sqlfuncs.learning.tasks.base import Options
from sqlfuncs.learning.tasks.class_prediction import ClassPrediction
from sqlfuncs.learning.tasks.sampled_judge import Sampling, learn, refuse_few
from sqlfuncs.store import stores
from sqlfuncs.store.base import Vector
from sqlfuncs.store.held_vectors import HeldVectors
from sqlfuncs.store.manifests import ModelRecord

RECORD = "record"  # the name of the file that has the record of what was learned
_PROBABILITIES = 2_000_000  # that a worker holds at a time
_Batches = Iterator[pa.RecordBatch]


@dataclass(frozen=True)
class Drawing:
    """The rows of each batch that are drawn."""

    sampling: Sampling

    def __call__(self, batches: _Batches) -> _Batches:
        """The rows that are drawn."""
        for batch in batches:
            x, label = batch.columns
            rows = registry.read(x)
            chosen = pa.array(self.sampling.drawn(rows, labels_of(label, "label")))
            columns = [x.filter(chosen), label.filter(chosen)]
            nothing = pa.nulls(len(columns[0]), pa.binary())
            yield pa.RecordBatch.from_arrays([*columns, nothing], ["x", "label", "vector"])


@dataclass(frozen=True)
class Reading:
    """What encoders say of sampled texts: the vectors of all of them, one after the other."""

    model: str
    keeps: bool

    def __call__(self, batches: _Batches) -> _Batches:
        """The same rows with their vectors."""
        by = encoders.for_model(self.model)
        for batch in batches:
            texts = batch.column(0).to_pylist()
            with _vectors(self.keeps):
                said = [encoders.encode(each, texts) for each in by]
            dense = np.hstack(said) if said and texts else np.zeros((len(texts), 0), np.float32)
            vectors = pa.array([row.tobytes() for row in dense], pa.binary())
            yield pa.RecordBatch.from_arrays(
                [*batch.columns[:2], vectors], ["x", "label", "vector"]
            )


@dataclass(frozen=True)
class Learning:
    """A judge of all sampled rows, as its record and its files."""

    sampling: Sampling
    options: Options

    def __call__(self, batches: _Batches) -> _Batches:
        """One file of the judge after the other."""
        held = [batch for batch in batches if batch.num_rows]
        if not held:
            refuse_few(())
        table = pa.Table.from_batches(held).combine_chunks()
        x, label, vector = (column.chunk(0) for column in table.columns)
        with wording.speaking(DIALECT), stores.keeping_vectors(self._held(x, vector)):
            judge, copies = learn(x, labels_of(label, "label"), self.sampling, self.options)
        record = ModelRecord(
            name=self.options.judge or "judge",
            base="judge of " + self.options.model,
            job_id="",
            kind=judge.reads,
            classes=judge.classes,
            rows=judge.rows,
            cv_accuracy=judge.agreement,
            seconds=0.0,
            fingerprint="",
            created_at=0.0,
        )
        files = {RECORD: json.dumps(asdict(record)).encode(), **judge.to_files()}
        if copies is not None:
            files |= copies.to_files()
        yield pa.RecordBatch.from_pydict({"name": [*files], "content": [*files.values()]})

    def _held(self, x: pa.Array, vector: pa.Array) -> HeldVectors:
        """The vectors that came with the texts, as what the encoders would say."""
        if vector.null_count:
            return HeldVectors()
        found: dict[tuple[str, str], Vector] = {}
        texts = x.to_pylist()
        dense = np.frombuffer(b"".join(vector.to_pylist()), np.float32).reshape(len(texts), -1)
        at = 0
        for by in encoders.for_model(self.options.model):
            width = len(encoders.encode(by, texts[:1])[0])
            part = dense[:, at : at + width]
            found |= {(by.key, text): row for text, row in zip(texts, part, strict=True)}
            at += width
        return HeldVectors(found)


@dataclass(frozen=True)
class Judging:
    """All columns of a batch and `own`: of those of label_issues, and of how certain that is."""

    x: str
    label: str
    record: ModelRecord
    files: Artifact
    own: pa.Schema
    keeps: bool
    counted: str = ""  # a column: how many rows of each row's content have which label

    def __call__(self, batches: _Batches) -> _Batches:
        """The same rows with more columns."""
        files = self.files.files()
        judge = Judge.from_files(self.record, files)
        copies = CopiesRule.from_files(files) if self.counted else None
        step = max(1, _PROBABILITIES // len(judge.classes))
        for batch in batches:
            for at in range(0, batch.num_rows, step):
                part = batch.slice(at, step)
                with wording.speaking(DIALECT), _vectors(self.keeps):
                    columns = self._said(judge, copies, part)
                kept = [name for name in part.schema.names if name != self.counted]
                yield pa.RecordBatch.from_arrays(
                    [*map(part.column, kept), *columns], [*kept, *self.own.names]
                )

    def _said(
        self, judge: Judge, copies: CopiesRule | None, part: pa.RecordBatch
    ) -> list[pa.Array]:
        x, labels = part.column(self.x), labels_of(part.column(self.label), self.label)
        counts = None
        if copies is not None:
            counts = _counts(part.column(self.counted), judge.classes, self.label)
        judged, found = judge.judge(x, labels, copies, counts)
        rule = judge.rule if copies is None else copies.rule
        prediction = ClassPrediction(judged, found, rule.cut)
        columns = prediction.issues()
        if not columns.keys() >= {*self.own.names}:
            columns = {**columns, **prediction.certainty(rule.usual)}
        return [_as_type(columns[field.name], field.type) for field in self.own]


def _counts(counted: pa.MapArray, classes: Sequence[str], name: str) -> Floats:
    """Maps of labels to numbers of rows as a matrix: (rows, classes)."""
    counts = np.zeros((len(counted), len(classes)))
    has = np.asarray(counted.is_valid())
    present = counted.filter(pa.array(has))
    # A slice shares its parent's keys; only those between its own offsets are its own.
    offsets = present.offsets.to_numpy()
    own = slice(offsets[0], offsets[-1])
    rows = np.repeat(np.flatnonzero(has), np.diff(offsets))
    codes = labels_of(present.keys[own], name).codes(tuple(classes))
    known = codes >= 0
    np.add.at(counts, (rows[known], codes[known]), present.items[own].to_numpy()[known])
    return counts


def _as_type(column: pa.Array, of: pa.DataType) -> pa.Array:
    """A column as the type that was promised; names of classes as the labels that they are."""
    if pa.types.is_dictionary(column.type):
        return column.dictionary.cast(of).take(column.indices)
    return column.cast(of)


def _vectors(keeps: bool) -> AbstractContextManager[None]:
    """Vectors of texts are kept in the home of the workers, or not at all.

    On a cluster that is a disk each, or one that many share, for which its file is not made.
    """
    return nullcontext() if keeps else stores.keeping_vectors(HeldVectors())
