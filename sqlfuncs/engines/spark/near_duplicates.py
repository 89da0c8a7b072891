"""`near_duplicates` of tables of any size.

Points are dealt to cells and compared within them (`learning.similarity.cells`). Of what is found,
pairs that are alike are linked and numbered as groups. At home groups are numbered in the order of
rows, which a table of Spark's has not: here in the order of their smallest digests.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs import wording
from sqlfuncs.engines.spark import checkpoints, frames, linked, points
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.engines.spark.points import Compared, Reader
from sqlfuncs.learning.similarity import cells, in_cell
from sqlfuncs.learning.similarity.cells import Cells, Digests, Vectors
from sqlfuncs.learning.similarity.duplicates import ALMOST

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_VISITS = "part int, is_visitor boolean, point binary, vector binary"
_FOUND = "point binary, other binary, cosine float"
_DIMENSIONS_OF_TEXTS = 384  # for how many texts are drawn; what the encoder gives is asked later


def near_duplicates(df: DataFrame, call: Call, schema: pa.Schema) -> DataFrame:
    """All columns of a table and those of near_duplicates. Runs jobs, the last but for the result.

    Raises NoUsableRows, BadInput and MissingExtra.
    """
    table = points.compared(df, call)
    if table.rows <= frames.MOST_ROWS:
        return frames.in_one_task(df, call, schema)
    points.refuse_others(df, call)
    options = {**call.signature.options, **call.options}
    k, threshold = int(options["k"]), float(options["threshold"])
    most = cells.sample_size(table.rows, table.reader.size or _DIMENSIONS_OF_TEXTS)
    sample = points.drawn(table, most)
    found = _found(table, cells.learn(sample.vectors, sample.of, threshold), k, threshold)
    is_kept = checkpoints.can_write(df.sparkSession)
    if is_kept:
        found = checkpoints.written(found)
    roots = linked.roots(_links(found, k), is_kept)
    return _joined(table, _verdicts(table, found, roots), schema)


def _found(table: Compared, into: Cells, k: int, threshold: float) -> DataFrame:
    """What points are like: `point`, `other` and `cosine` of those that are alike enough.

    And, without `other`, the cosine of the nearest one in each cell where none is.
    """
    visits = table.points().select("x").mapInArrow(Visiting(table.reader, into), _VISITS)
    dealt = visits.repartition("part").sortWithinPartitions("part", "is_visitor", "point")
    return dealt.mapInArrow(Searching(table.reader.sent, k, threshold), _FOUND)


def _links(found: DataFrame, k: int) -> DataFrame:
    """`point` and `other`: the up to k nearest of each point that are alike enough."""
    from pyspark.sql import Window
    from pyspark.sql.functions import col, row_number
    from pyspark.sql.functions import max as most

    alike = found.where("other IS NOT NULL").groupBy("point", "other")
    nearest = Window.partitionBy("point").orderBy(col("cosine").desc(), "other")
    numbered = alike.agg(most("cosine").alias("cosine")).withColumn(
        "rank", row_number().over(nearest)
    )
    return numbered.where(col("rank") <= k).select("point", "other")


def _verdicts(table: Compared, found: DataFrame, roots: DataFrame) -> DataFrame:
    """`content` and its `group` and `score`, of each that is there."""
    from pyspark.sql import Window
    from pyspark.sql.functions import coalesce, col, count, greatest, least, lit, row_number, when
    from pyspark.sql.functions import max as most
    from pyspark.sql.functions import sum as total

    keyed = table.df.select(table.key().alias("key")).select("key.content", "key.point")
    of_point = Window.partitionBy("point")
    contents = (
        keyed.where("point IS NOT NULL")
        .groupBy("point", "content")
        .agg(count(lit(1)).alias("copies"))
        .withColumn("contents", count(lit(1)).over(of_point))
        .withColumn("rows", total("copies").over(of_point))
    )
    nearest = found.groupBy("point").agg(most("cosine").alias("cosine"))
    joined = contents.join(nearest, "point", "left").join(roots, "point", "left")
    cosine = coalesce(col("cosine").cast("double"), lit(0.0))
    score = (
        when(col("copies") > 1, lit(1.0))
        .when(col("contents") > 1, lit(ALMOST))
        .otherwise(greatest(lit(0.0), least(cosine, lit(ALMOST))))
    )
    root = coalesce("root", when(col("rows") > 1, col("point")))
    judged = joined.select("content", root.alias("root"), score.alias("score"))
    # All roots in one task, which sorts them: 16 bytes of each group.
    groups = judged.where("root IS NOT NULL").select("root").distinct()
    number = row_number().over(Window.orderBy("root")).cast("bigint").alias("group")
    return judged.join(groups.select("root", number), "root", "left").drop("root")


def _joined(table: Compared, verdicts: DataFrame, schema: pa.Schema) -> DataFrame:
    """The table with the columns that `schema` names: group, score and reason, in this order."""
    from pyspark.sql.functions import col

    df = table.df
    key, content, group, score = frames.free_names(df, "key", "content", "group", "score")
    named = verdicts.select(
        col("content").alias(content), col("group").alias(group), col("score").alias(score)
    )
    keyed = df.select("*", table.key().alias(key))
    on = keyed[f"{key}.content"] == named[content]
    own = [col(group), col(score), col(f"{key}.reason")]
    return keyed.join(named, on, "left").select(
        *(col(frames.quoted(name)) for name in df.columns),
        *(column.alias(field.name) for column, field in zip(own, schema, strict=True)),
    )


class Visiting:
    """Deals the points of a partition to parts of cells. In a worker."""

    def __init__(self, reader: Reader, into: Cells) -> None:
        self._reader, self._into = reader, into

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """A row for each visit of a point."""
        seen: set[bytes] = set()
        for batch in batches:
            with wording.speaking(DIALECT):
                known = self._reader.known(batch.column(0))
                fresh = points.fresh(known, seen)
                if fresh:
                    vectors = known.rows.vectors_alone(list(fresh.values()))
                    yield self._visits(vectors, list(fresh))

    def _visits(self, vectors: Vectors, digests: list[bytes]) -> pa.RecordBatch:
        held = np.frombuffer(b"".join(digests), np.uint8).reshape(len(digests), -1)
        visits = self._into.visits(vectors, held)
        row = pa.array(visits.row)
        return pa.RecordBatch.from_arrays(
            [
                pa.array(visits.part, pa.int32()),
                pa.array(~visits.is_member),
                points.binaries(held).take(row),
                points.as_binary(vectors, self._reader.sent).take(row),
            ],
            names=["part", "is_visitor", "point", "vector"],
        )


class _Held(NamedTuple):
    """Points in the order of their digests: (points, ...)."""

    digests: Digests
    vectors: Vectors


class Searching:
    """Compares within parts of cells, which come one after the other. In a worker.

    The members of a part are held, its visitors pass by in blocks. What is in a block is told by
    the part alone, and not by batches, so that the same sums are made however rows are dealt.
    """

    def __init__(self, sent: npt.DTypeLike, k: int, threshold: float) -> None:
        self._sent, self._k, self._threshold = sent, k, threshold

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Batches of what is alike."""
        runs = (run for batch in batches for run in self._runs(batch))
        own, members = -1, _Held(np.empty((0, 0), np.uint8), np.empty((0, 0), np.float32))
        for (part, is_visitor), several in groupby(runs, key=itemgetter(0, 1)):
            blocks = _blocks(held for _, _, held in several)
            if is_visitor:
                if part == own:  # else nothing lies in the part
                    yield from (self._alike(block, members, None) for block in blocks)
                continue
            own, members = part, _joint(list(blocks))
            for at in range(0, len(members.digests), in_cell.BLOCK):
                block = _Held(*(each[at : at + in_cell.BLOCK] for each in members))
                yield self._alike(block, members, at)

    def _runs(self, batch: pa.RecordBatch) -> Iterator[tuple[int, bool, _Held]]:
        """The rows of a batch that belong together: a part, if they visit it, and they."""
        part = batch.column("part").to_numpy()
        is_visitor = batch.column("is_visitor").to_numpy(zero_copy_only=False)
        digests = points.digests_of(batch.column("point"))
        vectors = points.vectors_of(batch.column("vector"), self._sent)
        changes = (part[1:] != part[:-1]) | (is_visitor[1:] != is_visitor[:-1])
        ends = [*(np.flatnonzero(changes) + 1).tolist(), len(part)]
        begin = 0
        for end in ends:
            if end > begin:
                held = _Held(digests[begin:end], vectors[begin:end])
                yield int(part[begin]), bool(is_visitor[begin]), held
            begin = end

    def _alike(self, queries: _Held, members: _Held, first: int | None) -> pa.RecordBatch:
        found = in_cell.pairs(queries.vectors, members.vectors, self._k, self._threshold, first)
        alone = np.setdiff1d(np.flatnonzero(found.best > -1), found.query)
        one, other = queries.digests[found.query], members.digests[found.member]
        point = np.concatenate([one, other, queries.digests[alone]])
        others = pa.concat_arrays(
            [points.binaries(np.concatenate([other, one])), pa.nulls(len(alone), pa.binary())]
        )
        cosine = np.concatenate([found.cosine, found.cosine, found.best[alone]])
        return pa.RecordBatch.from_arrays(
            [points.binaries(point), others, pa.array(cosine, pa.float32())],
            names=["point", "other", "cosine"],
        )


def _blocks(several: Iterator[_Held]) -> Iterator[_Held]:
    """The points in blocks of one length, but for the last; copies, which are neighbours, once."""
    rest: _Held | None = None
    for held in several:
        rest = held if rest is None else _joint([rest, held])
        again = (rest.digests[1:] == rest.digests[:-1]).all(axis=1)
        rest = _Held(*(each[np.r_[True, ~again]] for each in rest))
        at = 0
        while len(rest.digests) - at > in_cell.BLOCK:
            yield _Held(*(each[at : at + in_cell.BLOCK] for each in rest))
            at += in_cell.BLOCK
        rest = _Held(*(each[at:] for each in rest))
    if rest is not None:
        yield rest


def _joint(several: list[_Held]) -> _Held:
    return _Held(*(np.concatenate(each) for each in zip(*several, strict=True)))
