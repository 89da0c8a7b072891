"""Rows that are predictions of numbers already: DOUBLE, or STRUCT(mean, sd)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.learning.rows.base import Chosen, Reasons, Rows

Floats = npt.NDArray[np.float64]
MEAN, SD = "mean", "sd"


@dataclass(frozen=True)
class PredictedNumbers(Rows):
    """What a model of somebody's foresaw: `mean` (rows,), and `sd` (rows,) of it; 1 if not said."""

    kind = "predictions"
    called = "predictions of numbers"
    needs_model = False
    are_apart = True

    mean: Floats
    sd: Floats
    reasons: Reasons

    @classmethod
    def is_type(cls, of: pa.DataType) -> bool:
        """Numbers, or a STRUCT of the fields mean and sd and no other.

        >>> PredictedNumbers.is_type(pa.struct({"mean": pa.float64(), "sd": pa.float32()}))
        True
        """
        if pa.types.is_struct(of):
            fields = {field.name.casefold(): field.type for field in of}
            return fields.keys() == {MEAN, SD} and all(map(_is_number, fields.values()))
        return _is_number(of)

    @classmethod
    def read(cls, x: pa.Array) -> PredictedNumbers:
        """The predictions of such a column. Those that are no finite number cannot be used."""
        if pa.types.is_struct(x.type):
            columns = dict(zip((f.name.casefold() for f in x.type), x.flatten(), strict=True))
            mean, sd = (_floats(columns[name]) for name in (MEAN, SD))
        else:
            mean, sd = _floats(x), np.ones(len(x))
        reasons = np.full(len(x), None, dtype=object)
        reasons[~(np.isfinite(sd) & (sd > 0))] = "the sd of the prediction is no number above 0"
        reasons[~np.isfinite(mean)] = "the prediction is no finite number"
        reasons[np.asarray(x.is_null())] = "the prediction is NULL"
        return cls(mean, sd, reasons)

    def chosen(self, places: Chosen) -> PredictedNumbers:
        """Some of the rows."""
        return replace(
            self, mean=self.mean[places], sd=self.sd[places], reasons=self.reasons[places]
        )

    def digests(self) -> list[bytes]:
        """A digest of each prediction."""
        both = np.column_stack([self.mean, self.sd])
        return [sha256(row.tobytes()).digest() for row in both]


def _is_number(of: pa.DataType) -> bool:
    return bool(pa.types.is_floating(of) or pa.types.is_integer(of) or pa.types.is_decimal(of))


def _floats(column: pa.Array) -> Floats:
    """Numbers, NaN for NULL."""
    found: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
    return found
