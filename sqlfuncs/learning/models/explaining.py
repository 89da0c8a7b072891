"""Why models think that labels are wrong: which heads say so, and what in a row speaks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.features.attributions import Named
from sqlfuncs.learning.features.heads import AnyHead, Learned
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.models.class_target import ClassTarget
from sqlfuncs.learning.models.fast import one_thread
from sqlfuncs.learning.models.out_of_sample import prepare
from sqlfuncs.learning.models.resolve import resolve
from sqlfuncs.learning.rows.base import Rows
from sqlfuncs.wording import Given, Option

Mask = npt.NDArray[np.bool_]


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


def explain(
    rows: Rows, codes: Codes, width: int, learned: Mask, asked: Codes, suggested: Codes, model: str
) -> list[Why]:
    """Why the rows `asked` (asked,) may be of the classes `suggested` (asked,), not of their own.

    `codes` (rows,) are the given classes of all, -1 for none. Heads are trained on the rows
    `learned` (rows,), to which none of the asked ones belongs: none explains a label it has seen.
    Raises BadOption for models that are no heads.
    """
    taught = np.where(learned, codes, -1)
    prepared = prepare(rows, ClassTarget(taught, width), _heads_of(model))
    features = cast("Learned[AnyHead]", prepared.features)
    place = np.empty(len(prepared.order), dtype=np.int64)
    place[prepared.order] = np.arange(len(place))
    target = np.flatnonzero(prepared.target.as_classes() >= 0)
    with one_thread():
        heads = [
            features.fit_head(at, view[target], taught[prepared.order][target], width)
            for at, view in enumerate(prepared.views)
        ]
        views = [view[place[asked]] for view in prepared.views]
        votes = [head.predict(view).argmax(axis=1) for head, view in zip(heads, views, strict=True)]
        names = tuple(f"view {at}" for at in range(1, len(views) + 1))
        said: list[Named] = [[] for _ in asked]
        if isinstance(features, Explained):
            names = features.view_names
            said = features.attributions(heads, views, suggested, codes[asked])
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
