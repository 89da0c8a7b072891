"""What the noise in labels looks like, from out-of-sample class probabilities alone.

The rows a model is surest of are anchor points: there, a label that disagrees is most likely
noise, not the model's error. From them come the noise transition matrix, T[j, k] = P(given k |
true j), and how often even sure rows disagree. Anchor points: Liu, Tao: Classification with
noisy labels by importance reweighting (TPAMI 2016); Patrini et al.: Making deep neural
networks robust to label noise (CVPR 2017, section 4).

Arrays: `codes` (rows,) of int, the given classes; `probs` (rows, classes), rows summing to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.statistics.intervals import wilson

Floats = npt.NDArray[np.float64]

_ANCHORS = 0.25  # of the rows predicted to be of a class
_MOST_CONFIDENT, _SURE_ROWS = 0.05, 150  # more of them where there are few rows, up to a quarter
_FEWEST = 10  # rows predicted to be of a class, to learn its noise from
_PRIOR_ROWS = 30.0  # how many rows' worth the mean noise of all classes counts in each
MOST_CLASSES = 64  # beyond, a matrix has more entries than there is evidence for
_STEPS = 10
_AT_ONCE = 65_536  # rows: what stays in the processor's cache
_LEAST = 1e-9
# Of people's labels: how much their evidence counts beside the model's word, by the F1 of flags on
# probabilities that others published; and how sharp both are, by their likelihood there.
_PEOPLES_POWERS = (0.225, 1.5)


@dataclass(frozen=True)
class Evidence:
    """How well a model knows the labels, and how the labels disagree with it.

    `agreement`: share of the `rows` whose most likely class is the given one; `majority`: share
    of the commonest given class; `kappa`: agreement beyond chance (Cohen 1960), 1 is perfect;
    `sure_disagreement`: share of disagreeing rows among the `sure_rows`, the surest twentieth, or
    150 rows if those are more, but no more than a quarter;
    `uniformity`: disagreement among the surest quarter relative to that among all rows, near 1
    where noise hits easy rows as often as hard ones, near 0 where only hard rows disagree;
    `half_disagreement`: share of disagreeing rows among the `half_rows`, the surest half.
    """

    rows: int
    agreement: float
    majority: float
    kappa: float
    sure_disagreement: float
    sure_rows: int
    uniformity: float
    half_disagreement: float
    half_rows: int

    @property
    def agreement_low(self) -> float:
        """The lower end of the 95 % interval of `agreement`."""
        return float(wilson(self.agreement * self.rows, self.rows, -1))

    @property
    def half_disagreement_low(self) -> float:
        """The lower end of the 95 % interval of `half_disagreement`."""
        return float(wilson(self.half_disagreement * self.half_rows, self.half_rows, -1))

    @property
    def sure_disagreement_low(self) -> float:
        """The lower end of the 95 % interval of `sure_disagreement`."""
        return float(wilson(self.sure_disagreement * self.sure_rows, self.sure_rows, -1))

    @property
    def beats_the_majority(self) -> bool:
        """Whether the model surely agrees with more labels than saying the commonest does."""
        return self.agreement_low > self.majority

    @property
    def noise(self) -> float:
        """Estimated share of wrong labels among easy rows, 0 to 1.

        What the surest rows disagree less what a model of this skill gets wrong even there.
        """
        return max(0.0, self.sure_disagreement - self.own_error)

    @property
    def own_error(self) -> float:
        """What a model of this skill gets wrong even where it is surest, 0 to 1."""
        return 0.12 * (1 - self.kappa)

    @property
    def hits_hard_rows(self) -> bool:
        """Whether noise depends on how hard a row is, as people's does; else on its class."""
        return self.uniformity < 0.72

    @property
    def is_strong(self) -> bool:
        """Whether the model knows the classes well enough to be believed on hard rows."""
        return self.kappa >= 0.4

    @property
    def is_peoples(self) -> bool:
        """Whether the noise looks like mistakes of people, on hard rows, to a strong model."""
        return self.is_strong and self.hits_hard_rows


