"""Points dealt to parts of cells (`learning.similarity.cells`), and compared within them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs import wording
from sqlfuncs.engines.spark import binary_columns, points
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.engines.spark.points import Compared, Reader
from sqlfuncs.learning.similarity import in_cell
from sqlfuncs.learning.similarity.cells import Cells, Digests, Vectors

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_VISITS = "part int, is_visitor boolean, point binary, vector binary"


def found(table: Compared, into: Cells, search: InParts, schema: str) -> DataFrame:
    """What a search finds in each part of each cell: columns of a `schema`. Nothing is run."""
    visits = table.points().select("x").mapInArrow(Visiting(table.reader, into), _VISITS)
    dealt = visits.repartition("part").sortWithinPartitions("part", "is_visitor", "point")
    return dealt.mapInArrow(search, schema)


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
                binary_columns.binaries(held).take(row),
                binary_columns.as_binary(vectors, self._reader.sent).take(row),
            ],
            names=["part", "is_visitor", "point", "vector"],
        )


@dataclass(frozen=True)
class Held:
    """Points in the order of their digests: (points, ...)."""

    digests: Digests
    vectors: Vectors

    def __len__(self) -> int:
        return len(self.digests)

    def at(self, places: slice | npt.NDArray[np.bool_]) -> Held:
        """Some of them."""
        return Held(self.digests[places], self.vectors[places])

    @classmethod
    def joint(cls, several: Sequence[Held]) -> Held:
        """All of them."""
        return cls(
            np.concatenate([each.digests for each in several]),
            np.concatenate([each.vectors for each in several]),
        )


class InParts(ABC):
    """Compares within parts of cells, which come one after the other. In a worker.

    The members of a part are held, its visitors pass by in blocks. What is in a block is told by
    the part alone, and not by batches, so that the same sums are made however rows are dealt.
    """

    def __init__(self, sent: npt.DTypeLike) -> None:
        self._sent = sent

    @abstractmethod
    def compared(self, queries: Held, members: Held, first: int | None) -> pa.RecordBatch:
        """What is found of a block of points: of members from place `first` on, or of visitors."""

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """What is found, block by block."""
        runs = (run for batch in batches for run in self._runs(batch))
        own, members = -1, Held(np.empty((0, 0), np.uint8), np.empty((0, 0), np.float32))
        for (part, is_visitor), several in groupby(runs, key=itemgetter(0, 1)):
            blocks = _blocks(held for _, _, held in several)
            if is_visitor:
                if part == own:  # else nothing lies in the part
                    yield from (self.compared(block, members, None) for block in blocks)
                continue
            own, members = part, Held.joint(list(blocks))
            for at in range(0, len(members), in_cell.BLOCK):
                block = members.at(slice(at, at + in_cell.BLOCK))
                yield self.compared(block, members, at)

    def _runs(self, batch: pa.RecordBatch) -> Iterator[tuple[int, bool, Held]]:
        """The rows of a batch that belong together: a part, if they visit it, and they."""
        part = batch.column("part").to_numpy()
        is_visitor = batch.column("is_visitor").to_numpy(zero_copy_only=False)
        digests = binary_columns.digests_of(batch.column("point"))
        vectors = binary_columns.vectors_of(batch.column("vector"), self._sent)
        changes = (part[1:] != part[:-1]) | (is_visitor[1:] != is_visitor[:-1])
        ends = [*(np.flatnonzero(changes) + 1).tolist(), len(part)]
        begin = 0
        for end in ends:
            if end > begin:
                held = Held(digests[begin:end], vectors[begin:end])
                yield int(part[begin]), bool(is_visitor[begin]), held
            begin = end


def _blocks(several: Iterator[Held]) -> Iterator[Held]:
    """The points in blocks of one length, but for the last; copies, which are neighbours, once."""
    rest: Held | None = None
    for held in several:
        rest = held if rest is None else Held.joint([rest, held])
        again = (rest.digests[1:] == rest.digests[:-1]).all(axis=1)
        rest = rest.at(np.r_[True, ~again])
        at = 0
        while len(rest) - at > in_cell.BLOCK:
            yield rest.at(slice(at, at + in_cell.BLOCK))
            at += in_cell.BLOCK
        rest = rest.at(slice(at, None))
    if rest is not None:
        yield rest
