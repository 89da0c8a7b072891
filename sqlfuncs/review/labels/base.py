"""What the page asks of labels, whatever their kind. Each kind has a template of its name, too.

Labels are the text that their engine has for them, and codes of that: the place of a text among all
that were met. A choice is what filters offer: a class, a tag, a tag to be added.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.detection.verification import Candidates

Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Told = npt.NDArray[np.floating]

MOST_KEYS = 9  # choices with keys of their own
_SHOWN = 20

Form = Mapping[str, Sequence[str]]
Parts = Callable[[str], list[str] | None]  # of a label's text; None for what is no list
InWords = Callable[[str], str]  # a label as the table has it; raises BadInput for what is none


@dataclass(frozen=True)
class Pair:
    """Rows whose label is doubted in one way, and the choices of the filter that shows them."""

    text: str
    given: int | None
    suggested: int | None
    rows: int


@dataclass(frozen=True)
class Trusted:
    """Labels that speak about a row: `of` (rows,) have them in force; `called` is what to say."""

    called: str
    of: Mask


class Labels(ABC):
    """The labels of a table under review, of one kind.

    What the model says of a row beside its suggestion is `told`, a row of numbers whose columns are
    the kind's own.
    """

    name: ClassVar[str]  # of the template
    columns: ClassVar[tuple[str, ...]] = ()  # of label_issues and review_queue, for `told`
    field: ClassVar[str] = ""  # of a form, in which a label is typed
    explains: ClassVar[bool] = False  # whether the heads of a model can say why a label is doubted
    of_parts: ClassVar[bool] = False  # of what the model reads, such as words: it is what is shown
    choices_given: Sequence[str] = ()
    choices_suggested: Sequence[str] = ()

    def __init__(
        self, given: Sequence[str | None], judged: pa.Table, more: Collection[str], parts: Parts
    ) -> None:
        """`given` are the labels of all rows, `judged` a result of label_issues.

        `more` are labels that somebody has decided on, `parts` says what a list is.
        """
        self._parts_of = parts
        self.texts: list[str] = []
        self._places: dict[str, int] = {}
        self._adding = threading.Lock()

    def code(self, text: str) -> int:
        """The code of a label; one that was not met gets the next. -1 for none that can be."""
        if text not in self._places:
            with self._adding:
                if text not in self._places:
                    self.texts.append(text)
                    self._places[text] = len(self.texts) - 1
        return self._places[text]

    def codes(self, texts: Iterable[str | None]) -> Codes:
        """The codes of labels, -1 for NULL."""
        return np.array([-1 if t is None else self.code(t) for t in texts], dtype=np.int64)

    def text(self, code: int) -> str | None:
        """The label of a code."""
        return self.texts[code] if code >= 0 else None

    # What the model says.

    @abstractmethod
    def told(self, learned: pa.Table) -> Told:
        """(rows, columns of the kind): of the rows of a result of label_issues or review_queue."""

    @abstractmethod
    def candidates(self, given: Sequence[str | None], judged: pa.Table) -> Candidates:
        """The rows of `judged` that may be corrected, whose labels are `given` (rows,)."""

    @abstractmethod
    def outcome(self, given: str, suggested: str, true: str) -> tuple[bool, bool]:
        """Whether a suggestion was right, and whether it was harmful, where the label is wrong."""

    # What a filter wants. Codes of labels are (rows,), -1 for none.

    def is_given(self, given: Codes, choice: int) -> Mask:
        """(rows,): which labels a choice of those given wants."""
        return np.zeros(len(given), bool)

    def is_suggested(self, given: Codes, suggested: Codes, choice: int) -> Mask:
        """(rows,): which labels a choice of those what they should be wants."""
        return np.zeros(len(given), bool)

    def matrix(self, given: Codes, suggested: Codes) -> Codes | None:
        """(choices given, choices suggested): numbers of rows; None where one has no such table."""
        return None

    @abstractmethod
    def pairs(self, given: Codes, suggested: Codes) -> list[Pair]:
        """In which ways labels are doubted, the most frequent first."""

    # What is shown of one row.

    def parts(self, text: str) -> Sequence[str]:
        """A label as the texts to be shown beside each other."""
        return (text,)

    def change(self, given: str | None, suggested: str) -> str:
        """A suggestion in a few words, for a button."""
        return suggested

    @abstractmethod
    def shown(
        self,
        given: str | None,
        suggested: str | None,
        told: Told,
        typed: str | None,
        content: object,
    ) -> object:
        """What the template of the kind shows of a row, whose `content` is as Arrow has it.

        `typed` is what was sent, and not taken.
        """

    @abstractmethod
    def trusted(self, given: int, suggested: int, in_force: Codes) -> list[Trusted]:
        """Which rows are evidence for a label and a suggestion: `in_force` (rows,) is theirs."""

    # What is sent.

    def read(self, form: Form, in_words: InWords) -> str | None:
        """The label in a form; None if there is none. Raises BadInput for what is no label."""
        if "label" not in form:
            return None
        code = number(form["label"][0])
        if code is None or code >= len(self.texts):
            asked, known = form["label"][0], len(self.texts)
            raise BadInput(f"there is no label number {asked!r}. There are {known} labels.")
        return self.texts[code]

    def typed(self, form: Form) -> str | None:
        """What was typed in a form, to be shown again."""
        return None

    def check(self, text: str | None) -> str:
        """A label that a row may get. Raises BadInput."""
        if text is None or self.code(text) < 0:
            known = ", ".join(self.texts[:_SHOWN])
            raise BadInput(f"there is no label {text!r}. There are {known}.")
        return text

    def is_same(self, one: str, other: str | None) -> bool:
        """Whether two labels are one, however they are written."""
        return one == other


def flagged_rows(
    given: Sequence[str | None],
    judged: pa.Table,
    written: Callable[[str], str | None] = lambda text: text,
) -> pa.StructArray:
    """Rows of a result of label_issues as a task's `suggestions` reads them.

    Labels, as they are `written` there, are those of flagged rows alone: others are no candidates.
    """
    flagged = judged["is_label_issue"].fill_null(False).to_pylist()

    def of_flagged(texts: Sequence[str | None]) -> pa.Array:
        pairs = zip(texts, flagged, strict=True)
        return pa.array(
            [written(t) if f and t is not None else None for t, f in pairs], pa.string()
        )

    rows = {
        "label": of_flagged(given),
        "suggested_label": of_flagged(judged["suggested_label"].to_pylist()),
        "is_label_issue": judged["is_label_issue"].combine_chunks(),
        "confidence": judged["suggested_confidence"].combine_chunks(),
    }
    return pa.StructArray.from_arrays(list(rows.values()), list(rows))


def number(text: str | None) -> int | None:
    """A number that was sent; None for what is none.

    >>> number("12"), number("-1"), number("²"), number(None)
    (12, None, None, None)
    """
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
