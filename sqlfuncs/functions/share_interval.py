"""Internal: ends of intervals of shares, for macros, the report and query files."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.functions.spec import ScalarFunction
from sqlfuncs.statistics.curve import errors_left
from sqlfuncs.statistics.intervals import wilson


def share_interval(
    hits: pa.Array, n: pa.Array, others: pa.Array, known_wrong: pa.Array, side: pa.Array
) -> pa.Array:
    """The lower (-1) or upper (1) end of the 95 % Wilson interval of hits in n: 0 and 1 for no n.

    Where there are `others`, that of how many of so many other rows are wrong, of which
    `known_wrong` are known (`errors_left`); NULL then for no n.
    """
    values = [_floats(each) for each in (hits, n, others, known_wrong)]
    is_of_others = ~np.isnan(values[2])
    ends = np.full(len(hits), np.nan)
    for at in (-1, 1):
        of_side = _floats(side) == at
        plain, left = of_side & ~is_of_others, of_side & is_of_others
        end = wilson(values[0][plain], values[1][plain], at)
        ends[plain] = np.where(np.isnan(end), float(at > 0), end)
        hits_, m, n_, known = (each[left] for each in values)
        ends[left] = errors_left(hits_, m, n_, known, at)
    return pa.array(ends, mask=np.isnan(ends))


def _floats(column: pa.Array) -> npt.NDArray[np.float64]:
    floats: npt.NDArray[np.float64] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return floats


FUNCTION = ScalarFunction(
    name="_share_interval",
    compute=share_interval,
    inputs=("hits", "n", "others", "known_wrong", "side"),
    returns=pa.float64(),
)
