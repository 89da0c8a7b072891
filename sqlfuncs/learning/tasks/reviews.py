"""What people decided about the rows of a table, joined to them by their keys."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs.learning.tasks.base import Decisions

Mask = npt.NDArray[np.bool_]

FIELDS = ("decision", "decided_label", "random_rank")


def joined(rows: pa.StructArray, log: pa.StructArray) -> pa.StructArray:
    """Rows with the fields of `functions.spec.TableFunction.reviews`; as they are without a log.

    `rows` has the field `key`, text, which is dropped; `log` (decisions,) has `key`, `decision` and
    `decided_label`, one entry for a key.

    >>> rows = pa.array([{"x": 1.0, "key": "7"}, {"x": 2.0, "key": "8"}])
    >>> log = pa.array([{"key": "8", "decision": "keep", "decided_label": None}])
    >>> [row["decision"] for row in joined(rows, log).to_pylist()]
    [None, 'keep']
    """
    fields = {field.name: rows.field(field.name) for field in rows.type}
    keys = fields.pop("key").cast(pa.string())
    if len(log):
        at = pc.index_in(keys, log.field("key").cast(pa.string()))
        for name in FIELDS[:2]:
            fields[name] = log.field(name).cast(pa.string()).take(at)
        fields["random_rank"] = pa.array(random_ranks(keys.to_pylist()))
    kinds = [rows.type.field(name) if name in rows.type.names else name for name in fields]
    return pa.StructArray.from_arrays(
        [*fields.values()],
        fields=[
            pa.field(kind, fields[kind].type) if isinstance(kind, str) else kind for kind in kinds
        ],
    )


def random_ranks(keys: list[str]) -> npt.NDArray[np.int64]:
    """The place of each row in the random order in which rows are reviewed, from 0: (rows,)."""
    drawn = [hashlib.md5(f"review {key}".encode()).digest() for key in keys]
    order = sorted(range(len(keys)), key=drawn.__getitem__)
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[order] = np.arange(len(keys))
    return ranks


@dataclass(frozen=True)
class Reviewed:
    """What people decided for good about the rows of a table: all (rows,).

    `known` where they did, `wrong` where they found the given label wrong, `order` the place of
    each row in the random order.
    """

    known: Mask
    wrong: Mask
    order: npt.NDArray[np.int64]

    @classmethod
    def read(cls, rows: pa.StructArray) -> Reviewed | None:
        """From the fields that `joined` adds, and `label`; None where there is no log."""
        if FIELDS[0] not in rows.type.names:
            return None
        decision, new, label = (
            rows.field(name).cast(pa.string()) for name in ("decision", "decided_label", "label")
        )
        decisions = Decisions.read(decision, new)
        same = np.asarray(pc.equal(new, label).fill_null(False))
        wrong = decisions.exclude | decisions.relabel & ~same
        return cls(decisions.any, wrong, np.asarray(rows.field("random_rank")))

    def sample(self, rows: Mask) -> npt.NDArray[np.int64]:
        """The places of the rows drawn at random among `rows` (rows,), as far as all are known."""
        drawn = np.flatnonzero(rows)
        drawn = drawn[np.argsort(self.order[drawn], kind="stable")]
        known = self.known[drawn]
        return drawn if known.all() else drawn[: int(np.argmin(known))]
