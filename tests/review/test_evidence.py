from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.review.evidence import Likeness


def test_rows_that_have_nothing_in_common_are_no_evidence() -> None:
    x = pa.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [-1.0, 0.0], None], pa.list_(pa.float32()))
    likeness = Likeness(x, np.arange(5))
    everywhere = np.ones(5, bool)
    assert [place for place, _ in likeness.nearest(0, everywhere, 4)] == [1]
    assert likeness.nearest(4, everywhere, 4) == []  # nothing is known of it
