"""Rows that are class probabilities: out of sample, from a model of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.labels.classes import in_order, refuse_too_many
from sqlfuncs.learning.rows.base import Chosen, Floats, Reasons, Rows, is_usable
from sqlfuncs.learning.rows.types import PROBABILITIES
from sqlfuncs.wording import TypeName, Words

SUM_TOLERANCE = 0.01  # probabilities rounded to a few digits for storage still count as such


@dataclass(frozen=True)
class Probabilities(Rows):
    """Class probabilities.

    `values` has shape (rows, classes), each row summing to 1, 0 where a map lacks a class;
    `has` says which classes a row's map names, `complete` which rows' maps name all classes
    in their order.
    """

    kind = "probabilities"
    called = "a map of probabilities"
    example = Words("class probabilities (", TypeName(PROBABILITIES), ")")

    needs_model = False

    classes: tuple[str, ...]
    values: Floats
    has: npt.NDArray[np.bool_]
    complete: npt.NDArray[np.bool_]
    reasons: Reasons

    @classmethod
    def is_type(cls, of: pa.DataType) -> bool:
        """Maps."""
        return bool(pa.types.is_map(of))

    @classmethod
    def read(cls, x: pa.Array) -> Probabilities:
        """The maps of a column; those that are no distribution cannot be used."""
        return _read(x)

    @classmethod
    def why_not_compared(cls, of: pa.DataType) -> str:
        """They say nothing about likeness."""
        return f"x is of type {TypeName(of)}: class probabilities do not say which rows are alike"

    def chosen(self, places: Chosen) -> Probabilities:
        """Some of the rows."""
        return Probabilities(
            self.classes,
            self.values[places],
            self.has[places],
            self.complete[places],
            self.reasons[places],
        )

    def digests(self) -> list[bytes]:
        """The numbers of each row."""
        return [(row + 0.0).tobytes() for row in self.values]

    @property
    def probabilities(self) -> Probabilities:
        """Themselves."""
        return self


def _read(x: pa.Array) -> Probabilities:
    try:
        keys_type = x.type.key_type if has_text_keys(x) else pa.string()
        maps = x.cast(pa.map_(keys_type, pa.float64()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadInput(
            f"x is of type {TypeName(x.type)}, not {TypeName(PROBABILITIES)}: {error}"
        ) from None
    # Without NULLs nothing is copied.
    present = maps.filter(pc.is_valid(maps)) if maps.null_count else maps
    # A slice shares its parent's keys; only those between its own offsets are its own.
    offsets = present.offsets.to_numpy()
    own = slice(offsets[0], offsets[-1])
    keys = present.keys[own].dictionary_encode()
    classes = in_order(keys.dictionary.to_pylist())
    refuse_too_many(len(maps), len(classes))
    # The classes in order, for each position in the dictionary.
    order = {label: column for column, label in enumerate(classes)}
    small = np.min_scalar_type(len(classes))  # a number for each probability of each row
    columns = np.array([order[label] for label in keys.dictionary.to_pylist()], dtype=small)
    at = columns[keys.indices.to_numpy()]
    items = present.items[own]  # filling NULLs copies even where there are none
    items = (pc.fill_null(items, float("nan")) if items.null_count else items).to_numpy()
    valid = np.asarray(pc.is_valid(maps))
    complete = valid.copy()
    complete[valid] = _name_all(at, np.diff(offsets), len(classes))
    shape = (len(maps), len(classes))
    if complete.all() and classes:
        values, has = items.reshape(shape), np.broadcast_to(True, shape)
    else:
        rows = np.repeat(np.flatnonzero(valid), np.diff(offsets))
        values, has = np.zeros(shape), np.zeros(shape, dtype=bool)
        values[rows, at] = items
        has[rows, at] = True
    return Probabilities(classes, values, has, complete, _no_distribution(values, has, valid))


def _name_all(
    at: npt.NDArray[np.integer[Any]], lengths: npt.NDArray[np.int32], classes: int
) -> npt.NDArray[np.bool_]:
    """Which maps name each class, in the order of the classes; `at` are all their keys."""
    full = (lengths == classes) & (classes > 0)
    named: npt.NDArray[np.bool_] = full.copy()
    own = at if full.all() else at[np.repeat(full, lengths)]
    named[full] = (own.reshape(full.sum(), classes) == np.arange(classes, dtype=at.dtype)).all(
        axis=1
    )
    return named


def has_text_keys(x: pa.MapArray) -> bool:
    """Whether keys are text already, dictionary-encoded or not."""
    keys = x.type.key_type
    return bool(pa.types.is_string(keys.value_type if pa.types.is_dictionary(keys) else keys))


def _no_distribution(
    values: Floats, has: npt.NDArray[np.bool_], valid: npt.NDArray[np.bool_]
) -> Reasons:
    """Why a row is no distribution, or None."""
    reasons = np.full(len(values), None, dtype=object)
    reasons[~valid] = "the probabilities are NULL"
    reasons[valid & ~has.any(axis=1)] = "the probabilities are an empty map"
    with np.errstate(invalid="ignore"):
        total = values.sum(axis=1)
        outside = (values < 0).any(axis=1) | (values > 1).any(axis=1)
    odd = is_usable(reasons) & ~np.isfinite(total)
    reasons[odd] = "the probabilities hold NULL, NaN or infinity"
    reasons[is_usable(reasons) & outside] = "a probability is below 0 or above 1"
    for row in np.flatnonzero(is_usable(reasons) & (np.abs(total - 1) > SUM_TOLERANCE)):
        reasons[row] = f"the probabilities sum to {total[row]:.6g}, not to 1"
    return reasons
