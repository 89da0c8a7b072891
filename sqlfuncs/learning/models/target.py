"""What models are to predict: the labels of rows, whatever kind of labels these are. A protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.features.heads import AnyHead, Learned, RowWeights
from sqlfuncs.learning.models.pooling import Pool

if TYPE_CHECKING:
    from typing import Self

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]


class Target(Protocol):
    """The labels of some rows, of which some may have none: these teach nothing, but are predicted.

    A model's predictions are floats of shape (rows, `width`).
    """

    @property
    def width(self) -> int:
        """How many numbers are predicted for a row: of classes one each."""

    @property
    def strata(self) -> Whole:
        """What folds have evenly many of: (rows,), -1 for rows without a label."""

    @property
    def ranks(self) -> Whole:
        """An order of labels: (rows,), equal for equal ones, -1 for none."""

    @property
    def codes(self) -> Whole:
        """The classes, for what learns nothing else, as networks do. Raises BadOption."""

    def chosen(self, places: Whole | Mask) -> Self:
        """The labels at these places, or where a mask is true."""

    def refuse_too_many(self) -> None:
        """Raise TooManyClasses for what would take hours, or more memory than there is."""

    def fit(
        self, learned: Learned[AnyHead], place: int, view: Any, weights: RowWeights | None
    ) -> AnyHead:
        """A head on the view at `place` of these rows, which all have a label."""

    def pool(self, predictions: Sequence[Floats]) -> Pool:
        """How heads are averaged, from what each predicted of rows that it did not see."""

    def unseen(self, folds: Whole) -> Mask:
        """Rows whose label is in no other fold, so that no model could learn it: (rows,)."""

    def with_copies(
        self, keys: Sequence[bytes], predicted: Floats, unseen: Mask
    ) -> tuple[Floats, Mask]:
        """Predictions that know the labels of each row's copies, and what is `unseen` still.

        `keys` (rows,) are equal for copies: rows of equal content. A row's own label takes no part.
        """

    def outvoted(self, keys: Sequence[bytes]) -> Mask:
        """Rows that surely most of their copies call otherwise: (rows,)."""
