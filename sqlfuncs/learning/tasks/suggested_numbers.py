"""What a label_issues result suggests where labels are numbers: nearer is nearer."""

from __future__ import annotations

from sqlfuncs.learning.labels import numbers
from sqlfuncs.learning.labels.numbers import Floats
from sqlfuncs.learning.tasks.suggested import Suggested


def _apart(one: Floats, other: Floats) -> Floats:
    """How far two numbers are apart, in the unit of the labels."""
    found: Floats = abs(one - other)
    return found


_OF_NUMBERS = Suggested[Floats](
    numbers.as_numbers,
    _apart,
    "that a number is unusual for its row does not tell that it is wrong: only people who look at "
    "some of them do",
)
suggestions, strength = _OF_NUMBERS.suggestions, _OF_NUMBERS.strength
