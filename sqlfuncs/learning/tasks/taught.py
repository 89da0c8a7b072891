"""Labels that a model is trained on, whatever their kind: what `fine_tune` asks of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.features.heads import RowWeights
from sqlfuncs.learning.models.decoding import Decoder, Said
from sqlfuncs.learning.models.target import Floats, Target
from sqlfuncs.wording import Option

FEW = 10  # rows of a class: fewer teach little
_SHOWN = 3


class Taught(ABC):
    """The labels of rows, each of which has one, in the order of the rows.

    `classes` are those that a model of them can give, none where labels are amounts.
    """

    way: ClassVar[str] = ""  # how such labels are learned, if not as classes: for fingerprints
    is_multi: ClassVar[bool] = False
    loss: ClassVar[str | None] = None  # of a network (`networks.objective`), if one learns them
    classes: tuple[str, ...]

    @abstractmethod
    def target(self, weights: RowWeights | None = None) -> Target:
        """What models learn; `weights` (rows,) are how much each row counts."""

    @abstractmethod
    def refuse_useless(self) -> None:
        """Raise TooFewClasses where there is nothing to tell apart; say what looks odd."""

    @property
    @abstractmethod
    def counts(self) -> Mapping[str, int]:
        """How many rows each class has, in the order of text."""

    @abstractmethod
    def warnings(self, contradictions: int) -> list[str]:
        """What may make a model poor; as many rows have a content of several labels."""

    @abstractmethod
    def decoder(self, predicted: Floats, weights: RowWeights | None = None) -> Decoder:
        """What reads predictions, by those of these rows out of sample: (rows, width).

        NaN is what is not known of rows.
        """

    @abstractmethod
    def _score(self, places: npt.NDArray[np.int64], said: Sequence[Said]) -> float | None:
        """How good what is said of the rows at some places is, against their labels."""

    def score(self, predicted: Floats, weights: RowWeights | None = None) -> float | None:
        """How good predictions out of sample are (rows, width), as scikit-learn's `score` says it.

        The share of rows that are right, or that of the variance that is explained; of those rows
        of which something is known, None where these are fewer than two. What reads the
        predictions of one half of them is learned from the other half, as no model saw either.
        """
        known = np.flatnonzero(~np.isnan(predicted[:, 0]))
        if len(known) < 2:
            return None
        halves = known[::2], known[1::2]
        said = list[Said]()
        for own, other in (halves, halves[::-1]):
            others = np.full_like(predicted, np.nan)
            others[other] = predicted[other]
            said += self.decoder(others, weights).said(predicted[own])
        return self._score(np.concatenate(halves), said)

    @property
    def answers(self) -> list[list[str]] | None:
        """The classes of each row, as a language model is to name them; None where labels are none.

        Where `is_multi`, any number for each.
        """
        return None

    def balanced(self, weights: RowWeights | None) -> RowWeights:
        """Weights under which all classes count the same. Raises BadOption for other labels."""
        raise BadOption(f"{Option('balanced', True)} is about classes; these labels are none.")


def rare(counts: Mapping[str, int], what: str) -> list[str]:
    """A warning of classes that hardly any row has.

    >>> rare({"a": 3, "b": 99}, "the label")
    ["fewer than 10 rows have the label 'a': a model learns little of it"]
    """
    few = [name for name, count in counts.items() if count < FEW]
    if not few:
        return []
    shown = ", ".join(f"'{name}'" for name in few[:_SHOWN])
    more = f" or one of {len(few) - _SHOWN:,} others" if len(few) > _SHOWN else ""
    return [f"fewer than {FEW} rows have {what} {shown}{more}: a model learns little of it"]


def contradicting(contradictions: int, other: str) -> list[str]:
    """A warning of rows whose content has another label as well."""
    if not contradictions:
        return []
    return [f"{contradictions:,} rows have a text that has {other}"]
