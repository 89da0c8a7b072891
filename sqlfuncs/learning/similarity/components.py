"""Which things hang together, directly or by others: connected components of an Arrow table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def components(one: pa.Array, other: pa.Array) -> pa.Table:
    """What each end of some links hangs together with: `point`, and `root`, its smallest.

    >>> components(pa.array([b"c", b"a"]), pa.array([b"b", b"c"])).to_pydict()
    {'point': [b'a', b'b', b'c'], 'root': [b'a', b'a', b'a']}
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    points = pc.unique(pa.concat_arrays([one, other]))
    points = points.take(pc.array_sort_indices(points))
    ends = [pc.index_in(each, value_set=points).to_numpy() for each in (one, other)]
    links = coo_array((np.ones(len(one), dtype=bool), ends), shape=(len(points), len(points)))
    count, component = connected_components(links, directed=False)
    root = np.full(count, len(points), dtype=np.int64)
    np.minimum.at(root, component, np.arange(len(points)))
    return pa.table({"point": points, "root": points.take(pa.array(root[component]))})