def evidence(codes: Codes, probs: Floats) -> Evidence:
    """The evidence in some judged rows, of which there is at least one."""
    predicted = probs.argmax(axis=1)
    agrees = predicted == codes
    given = np.bincount(codes, minlength=probs.shape[1]) / len(codes)
    predicted_shares = np.bincount(predicted, minlength=probs.shape[1]) / len(codes)
    agreement, chance = float(agrees.mean()), float(given @ predicted_shares)
    share = min(_ANCHORS, max(_MOST_CONFIDENT, _SURE_ROWS / len(codes)))
    quarter = most_confident(predicted, probs, _ANCHORS)
    sure = most_confident(predicted, probs, share)
    half = most_confident(predicted, probs, 0.5)
    return Evidence(
        rows=len(codes),
        agreement=agreement,
        majority=float(given.max()),
        kappa=(agreement - chance) / (1 - chance) if chance < 1 else 0.0,
        sure_disagreement=float(1 - agrees[sure].mean()),
        sure_rows=len(sure),
        uniformity=float((1 - agrees[quarter].mean()) / (1 - agreement)) if agreement < 1 else 0.0,
        half_disagreement=float(1 - agrees[half].mean()),
        half_rows=len(half),
    )


def most_confident(predicted: Codes, probs: Floats, share: float) -> npt.NDArray[np.int64]:
    """The places of the surest rows of each predicted class, at least ten of each.

    Classes predicted for fewer rows than that are left out, unless all are. Rows as sure as the
    last one taken are taken too, so that their order changes nothing.

    >>> probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]).repeat(10, axis=0)
    >>> most_confident(probs.argmax(axis=1), probs, 0.3).tolist() == [*range(10), *range(20, 30)]
    True
    """
    sureness = probs.max(axis=1)
    counts = np.bincount(predicted, minlength=probs.shape[1])
    wanted = np.where(counts < _FEWEST, 0, np.maximum(_FEWEST, np.ceil(share * counts)))
    if not wanted.any():
        wanted = counts
    # Small numbers are sorted by their digits, which is several times as fast.
    small = np.int16 if len(counts) < 2**15 else np.int64
    by_class = np.argsort(predicted.astype(small), kind="stable")
    limits = np.full(len(counts), np.inf)
    for code, (end, some) in enumerate(zip(np.cumsum(counts), wanted.astype(int), strict=True)):
        if some:
            place = counts[code] - some
            limits[code] = np.partition(sureness[by_class[end - counts[code] : end]], place)[place]
    return np.flatnonzero(sureness >= limits[predicted])


def transition_matrix(codes: Codes, probs: Floats) -> Floats:
    """T[j, k] = P(given k | true j), (classes, classes), rows summing to 1.

    Counted on the surest quarter of the rows predicted to be j, and drawn towards one noise
    rate for all classes where there are few.
    """
    n_classes = probs.shape[1]
    predicted = probs.argmax(axis=1)
    anchors = most_confident(predicted, probs, _ANCHORS)
    counts = np.zeros((n_classes, n_classes))
    np.add.at(counts, (predicted[anchors], codes[anchors]), 1)
    if np.trace(counts) * n_classes < counts.sum():
        # Worse than chance: the model is sure of nothing, and what is given says nothing.
        return np.full((n_classes, n_classes), 1 / n_classes)
    # That none of the anchors disagrees does not show that no label can be wrong.
    noise = max(1 - np.trace(counts) / counts.sum(), 0.5 / counts.sum())
    even = np.full((n_classes, n_classes), noise / max(1, n_classes - 1))
    np.fill_diagonal(even, 1 - noise)
    if n_classes > MOST_CLASSES:
        return even
    matrix: Floats = (counts + _PRIOR_ROWS * even) / (
        counts.sum(axis=1, keepdims=True) + _PRIOR_ROWS
    )
    return matrix


def with_noise(transition: Floats, noise: float) -> Floats:
    """The transition matrix scaled to a noise rate over all classes.

    >>> with_noise(np.array([[0.8, 0.2], [0.4, 0.6]]), 0.15).round(3).tolist()
    [[0.9, 0.1], [0.2, 0.8]]
    """
    now = 1 - np.trace(transition) / len(transition)
    scaled = transition * (noise / now if now > 0 else 0.0)
    np.fill_diagonal(scaled, 0.0)
    scaled[np.diag_indices(len(scaled))] = 1 - np.minimum(1, scaled.sum(axis=1))
    return scaled


