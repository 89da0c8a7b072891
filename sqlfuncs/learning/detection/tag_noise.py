"""How likely each tag of a row is right, and each that it lacks: independent binary labels.

What is called wrong goes by two rates for each tag: how often rows that do not merit it have it
(`spurious`), and how often those that do lack it (`dropped`). Where a model surely sees no tag,
what has it all the same has it in error; where it surely sees one, what lacks it does (Northcutt,
Jiang, Chuang: Confident learning, JAIR 2021, section 3, with the surest rows for thresholds).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_SUREST = 0.2  # of the rows, those of the least probability
_USUAL_ROWS = 20.0  # errors' worth that the rate of all tags counts in each one's
_TOP, _FEWEST_TOP = 0.25, 20  # of a tag's rows, as many of the greatest probability; and at least
_BEST = 0.1  # quantile: tags that are seen clearly, by which the rate of dropped ones is told
_SEEN, _SURELY = 0.65, 3.0  # area under the curve, and standard errors above one half
_CHANCE = 2.0  # standard errors
# Of labels; few rows tell little of rates, and with one of 0 nothing would be doubted. At least as
# many are wrong in ten well-known test sets, on average: Northcutt, Athalye, Mueller, Pervasive
# Label Errors in Test Sets (NeurIPS 2021), section 4.
_USUAL_ERRORS = 0.033
_LEAST = 1e-4


@dataclass(frozen=True)
class TagNoise:
    """The rates of tags: `spurious` and `dropped`, both (tags,).

    Of tags that are not `seen` (tags,) the model knows no more than chance: nothing is doubted.
    """

    spurious: Floats
    dropped: Floats
    seen: Mask

    @classmethod
    def learn(cls, given: Mask, probs: Floats) -> TagNoise:
        """From tags (rows, tags) and how likely each is out of sample.

        A tag that is hard to see has among the surest rows some that merit it: its rate is
        drawn towards that of all tags, in proportion to how common it is. For the same reason the
        rate of dropped ones is that of tags that are seen clearly; a tag's own where it is lacking
        more often than its probabilities allow, as those of models that never saw these labels do.
        No rate is below what is usual.
        """
        rows, tags = given.shape
        surest = max(1, int(rows * _SUREST))
        low, lacking, excess = np.empty(tags), np.empty(tags), np.empty(tags)
        for tag in range(tags):
            low[tag] = _least(given[:, tag], probs[:, tag], surest)
            top = min(rows, max(_FEWEST_TOP, int(_TOP * given[:, tag].sum())))
            lacking[tag] = _least(~given[:, tag], -probs[:, tag], top) / top
            excess[tag] = _excess(~given[:, tag], 1 - probs[:, tag], top)
        seen = np.array([_is_seen(given[:, tag], probs[:, tag]) for tag in range(tags)], dtype=bool)
        common = np.maximum(given.mean(axis=0), 1 / rows)
        if not seen.any():
            return cls(np.zeros(tags), np.zeros(tags), seen)
        usual = low[seen].sum() / (surest * common[seen].sum()) * common
        usual = np.maximum(usual, _LEAST**2)
        spurious = (low + _USUAL_ROWS) / (surest + _USUAL_ROWS / usual)
        usual_dropped = np.quantile(lacking[seen], _BEST)
        dropped = np.maximum(excess, max(usual_dropped, _USUAL_ERRORS))
        return cls(np.maximum(spurious, _USUAL_ERRORS * common), dropped.clip(0, 0.9), seen)

    def quality(self, given: Mask, probs: Floats) -> Floats:
        """How likely each tag, given or lacking, is right: (rows, tags).

        >>> noise = TagNoise(np.array([0.01]), np.array([0.2]), np.array([True]))
        >>> given = np.array([[True], [True], [False]])
        >>> noise.quality(given, np.array([[0.7], [0.01], [0.7]])).round(3).ravel().tolist()
        [0.998, 0.0, 0.418]
        """
        merited = (probs - self.spurious) / np.maximum(1 - self.dropped - self.spurious, _LEAST)
        merited = merited.clip(_LEAST, 1)
        in_error = self.spurious * (1 - merited)
        has = 1 - in_error / np.maximum(np.maximum(probs, in_error), _LEAST**2)
        lacks = 1 - self.dropped * merited / np.maximum(1 - probs, _LEAST)
        found = np.where(given, np.maximum(has, _LEAST * probs), lacks).clip(0, 1)
        # In the order of the model's word, which doubts nothing.
        unseen = 0.5 + 0.5 * np.where(given, probs, 1 - probs).clip(0, 1)
        qualities: Floats = np.where(self.seen, found, unseen)
        return qualities


def _least(given: Mask, values: Floats, count: int) -> float:
    """How many of so many rows of the least values have a tag; of rows that are tied their share.

    >>> _least(np.array([True, False, True, False]), np.array([0.1, 0.5, 0.5, 0.9]), 2)
    1.5
    """
    last = np.partition(values, count - 1)[count - 1]
    below, tied = values < last, values == last
    return float(given[below].sum() + given[tied].mean() * (count - below.sum()))


def _excess(lacks: Mask, doubt: Floats, count: int) -> float:
    """How much more often so many rows, those of the least doubt, lack a tag than they should.

    Beyond what chance explains, by two standard errors; rows that are tied with the last count too.

    >>> _excess(np.arange(100) < 20, np.full(100, 0.02), 50).__round__(3)
    0.152
    """
    least = doubt <= np.partition(doubt, count - 1)[count - 1]
    expected = doubt[least].mean()
    error = np.sqrt(expected * (1 - expected) / least.sum())
    return float(lacks[least].mean() - expected - _CHANCE * error)


def _is_seen(given: Mask, values: Floats) -> bool:
    """Whether rows that have a tag have greater values than others, surely more than by chance.

    By the area under the curve of the two (Hanley, McNeil: Radiology 143, 1982), and its standard
    error where they are alike.
    """
    has, rows = int(given.sum()), len(given)
    if not 0 < has < rows:
        return False
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    area = (ranks[given].sum() - has * (has + 1) / 2) / (has * (rows - has))
    error = np.sqrt((rows + 1) / (12 * has * (rows - has)))
    return bool(area > max(_SEEN, 0.5 + _SURELY * error))


def of_rows(quality: Floats) -> Floats:
    """How likely all tags of a row are right: (rows, tags) to (rows,).

    As if the errors of tags were independent.
    """
    found: Floats = np.exp(np.log(np.maximum(quality, 1e-12)).sum(axis=1))
    return found


def moving_average(quality: Floats, share: float = 0.8) -> Floats:
    """The score that cleanlab gives a row by default: (rows, tags) to (rows,).

    An exponential moving average of its tags' scores, the best first, so that the worst counts
    most: Thyagarajan et al., Identifying Incorrect Annotations in Multi-Label Classification Data
    (2022), section 3.2.

    >>> moving_average(np.array([[0.2, 1.0]])).round(2).tolist()
    [0.36]
    """
    ordered = -np.sort(-quality, axis=1)
    found = ordered[:, 0].copy()
    for column in range(1, ordered.shape[1]):
        found = share * ordered[:, column] + (1 - share) * found
    return found
