"""What is asked of rows, whatever their kind; and why some of them cannot be used."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.errors import BadInput, BadOption
from sqlfuncs.wording import Given, Option, Part

if TYPE_CHECKING:
    from typing import Self

    from sqlfuncs.learning.features.heads import AnyHead, Learned
    from sqlfuncs.learning.labels.words import Sentences
    from sqlfuncs.learning.rows.probabilities import Probabilities

Floats = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float32]
Reasons = npt.NDArray[np.object_]
Chosen = npt.NDArray[np.int64]
Places = Sequence[int] | Chosen | npt.NDArray[np.bool_]

AVERAGES = ("fast", "best")  # models that read every kind of rows


class Rows(ABC):
    """The rows of a column, all of one kind.

    A row that cannot be used keeps its place, and `reasons` (rows,) has one for it, else None.
    What a kind cannot do it need not say: the defaults are those of one that is only learned from.
    """

    kind: ClassVar[str]  # one word
    called: ClassVar[str | Part]  # in messages: "it cannot read ..."
    example: ClassVar[str | Part] = ""  # in messages: "x may be ..."
    can_be_trained_on: ClassVar[bool] = False  # its features can be stored, and read other rows
    is_compared: ClassVar[bool] = False  # its vectors tell which rows are alike
    is_of_one_length: ClassVar[bool] = False  # lists, all as long as most of them are
    is_read_slowly: ClassVar[bool] = False  # a vector takes far longer than a digest
    needs_model: ClassVar[bool] = True  # to be judged
    is_all_there_is: ClassVar[bool] = True  # rows of equal content are the same thing
    are_apart: ClassVar[bool] = False  # rows of equal content are no copies of each other
    reasons: Reasons

    @classmethod
    @abstractmethod
    def is_type(cls, of: pa.DataType) -> bool:
        """Whether columns of a type may be of this kind."""

    @classmethod
    def is_column(cls, x: pa.Array) -> bool:
        """Whether a whole column is of this kind, by what it holds, too."""
        return cls.is_type(x.type)

    @classmethod
    @abstractmethod
    def read(cls, x: pa.Array) -> Self:
        """The rows of such a column. Raises BadInput for one that cannot be read."""

    @classmethod
    def read_to_compare(cls, x: pa.Array) -> Self:
        """The same where only likeness counts."""
        return cls.read(x)

    @classmethod
    def read_part(cls, x: pa.Array, size: int) -> Self:
        """As `read_to_compare`, of some rows of a column; lists of one length are `size` long."""
        return cls.read_to_compare(x)

    @classmethod
    def refuse_alone(cls) -> None:
        """Raise why `vectors_alone` cannot be had: BadInput, MissingExtra."""
        raise BadInput(
            f"{cls.called} can be compared in tables that one process holds, which this one is "
            "not. Compare embeddings of the rows instead."
        )

    @classmethod
    def why_not_compared(cls, of: pa.DataType) -> str:
        """Where rows of this kind are not compared: what is said of a column of a type."""
        return f"rows are not compared by {cls.called} yet"

    def __len__(self) -> int:
        return len(self.reasons)

    def take(self, at: Places) -> Self:
        """Some of the rows, by their places or by a mask; not copied if those are all."""
        every = np.arange(len(self))
        places = every[at]
        return self if np.array_equal(places, every) else self.chosen(places)

    @abstractmethod
    def chosen(self, places: Chosen) -> Self:
        """The rows at these places."""

    @abstractmethod
    def digests(self) -> list[bytes]:
        """A digest of each row's content: equal content, equal digest."""

    def groups(self, digests: Sequence[bytes]) -> list[bytes]:
        """A digest shared by rows that are near duplicates. `digests` are those of contents."""
        return list(digests)

    def points(self, digests: Sequence[bytes]) -> list[bytes]:
        """A digest shared by rows, all usable, that are the same where they are compared."""
        return self.groups(digests)

    def features(self, model: str) -> tuple[Learned[AnyHead], list[Any]]:
        """The features of usable rows, learned without a label, and their views. See `features`.

        `model` is 'fast', 'best' or an encoder by its name. Raises BadOption for one that cannot
        read rows of this kind, BadInput where none can.
        """
        raise BadInput(f"nothing is learned from {self.called} yet.")

    def reading(self, model: str) -> str:
        """What the features will be, before they are learned: for fingerprints."""
        return self.kind

    def to_arrow(self) -> pa.Array:
        """A column that `read` reads as these rows, where they can be trained on."""
        raise BadInput(f"{self.called} cannot be kept to be trained on yet.")

    @property
    def texts(self) -> list[str] | None:
        """The rows as texts, if they are."""
        return None

    @property
    def words(self) -> Sentences | None:
        """Which words are of which row, if rows are of words."""
        return None

    @property
    def embeddings(self) -> npt.NDArray[np.floating[Any]] | None:
        """The rows as vectors of one length, (rows, dimensions), if they are."""
        return None

    @property
    def probabilities(self) -> Probabilities | None:
        """The rows as class probabilities, which need no model, if they are."""
        return None

    def vectors(self, places: Sequence[int]) -> Vectors:
        """Some of the rows as vectors of length 1, (places, d): their cosine is their likeness.

        Of a kind that is compared; else raises BadInput.
        """
        raise BadInput(f"rows are not compared by {self.called} yet.")

    def vectors_alone(self, places: Sequence[int]) -> Vectors:
        """As `vectors`, but each the same whichever rows there are beside it; nothing is kept.

        Raises what `refuse_alone` does.
        """
        self.refuse_alone()
        return self.vectors(places)

    def variants(self, places: Sequence[int]) -> Sequence[Hashable]:
        """What is equal for rows that are the same but for what makes no difference."""
        return places


def refuse_encoder(called: str | Part, model: str) -> None:
    """Raise BadOption for a model that reads text or images, where what is called so is neither."""
    if model not in AVERAGES:
        raise BadOption(
            f"{Option('model', Given(model))} reads text or images. {called} "
            f"may have {Option('model', 'fast')} or 'best'."
        )


def is_usable(reasons: Reasons) -> npt.NDArray[np.bool_]:
    """Which rows have no reason against them."""
    return np.asarray(pa.array(reasons, pa.string()).is_null())


def describe(reasons: Sequence[str | None] | Reasons) -> str:
    """The reasons with their counts, most frequent first, for an error message.

    >>> describe(["the text is NULL", None, "the text is NULL", "the text is empty"])
    'the text is NULL (2 rows), the text is empty (1 row)'
    """
    return describe_counted(Counter(reason for reason in reasons if reason is not None))


def describe_counted(counts: Mapping[str, int]) -> str:
    """As `describe`, of reasons that are counted."""
    common = sorted(counts.items(), key=lambda pair: -pair[1])[:5]
    return ", ".join(f"{why} ({n} row{'s' if n > 1 else ''})" for why, n in common)
