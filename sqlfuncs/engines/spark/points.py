"""Rows that are compared: what each is, by itself; and some of them, drawn to learn from.

A point is what rows share that are the same where they are compared: texts but for capitals, spaces
and punctuation, embeddings but for their lengths. It is known by a digest, on every worker alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs import wording
from sqlfuncs.engines.spark import frames, running
from sqlfuncs.engines.spark.binary_columns import as_binary, digests_of, vectors_of
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.errors import NoUsableRows
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import Rows, describe_counted, is_usable
from sqlfuncs.learning.rows.embedding import size_among
from sqlfuncs.learning.similarity import neighbourhood
from sqlfuncs.learning.similarity.cells import DIGEST, Digests, Vectors, precision, sample_size

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_SEEN = 200_000  # points that a task remembers
_DRAWS = 4
_DIMENSIONS_OF_TEXTS = 384  # reckoned with before any is read
KEY = pa.struct([("content", pa.binary()), ("point", pa.binary()), ("reason", pa.string())])


@dataclass(frozen=True)
class Known:
    """What is known of the points among some rows: `points` (rows,), None where unusable."""

    rows: Rows
    content: list[bytes | None]
    point: list[bytes | None]


@dataclass(frozen=True)
class Reader:
    """Reads the rows of a column, each by itself. `size`: of those of one length, else 0."""

    kind: type[Rows]
    size: int

    @property
    def sent(self) -> npt.DTypeLike:
        """What vectors are sent in."""
        return precision(self.size) if self.size else np.float16

    def known(self, x: pa.Array) -> Known:
        """The rows of a batch."""
        rows = self.kind.read_part(x, self.size)
        places = np.flatnonzero(is_usable(rows.reasons))
        content: list[bytes | None] = [None] * len(rows)
        point = content.copy()
        usable = rows.take(places)
        digests = usable.digests()
        for place, own, shared in zip(places, digests, usable.points(digests), strict=True):
            content[place], point[place] = own[:DIGEST], shared[:DIGEST]
        return Known(rows, content, point)


@dataclass(frozen=True)
class Compared:
    """The column `x` of a table of so many `rows`.

    `more` has the same rows with more columns, to which what is found is to be added.
    """

    df: DataFrame
    x: str
    reader: Reader
    rows: int
    more: DataFrame | None = None

    def points(self, share: float = 1) -> DataFrame:
        """`x` of the points whose digests begin a share of all, and of how many `rows` each is.

        Those that are read slowly come once each: of one point, the one of the smallest digest.
        Others come as they are, and a task meets some of them again.
        """
        from pyspark.sql.functions import col, count, lit, min_by

        x = frames.column(self.x).alias("x")
        if not self.reader.kind.is_read_slowly:
            return self.df.select(x, lit(1).cast("bigint").alias("rows"))
        keyed = self.df.select(x, self.key().alias("key")).where("key.point IS NOT NULL")
        if bound := _bound(share):
            keyed = keyed.where(col("key.point") < lit(bound))
        first = min_by("x", "key.content").alias("x")
        return (
            keyed.groupBy("key.point").agg(first, count(lit(1)).alias("rows")).select("x", "rows")
        )

    def key(self) -> Column:
        """A struct of each row's content, its point and the reason against it: see `KEY`."""
        from pyspark.sql.functions import arrow_udf
        from pyspark.sql.pandas.types import from_arrow_type

        read = Key(self.reader)

        def keys(x: pa.Array) -> pa.Array:
            return read(x)

        # Spark computes what it takes for deterministic once for each time it is named.
        made = arrow_udf(keys, from_arrow_type(KEY)).asNondeterministic()
        return made(frames.column(self.x))


@dataclass(frozen=True)
class Sample:
    """Different points, by their digests: `vectors` (points, d), how many `rows` are each.

    `of` is how many points the table has, which is reckoned where they are not all here.
    """

    points: Digests
    vectors: Vectors
    rows: npt.NDArray[np.int64]
    of: int


def compared(df: DataFrame, call: Call) -> Compared:
    """The rows of a call's column x, counted. Runs a job.

    Raises BadInput for what cannot be compared, before.
    """
    from pyspark.sql.functions import count, lit, size

    x = call.columns["x"]
    assert isinstance(x, str)
    of = frames.schema_of(df, [x]).field(x).type
    neighbourhood.read(pa.array([], of))
    kind = registry.of_type(of)
    if not kind.is_of_one_length:
        return Compared(df, x, Reader(kind, 0), running.run(df.sparkSession, df.count))
    column = size(frames.column(x)).alias("size")
    table = running.collected(df.groupBy(column).agg(count(lit(1)).alias("rows"))).to_pylist()
    sizes = {each["size"] or 0: each["rows"] for each in table}
    return Compared(df, x, Reader(kind, size_among(sizes)), sum(each["rows"] for each in table))


