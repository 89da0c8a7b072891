"""Views of rows, and beside them one of other evidence: of votes, or of the fields beside texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlfuncs.learning.features.attributions import Named
from sqlfuncs.learning.features.heads import AnyHead, Floats, Learned, RowWeights, Weighable
from sqlfuncs.learning.features.ridge import LeftOut, fit_regressor, left_out
from sqlfuncs.learning.labels.classes import Codes


@dataclass(frozen=True)
class Beside:
    """Features whose last view is of `other` evidence; the `views` before it are of `inner`."""

    inner: Learned[AnyHead]
    other: Learned[AnyHead]
    views: int

    def fit_head(
        self,
        place: int,
        view: Any,
        codes: Codes,
        n_classes: int,
        weights: RowWeights | None = None,
    ) -> AnyHead:
        """A head on one of the inner views, or on the last one."""
        learned, at = self._of(place)
        if weights is None:
            return learned.fit_head(at, view, codes, n_classes)
        weighable = cast("Weighable[AnyHead]", learned)
        return weighable.fit_head(at, view, codes, n_classes, weights)

    def fit_regressor(
        self, place: int, view: Any, values: Floats, weights: RowWeights | None = None
    ) -> AnyHead:
        """The same for numbers."""
        learned, at = self._of(place)
        return fit_regressor(learned, at, view, values, weights)

    def left_out(
        self, place: int, view: Any, values: Floats, weights: RowWeights | None
    ) -> LeftOut | None:
        """The same on all rows but some: see `ridge.left_out`."""
        learned, at = self._of(place)
        return left_out(learned, at, view, values, weights)

    def _of(self, place: int) -> tuple[Learned[AnyHead], int]:
        """Which features a view belongs to, and its place among theirs."""
        return (self.other, 0) if place == self.views else (self.inner, place)

    @property
    def view_names(self) -> tuple[str, ...]:
        """What each view is."""
        own = tuple(f"view {at}" for at in range(1, self.views + 1))
        other: tuple[str, ...] = getattr(self.other, "view_names", (f"view {self.views + 1}",))
        return (*getattr(self.inner, "view_names", own), *other)

    def attributions(
        self, heads: Sequence[Any], views: Sequence[Any], pro: Codes, contra: Codes
    ) -> list[Named]:
        """What of both speaks for a class, and for another."""
        own = _attributions(self.inner, heads[:-1], views[:-1], pro, contra)
        others = _attributions(self.other, heads[-1:], views[-1:], pro, contra)
        return [[*one, *other] for one, other in zip(own, others, strict=True)]


def _attributions(
    learned: Learned[AnyHead], heads: Sequence[Any], views: Sequence[Any], pro: Codes, contra: Codes
) -> list[Named]:
    """Nothing, of features that do not say."""
    explain = getattr(learned, "attributions", None)
    found: list[Named] = explain(heads, views, pro, contra) if explain else [[] for _ in pro]
    return found
