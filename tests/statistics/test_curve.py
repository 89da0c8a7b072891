from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import poisson

from sqlfuncs.statistics.curve import errors_left, review_curve


@pytest.mark.parametrize("hits", [1, 2, 3])
def test_few_wrong_labels_in_a_sample_are_counted_by_poisson(hits: int) -> None:
    """The fewest of 500 rows by `hits` of 50: the mean that shows so many in 2.5 % of samples."""
    least = float(errors_left(hits, 50, 500, 0, -1))
    assert poisson.sf(hits - 1, least * 50 / 500) == pytest.approx(0.025, rel=0.01)


@pytest.mark.parametrize("hits", [0, 4, 5, 50])
def test_others_by_wilson(hits: int) -> None:
    """A sample of 50 for 500 others says as much as one of 50 * 500 / 550 of endlessly many."""
    weight = 50 * 500 / 550
    share, z2 = hits / 50, 1.959963984540054**2
    center, spread = share + z2 / (2 * weight), share * (1 - share) / weight
    for side in (-1, 1):
        end = (center + side * np.sqrt(z2 * (spread + z2 / (4 * weight**2)))) / (1 + z2 / weight)
        assert float(errors_left(hits, 50, 500, 0, side)) == pytest.approx(500 * end, abs=1e-6)


def test_more_review_never_leaves_more() -> None:
    """Though the sample that is left to judge by is thinner, and has all of the wrong labels."""
    rows = np.arange(120)
    random = (rows < 60) & (rows % 2 == 1) | (rows % 20 == 19)
    known, wrong = random.copy(), random & (rows >= 100)
    left = review_curve(known, wrong, random, 10).errors_left
    assert left[0] > 0
    assert (np.diff(left) <= 0).all()
