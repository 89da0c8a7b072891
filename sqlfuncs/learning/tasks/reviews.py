"""What people decided about the rows of a table, joined to them by their keys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs.learning.detection.sampling import random_ranks, sample
from sqlfuncs.learning.tasks.base import Decisions, Mask

Places = npt.NDArray[np.int64]


def joined(rows: pa.StructArray, log: pa.StructArray) -> pa.StructArray:
    """Rows with the fields of `functions.spec.TableFunction.reviews`; as they are without a log.

    `rows` has the field `key`, text, which is dropped; `log` (decisions,) has `key`, `decision` and
    `decided_label`, one entry for a key.

    >>> rows = pa.array([{"x": 1.0, "key": "7"}, {"x": 2.0, "key": "8"}])
    >>> log = pa.array([{"key": "8", "decision": "keep", "decided_label": None}])
    >>> [row["decision"] for row in joined(rows, log).to_pylist()]
    [None, 'keep']
    """
    kept = [field for field in rows.type if field.name != "key"]
    columns = [rows.field(field.name) for field in kept]
    if len(log):
        keys = rows.field("key").cast(pa.string())
        at = pc.index_in(keys, log.field("key").cast(pa.string()))
        for name in ("decision", "decided_label"):
            kept.append(pa.field(name, pa.string()))
            columns.append(log.field(name).cast(pa.string()).take(at))
        kept.append(pa.field("random_rank", pa.int64()))
        columns.append(pa.array(random_ranks(keys.to_pylist())))
    return pa.StructArray.from_arrays(columns, fields=kept)


@dataclass(frozen=True)
class Reviewed:
    """What people decided about the rows of a table: all (rows,).

    `decided` for good, `undecided` where somebody looked and could not say; `wrong` where the
    given label was found wrong, `relabelled` where another was named, `new_label`; `ranks` the
    place of each row in the random order.
    """

    decided: Mask
    undecided: Mask
    wrong: Mask
    relabelled: Mask
    new_label: pa.Array
    ranks: Places

    @classmethod
    def is_in(cls, rows: pa.StructArray) -> bool:
        """Whether a log was joined to the rows."""
        return "decision" in rows.type.names

    @classmethod
    def read(cls, rows: pa.StructArray) -> Reviewed | None:
        """From the fields that `joined` adds, and `label`; None where there is no log."""
        if not cls.is_in(rows):
            return None
        decision, new, label = (
            rows.field(name).cast(pa.string()) for name in ("decision", "decided_label", "label")
        )
        decisions = Decisions.read(decision, new)
        relabelled = decisions.relabel & ~equal(new, label)
        return cls(
            decided=decisions.any,
            undecided=np.asarray(decision.is_valid()) & ~decisions.any,
            wrong=decisions.exclude | relabelled,
            relabelled=relabelled,
            new_label=new,
            ranks=np.asarray(rows.field("random_rank")),
        )

    def sample(self, rows: Mask) -> Places:
        """The places of the rows drawn at random among `rows` (rows,) that are decided."""
        places = np.flatnonzero(rows)
        found: Places = places[sample(self.ranks[places], self.decided[places])]
        return found


def equal(one: pa.Array, other: pa.Array) -> Mask:
    """Where two columns of text have the same: (rows,); NULL is equal to nothing."""
    found: Mask = np.asarray(pc.equal(one, other).fill_null(False))
    return found