def at_any_size(
    df: DataFrame,
    call: Call,
    schema: pa.Schema,
    search: Callable[[Compared, int, float, pa.Schema], DataFrame],
) -> DataFrame:
    """A function that compares rows: in one task, or by a `search` of more than a process holds.

    The search gets the options k and threshold.
    """
    table = compared(df, call)
    if not table.rows:
        frames.refuse_empty(call)
    if table.rows <= frames.MOST_ROWS:
        return frames.in_one_task(df, call, schema)
    options = {**call.signature.options, **call.options}
    return search(table, int(options["k"]), float(options["threshold"]), schema)


def drawn(table: Compared) -> Sample:
    """Points to learn cells from, drawn by their digests: all copies of one come together.

    Raises NoUsableRows where no row can be judged, and BadInput or MissingExtra for rows that
    cannot be compared one by one. Runs a job, or several where most rows are copies of others.
    """
    table.reader.kind.refuse_alone()
    most = sample_size(table.rows, table.reader.size or _DIMENSIONS_OF_TEXTS)
    share = min(1.0, most / table.rows)
    for _ in range(_DRAWS):
        sample = _drawn(table, share, most)
        if share == 1 or len(sample.points) >= most // 2:
            break
        share = min(1.0, share * most / max(len(sample.points), 1))
    if not len(sample.points):
        raise NoUsableRows(f"no row can be judged: {_reasons(table)}.")
    return sample


def _drawn(table: Compared, share: float, most: int) -> Sample:
    mapped = table.points(share).mapInArrow(
        Drawn(table.reader, share), "point binary, vector binary, rows bigint"
    )
    order = [("point", "ascending"), ("rows", "ascending")]  # those with a vector first
    found = running.collected(mapped).combine_chunks().sort_by(order)
    if not found.num_rows:
        return Sample(np.empty((0, DIGEST), np.uint8), np.empty((0, 0), np.float32), _none(), 0)
    points = digests_of(found["point"])
    first = np.r_[True, (points[1:] != points[:-1]).any(axis=1)]
    rows = np.add.reduceat(found["rows"].to_numpy(), np.flatnonzero(first))
    kept = np.flatnonzero(first)[:most]
    vectors = vectors_of(found["vector"].take(pa.array(kept)), table.reader.sent)
    return Sample(points[kept], vectors, rows[:most], round(int(first.sum()) / share))


def _none() -> npt.NDArray[np.int64]:
    return np.empty(0, dtype=np.int64)


def _reasons(table: Compared) -> str:
    from pyspark.sql.functions import count, lit

    reason = table.df.select(table.key().alias("key")).select("key.reason").where("reason != ''")
    counted = running.collected(reason.groupBy("reason").agg(count(lit(1)).alias("rows")))
    return describe_counted(Counter({r["reason"]: r["rows"] for r in counted.to_pylist()}))


class Key:
    """What `Compared.key` computes in a worker."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def __call__(self, x: pa.Array) -> pa.Array:
        """A struct a row."""
        with wording.speaking(DIALECT):
            known = self._reader.known(x)
        columns = [known.content, known.point, list(known.rows.reasons)]
        arrays = [pa.array(each, field.type) for each, field in zip(columns, KEY, strict=True)]
        return pa.StructArray.from_arrays(arrays, fields=list(KEY))


class Drawn:
    """The points of a partition that a draw takes, each once. In a worker."""

    def __init__(self, reader: Reader, share: float) -> None:
        self._reader, self._bound = reader, _bound(share)

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Batches of `point`, `vector` and how many `rows` of the partition are it."""
        rows: dict[bytes, int] = {}
        for batch in batches:
            known = self._reader.known(batch.column(0))
            first = {}
            for at, (point, count) in enumerate(
                zip(known.point, batch.column(1).to_pylist(), strict=True)
            ):
                if point is None or (self._bound and point >= self._bound):
                    continue
                if point not in rows:
                    first[point] = at
                rows[point] = rows.get(point, 0) + count
            if first:
                vectors = known.rows.vectors_alone(list(first.values()))
                yield _drawn_rows(first, as_binary(vectors, self._reader.sent), [0] * len(first))
        yield _drawn_rows(rows, pa.nulls(len(rows), pa.binary()), list(rows.values()))


def _drawn_rows(points: Iterable[bytes], vectors: pa.Array, rows: list[int]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [pa.array(points, pa.binary()), vectors, pa.array(rows, pa.int64())],
        names=["point", "vector", "rows"],
    )


def _bound(share: float) -> bytes | None:
    """What the digests of a share of all points are below."""
    return None if share >= 1 else int(share * 256**DIGEST).to_bytes(DIGEST, "big")


def fresh(known: Known, seen: set[bytes]) -> dict[bytes, int]:
    """The points of a batch that a task has not seen, and where; most copies end here."""
    found = {}
    for at, point in enumerate(known.point):
        if point is not None and point not in seen:
            found[point] = at
            seen.add(point)
    if len(seen) > _SEEN:
        seen.clear()
    return found
