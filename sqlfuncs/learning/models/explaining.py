"""Why models think that labels are wrong: which heads say so, and what in a row speaks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadOption, NoUsableRows
from sqlfuncs.learning.features.attributions import Named
from sqlfuncs.learning.features.heads import AnyHead, Learned, one_thread
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.models.class_target import ClassTarget
from sqlfuncs.learning.models.out_of_sample import prepare
from sqlfuncs.learning.models.resolve import resolve
from sqlfuncs.learning.rows.base import Rows
from sqlfuncs.learning.rows.voters import Votes
from sqlfuncs.wording import Given, Option

Mask = npt.NDArray[np.bool_]

_LEAST = 1e-9  # below, something says nothing


@runtime_checkable
class Explained(Protocol):
    """Features that say what their views are; a kind of row from outside may do without."""

    @property
    def view_names(self) -> tuple[str, ...]:
        """What each view is."""

    def attributions(
        self, heads: list[AnyHead], views: list[Any], pro: Codes, contra: Codes
    ) -> list[Named]:
        """What in each row speaks for `pro` (above 0) and for `contra` (below)."""


@dataclass(frozen=True)
class Why:
    """Of one row: the class that each head gives it, and what speaks for one of two classes."""

    votes: dict[str, int]
    said: Named

    def speaks_for(self, suggested: bool, most: int) -> list[str]:
        """What speaks most for the suggested or the given class, the strongest first."""
        side = 1 if suggested else -1
        ours = [(name, side * part) for name, part in self.said if side * part > _LEAST]
        return [name for name, _ in sorted(ours, key=lambda each: (-each[1], each[0]))[:most]]


class Explainer:
    """Heads that say why rows are not of the class they were given; any of the rows."""

    def __init__(
        self,
        rows: Rows,
        codes: Codes,
        width: int,
        learned: Mask,
        model: str,
        votes: Votes | None = None,
    ) -> None:
        """Train the heads of a model on some of the rows.

        `codes` (rows,) are the given classes, -1 for none, of `width` classes; `learned` (rows,) of
        bool; `votes` are those on the rows. Raises BadOption for models that are no heads,
        NoUsableRows for nothing to learn from.
        """
        learned = learned & (codes >= 0)
        if not learned.any():
            raise NoUsableRows("every row is flagged: none is left to explain the others by.")
        taught = np.where(learned, codes, -1)
        prepared = prepare(rows, ClassTarget(taught, width), _heads_of(model), votes)
        self._codes, self._views = codes, prepared.views
        self._features = cast("Learned[AnyHead]", prepared.features)
        self._place = np.empty(len(prepared.order), dtype=np.int64)
        self._place[prepared.order] = np.arange(len(self._place))
        target = np.flatnonzero(prepared.target.as_classes() >= 0)
        known = taught[prepared.order][target]
        with one_thread():
            self._heads = [
                self._features.fit_head(at, view[target], known, width)
                for at, view in enumerate(prepared.views)
            ]

    def explain(self, asked: Codes, suggested: Codes) -> list[Why]:
        """Why the rows `asked` (asked,) may be of the classes `suggested` (asked,).

        None of them may be one that the heads have learned: they know what its label is.
        """
        views = [view[self._place[asked]] for view in self._views]
        names = tuple(f"view {at}" for at in range(1, len(views) + 1))
        said: list[Named] = [[] for _ in asked]
        with one_thread():
            heads = zip(self._heads, views, strict=True)
            votes = [head.predict(view).argmax(axis=1) for head, view in heads]
            if isinstance(self._features, Explained):
                names = self._features.view_names
                said = self._features.attributions(
                    self._heads, views, suggested, self._codes[asked]
                )
        voted = [dict(zip(names, map(int, row), strict=True)) for row in zip(*votes, strict=True)]
        return [Why(*each) for each in zip(voted, said, strict=True)]


def _heads_of(model: str) -> str:
    found = resolve(model)
    if isinstance(found, str):
        return found
    raise BadOption(
        f"{Option('model', Given(model))} is a network, which says nothing of its reasons; take "
        f"{Option('model', 'fast')}."
    )
