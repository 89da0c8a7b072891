from __future__ import annotations

import numpy as np

from sqlfuncs.statistics.curve import review_curve


def test_more_review_never_leaves_more() -> None:
    """Though the sample that is left to judge by is thinner, and has all of the wrong labels."""
    rows = np.arange(120)
    random = (rows < 60) & (rows % 2 == 1) | (rows % 20 == 19)
    known, wrong = random.copy(), random & (rows >= 100)
    left = review_curve(known, wrong, random, 10).errors_left
    assert left[0] > 0
    assert (np.diff(left) <= 0).all()