def true_class_probabilities(
    codes: Codes, probs: Floats, transition: Floats, own: Floats | None = None
) -> Floats:
    """P(true class | x, given label): (rows, classes).

    `probs` are of given labels, P(given | x) = sum_j P(true j | x) T[j, given]. P(true | x) is
    found by expectation maximisation, which keeps it a distribution, and joined with what the
    given label says, T[j, given]; or by the transition matrix `own` of whoever gave these labels.

    >>> probs = np.array([[0.8, 0.2], [0.8, 0.2]])
    >>> noisy = np.array([[0.8, 0.2], [0.2, 0.8]])
    >>> true_class_probabilities(np.array([0, 1]), probs, noisy).round(2).tolist()
    [[0.99, 0.01], [0.86, 0.14]]
    """
    result = np.empty_like(probs)
    own = transition if own is None else own
    for at in range(0, len(codes), _AT_ONCE):
        rows = slice(at, at + _AT_ONCE)
        seen, true = probs[rows], probs[rows].copy()
        for _ in range(_STEPS):
            true *= (seen / np.maximum(true @ transition, _LEAST)) @ transition.T
            true /= np.maximum(true.sum(axis=1, keepdims=True), _LEAST)
        result[rows] = _distributions(true * own[:, codes[rows]].T, seen)
    return result


class Corrects(Protocol):
    """What corrects class probabilities for the noise of a table's labels."""

    def apply(self, codes: Codes, probs: Floats) -> Floats:
        """Class probabilities, given the given class: (rows, classes), of such a shape."""


@dataclass(frozen=True)
class Correction:
    """How class probabilities are corrected for the noise of a table's labels.

    They are proportional to P(true class | x, given label), by the matrix `transition` (classes,
    classes), to the power `of_true`, times the model's word to the power `of_model`. With powers
    of a half: their geometric mean. `own` is the matrix of those who gave the labels, if it is
    another than that of the table, from which the model has learned.
    """

    transition: Floats
    of_true: float
    of_model: float
    own: Floats | None = None

    def apply(self, codes: Codes, probs: Floats) -> Floats:
        """Class probabilities of the table's rows, or of some of them: (rows, classes)."""
        true = true_class_probabilities(codes, probs, self.transition, self.own)
        weights = true**self.of_true * probs**self.of_model
        return _distributions(weights, probs)


def correction(
    codes: Codes, probs: Floats, seen: Evidence | None = None, transition: Floats | None = None
) -> Correction:
    """The correction that fits the kind of noise.

    `seen` is the evidence and `transition` the matrix, where these are known already.

    Where whole classes are mistaken for others, or the model is weak, the given label says much.
    Where a strong model disagrees on hard rows, people's labels there are draws, of which the truth
    is the commonest: likelier than the model, which foresees draws, says. And the surest rows, on
    which people agree, do not show how often the labels of others are wrong: as often as the model
    disagrees, at most.

    >>> probs = np.array([[0.8, 0.2], [0.8, 0.2]]).repeat(50, axis=0)
    >>> correction(np.arange(100) // 90, probs).of_model
    0.5
    """
    seen = evidence(codes, probs) if seen is None else seen
    transition = transition_matrix(codes, probs) if transition is None else transition
    if seen.is_peoples:
        return Correction(with_noise(transition, 1 - seen.agreement), *_PEOPLES_POWERS)
    return Correction(transition, 0.5, 0.5)


def careful_correction(codes: Codes, probs: Floats, transition: Floats | None = None) -> Correction:
    """The geometric mean, whatever the noise: it never believes the given label less than that.

    Where people err on hard rows fewer labels are likelier wrong than right by it, and they are
    so more surely; the others are ranked a little worse.
    """
    transition = transition_matrix(codes, probs) if transition is None else transition
    return Correction(transition, 0.5, 0.5)


def corrected(codes: Codes, probs: Floats) -> Floats:
    """Class probabilities with the noise reckoned in: (rows, classes), rows summing to 1."""
    return correction(codes, probs).apply(codes, probs)


def _distributions(weights: Floats, otherwise: Floats) -> Floats:
    """Weights scaled to sums of 1; where there are none (probabilities of 0), `otherwise`."""
    total = weights.sum(axis=1, keepdims=True)
    scaled: Floats = np.where(total > _LEAST, weights / np.maximum(total, _LEAST), otherwise)
    return scaled
