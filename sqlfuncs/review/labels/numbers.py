"""Labels that are numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.detection.verification import Candidates
from sqlfuncs.learning.labels import numbers
from sqlfuncs.learning.labels.numbers import Floats
from sqlfuncs.learning.tasks import suggested_numbers
from sqlfuncs.review.labels.base import (
    Codes,
    Form,
    InWords,
    Labels,
    Mask,
    Pair,
    Parts,
    Told,
    Trusted,
    flagged_rows,
)

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_LONGEST = 60  # letters of what is no number, that are said again
_MARGIN = 0.05  # of the scale, on both sides


@dataclass(frozen=True)
class Scale:
    """A row's numbers and where they are on a line from 0 to 100; None where there is none.

    `low` and `high` are the ends of what the label may be, as text; `field` is what stands to be
    changed, and whether it was refused.
    """

    low: str | None
    high: str | None
    at_low: float
    at_high: float
    at_given: float | None
    at_suggested: float | None
    is_outside: bool
    field: str
    is_refused: bool


class Numbers(Labels):
    """Numbers. `told` is the least and the most that a label may be, NaN if unknown."""

    name = "numbers"
    columns = ("label_low", "label_high")
    field = "number"
    choices_suggested = ("higher", "lower")

    def __init__(
        self, given: Sequence[str | None], judged: pa.Table, more: Collection[str], parts: Parts
    ) -> None:
        super().__init__(given, judged, more, parts)
        self._read = np.zeros(0)

    def told(self, learned: pa.Table) -> Told:
        """(rows, 2)."""
        ends = [learned[name].cast(pa.float64()).to_numpy() for name in self.columns]
        return np.column_stack(ends)

    def candidates(self, given: Sequence[str | None], judged: pa.Table) -> Candidates:
        """The flagged ones."""
        return suggested_numbers.suggestions(flagged_rows(given, judged)).found

    def outcome(self, given: str, suggested: str, true: str) -> tuple[bool, bool]:
        """Right if it is nearer to the true number, harmful if it is farther."""
        one, other, right = _values([given, suggested, true]).tolist()
        return abs(other - right) < abs(one - right), abs(other - right) > abs(one - right)

    def is_suggested(self, given: Codes, suggested: Codes, choice: int) -> Mask:
        """Rows whose number is to be higher (0), or lower (1)."""
        if choice not in (0, 1):
            return super().is_suggested(given, suggested, choice)
        values = np.append(self._values(), np.nan)  # the last one is that of no label
        wanted: Mask = np.sign(values[suggested] - values[given]) == (1, -1)[choice]
        return wanted

    def _values(self) -> Floats:
        """(labels,): what their texts are."""
        with self._adding:
            new = self.texts[len(self._read) :]
            self._read = np.append(self._read, _values(new))
            return self._read

    def pairs(self, given: Codes, suggested: Codes) -> list[Pair]:
        """How many are to be higher, and lower."""
        counts = Counter(
            {choice: int(self.is_suggested(given, suggested, choice).sum()) for choice in (0, 1)}
        )
        return [
            Pair(self.choices_suggested[choice], None, choice, rows)
            for choice, rows in counts.most_common()
            if rows
        ]

    def shown(
        self,
        given: str | None,
        suggested: str | None,
        told: Told,
        typed: str | None,
        content: object,
    ) -> Scale:
        """Where the number, the suggestion and the interval are on one line."""
        own, instead = (None if t is None else _finite(t) for t in (given, suggested))
        low, high = (None if np.isnan(end) else float(end) for end in told)
        known = [each for each in (own, instead, low, high) if each is not None]
        least, most = min(known, default=0.0), max(known, default=0.0)
        width = (most - least) or 1.0
        start, whole = least - _MARGIN * width, (1 + 2 * _MARGIN) * width

        def at(value: float | None) -> float | None:
            return None if value is None else 100 * (value - start) / whole

        return Scale(
            _like(low, given, suggested),
            _like(high, given, suggested),
            at(low) or 0.0,
            at(high) or 0.0,
            at(own),
            at(instead),
            own is not None and low is not None and high is not None and not low <= own <= high,
            (given if own is not None and given is not None else "") if typed is None else typed,
            typed is not None,
        )

    def trusted(self, given: int, suggested: int, in_force: Codes) -> list[Trusted]:
        """All rows that have a number."""
        return [Trusted("", in_force >= 0)]

    def read(self, form: Form, in_words: InWords) -> str | None:
        """What was typed in the field `number`."""
        if self.field not in form:
            return super().read(form, in_words)
        text = form[self.field][0].strip()
        shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
        if not text:
            raise BadInput("no number was typed: type one, or keep the label as it is.")
        if not _NUMBER.fullmatch(text):
            raise BadInput(
                f"{shown!r} is no number. Type digits with a point before decimals, such as "
                "12.5 or -3e4."
            )
        if _finite(text) is None:
            raise BadInput(f"{shown} is too large: such a number would be as good as infinite.")
        return in_words(text)

    def typed(self, form: Form) -> str | None:
        """It as it was typed, as far as an address holds it."""
        return form[self.field][0][:200] if self.field in form else None


def _values(texts: Sequence[str]) -> Floats:
    return numbers.as_numbers(pa.array(texts, pa.string()))


def _like(value: float | None, *labels: str | None) -> str | None:
    """A number with as many decimals as labels have.

    >>> _like(24.4361, "47.50", None), _like(24.4361, None), _like(24.4361, "1e+20")
    ('24.44', '24.4361', '24.4361')
    """
    if value is None:
        return None
    written = [text for text in labels if text is not None and "e" not in text]
    decimals = max((len(text.partition(".")[2]) for text in written), default=None)
    return f"{value:.6g}" if decimals is None else f"{value:.{decimals}f}"


def _finite(text: str) -> float | None:
    """A number that can be a label; None for NaN, infinity and what is none."""
    value = float(_values([text])[0])
    return None if np.isnan(value) else value
