"""Labels that a model is trained on, whatever their kind: what `fine_tune` asks of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadOption, NoUsableRows
from sqlfuncs.learning.features.features import Features
from sqlfuncs.learning.features.heads import RowWeights
from sqlfuncs.learning.labels.classes import if_amounts
from sqlfuncs.learning.models import fast
from sqlfuncs.learning.models.decoding import Decoder, Said
from sqlfuncs.learning.models.folds import Order
from sqlfuncs.learning.models.out_of_sample import by_models, prepare
from sqlfuncs.learning.models.target import Floats, Target, Whole
from sqlfuncs.learning.rows.base import Rows, describe, is_usable
from sqlfuncs.wording import Option

if TYPE_CHECKING:
    from sqlfuncs.learning.models.networks.network import Network
    from sqlfuncs.learning.models.networks.pieces import Pieces
    from sqlfuncs.learning.models.pooling import StoredPool

FEW = 10  # rows of a class: fewer teach little
_SHOWN = 3


Report = Callable[[float], None]  # gets how much of all is done, 0 to 1
_READ, _JUDGED = 0.3, 0.8  # how much of all is done by then, about


@dataclass(frozen=True)
class Fitted:
    """The files of a trained model, and what models that did not see rows `predicted` of them.

    That is as a `Taught` reads it: (rows, width), or where labels are of words (words, width).
    """

    files: Mapping[str, bytes]
    predicted: Floats


class Taught(ABC):
    """The labels of rows, each of which has one, in the order of the rows.

    `classes` are those that a model of them can give, none where labels are amounts.
    """

    way: ClassVar[str] = ""  # how such labels are learned, if not as classes: for fingerprints
    is_multi: ClassVar[bool] = False
    loss: ClassVar[str | None] = None  # of a network (`networks.objective`), if one learns them
    epochs: ClassVar[int | None] = None  # of it, where these are not those of its recipe
    classes: tuple[str, ...]

    @property
    @abstractmethod
    def width(self) -> int:
        """How many numbers a prediction is."""

    @property
    @abstractmethod
    def ranks(self) -> Whole:
        """An order of labels: (rows,), equal for equal ones."""

    @abstractmethod
    def fit(
        self,
        rows: Rows,
        base: str,
        *,
        folds: int,
        seed: int,
        weights: RowWeights | None,
        report: Report,
    ) -> Fitted:
        """Linear heads on `rows`, by 'fast' or 'best'. Raises NoUsableRows, TooManyClasses."""

    @abstractmethod
    def pieces(self, network: Network, rows: Rows, order: Order, weights: RowWeights) -> Pieces:
        """The rows, in some order, as a network learns from them."""

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
    def score(self, predicted: Floats, weights: RowWeights | None = None) -> float | None:
        """How good predictions out of sample are, of those rows of which something is known.

        None where these are fewer than two.
        """

    @property
    def answers(self) -> list[list[str]] | None:
        """The classes of each row, as a language model is to name them; None where labels are none.

        Where `is_multi`, any number for each.
        """
        return None

    def balanced(self, weights: RowWeights | None) -> RowWeights:
        """Weights under which all classes count the same. Raises BadOption for other labels."""
        raise BadOption(f"{Option('balanced', True)} is about classes; these labels are none.")


class TaughtWhole(Taught):
    """Those that are each of a whole row: a `Target` is what models learn."""

    @abstractmethod
    def target(self, weights: RowWeights | None = None) -> Target:
        """What models learn; `weights` (rows,) are how much each row counts."""

    @property
    def width(self) -> int:
        """See `Taught.width`."""
        return self.target().width

    @property
    def ranks(self) -> Whole:
        """See `Taught.ranks`."""
        return self.target().ranks

    def fit(
        self,
        rows: Rows,
        base: str,
        *,
        folds: int,
        seed: int,
        weights: RowWeights | None,
        report: Report,
    ) -> Fitted:
        """See `Taught.fit`. Raises NoUsableRows where no label has two rows, too."""
        prepared = prepare(rows, self.target(weights), base)
        report(_READ)
        predicted, unseen, pool = by_models(prepared, folds=folds, seed=seed, weights=weights)
        report(_JUDGED)
        if not is_usable(unseen).any():
            raise NoUsableRows(
                f"nothing can be learned: {describe(unseen)}. The label has {len(self.classes):,} "
                "different values: is it the right column?"
                f"{if_amounts(self.classes)}"
            )
        assert isinstance(prepared.features, Features)
        trained = fast.fit(
            prepared.features,
            prepared.views,
            prepared.target,
            cast("StoredPool", pool),
            None if weights is None else weights[prepared.order],
        )
        return Fitted(trained.to_files(), predicted)

    def pieces(self, network: Network, rows: Rows, order: Order, weights: RowWeights) -> Pieces:
        """See `Taught.pieces`: a row is one."""
        from sqlfuncs.learning.models.networks.pieces import OfTexts

        assert rows.texts is not None
        return OfTexts.of_target(network, rows.texts, self.target(), weights, order)

    @abstractmethod
    def _score(self, places: npt.NDArray[np.int64], said: Sequence[Said]) -> float | None:
        """How good what is said of the rows at some places is, against their labels."""

    def score(self, predicted: Floats, weights: RowWeights | None = None) -> float | None:
        """See `Taught.score`: the share of rows that are right, or of the variance explained.

        What reads the predictions of one half of the rows is learned from the other half, as no
        model saw either.
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


def rare(counts: Mapping[str, int], what: str, of: str = "rows") -> list[str]:
    """A warning of classes that hardly any row has.

    >>> rare({"a": 3, "b": 99}, "the label")
    ["fewer than 10 rows have the label 'a': a model learns little of it"]
    """
    few = [name for name, count in counts.items() if count < FEW]
    if not few:
        return []
    shown = ", ".join(f"'{name}'" for name in few[:_SHOWN])
    more = f" or one of {len(few) - _SHOWN:,} others" if len(few) > _SHOWN else ""
    return [f"fewer than {FEW} {of} have {what} {shown}{more}: a model learns little of it"]


def contradicting(contradictions: int, other: str) -> list[str]:
    """A warning of rows whose content has another label as well."""
    if not contradictions:
        return []
    return [f"{contradictions:,} rows have a text that has {other}"]
