"""What models are to predict: the labels of rows, whatever kind of labels these are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.features.heads import AnyHead, Learned, RowWeights
from sqlfuncs.wording import Option

if TYPE_CHECKING:
    from typing import Self

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]


class Pooling(Protocol):
    """How the predictions of several heads become one."""

    def __call__(self, predictions: Sequence[Floats], /) -> Floats:
        """Of each head (rows, width), of all together the same."""


class Target(ABC):
    """The labels of some rows, of which some may have none: these teach nothing, but are predicted.

    A model's predictions are floats of shape (rows, `width`). What a kind of label need not say
    has a default.
    """

    width: int

    @property
    @abstractmethod
    def strata(self) -> Whole:
        """What folds have evenly many of: (rows,), -1 for rows without a label."""

    @property
    @abstractmethod
    def ranks(self) -> Whole:
        """An order of labels: (rows,), equal for equal ones, -1 for none."""

    def as_classes(self) -> Whole:
        """The labels as codes 0 .. `width` - 1, -1 for none, for what learns classes only."""
        raise BadOption(
            f"such a model learns classes only; take {Option('model', 'fast')} or 'best'."
        )

    def as_values(self) -> Floats | None:
        """What networks learn, (rows, width), where labels are no classes; None where they are."""
        return None

    @abstractmethod
    def chosen(self, places: Whole | Mask) -> Self:
        """The labels at these places, or where a mask is true."""

    @abstractmethod
    def fit(
        self, learned: Learned[AnyHead], place: int, view: Any, weights: RowWeights | None
    ) -> AnyHead:
        """A head on the view at `place` of these rows, which all have a label."""

    def left_out(
        self, learned: Learned[AnyHead], place: int, view: Any, weights: RowWeights | None
    ) -> Callable[[Mask], AnyHead]:
        """What trains a head on all rows but those of a mask (rows,), of whom some have no label.

        The mask has the rows without a label, too.
        """

        def fit(held_out: Mask) -> AnyHead:
            kept = ~held_out
            others = None if weights is None else weights[kept]
            return self.chosen(kept).fit(learned, place, view[kept], others)

        return fit

    def pool(self, predictions: Sequence[Floats]) -> Pooling:
        """How heads are averaged, from what each predicted of rows that it did not see."""
        return mean

    def pool_beside(self, predictions: Sequence[Floats]) -> Pooling:
        """The same where the last head sees other evidence than the others (`features.beside`)."""
        return self.pool(predictions)

    def pool_with_votes(self, predictions: Sequence[Floats]) -> Pooling:
        """The same where the last head's view is votes on the rows (`features.voters`)."""
        raise BadOption("votes name classes; these labels are none.")

    def refuse_too_many(self) -> None:
        """Raise TooManyClasses for what would take hours, or more memory than there is."""
        return

    def unseen(self, folds: Whole) -> Mask:
        """Rows whose label is in no other fold, so that no model could learn it: (rows,)."""
        return np.zeros(len(folds), dtype=bool)

    def with_copies(
        self, keys: Sequence[bytes], predicted: Floats, unseen: Mask
    ) -> tuple[Floats, Mask]:
        """Predictions that know the labels of each row's copies, and what is `unseen` still.

        `keys` (rows,) are equal for copies: rows of equal content. A row's own label takes no part.
        """
        return predicted, unseen

    def outvoted(self, keys: Sequence[bytes]) -> Mask:
        """Rows that surely most of their copies call otherwise: (rows,)."""
        return np.zeros(len(keys), dtype=bool)


@dataclass(frozen=True)
class Nested:
    """What `inner` makes of all predictions but the last, and the last, as `outer` pools both."""

    inner: Pooling
    outer: Pooling

    def __call__(self, predictions: Sequence[Floats]) -> Floats:
        """The pooled predictions: (rows, width)."""
        *own, last = predictions
        return self.outer([self.inner(own), last])


def counts_of(weights: RowWeights | None, rows: Mask) -> Floats:
    """How much each of some rows counts, (rows, 1): 1 where there are no weights."""
    if weights is None:
        return np.ones((int(rows.sum()), 1))
    found: Floats = weights[rows, None].astype(np.float64)
    return found


def mean(predictions: Sequence[Floats]) -> Floats:
    """The plain mean of some heads' predictions."""
    found: Floats = np.mean(predictions, axis=0)
    return found
