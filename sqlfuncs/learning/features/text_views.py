"""Which views heads have of a text, and how freely they may fit them.

A text has a view of its words and one for each part of what its encoder says of it. Where a second
encoder reads middle layers, which hold how things are said, there are one of what the first says it
is about, one of those layers by what varies most, and one of all that both say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlfuncs.learning.encoders.encoders import Encoder

# scikit-learn's C, for rows of a mean square length of 1.
_INVERSE_PENALTY = 0.5
_INVERSE_PENALTY_OF_TOPIC = 1.0  # where tone has a head of its own
_INVERSE_PENALTY_OF_ALL = 0.2  # many features, which have to share
_INVERSE_PENALTY_OF_ALL_OF_TOPIC = 0.35
# Heads that fit freely learn the structure of noise, too: which classes are mistaken for which.
# From so many classes on there are too few rows of each to take that out again.
_MANY_CLASSES = 65


@dataclass(frozen=True)
class TextView:
    """A view: of the words, or of `parts` of what encoders say, side by side.

    `inverse_penalty` is its head's, `among_many` that where classes are many. A view that
    `goes_by_variance` weighs what it sees by `scaling.VarianceWeighting`.
    """

    name: str
    parts: Sequence[int]
    inverse_penalty: float
    among_many: float
    goes_by_variance: bool = False

    def inverse_penalty_among(self, n_classes: int) -> float:
        """How freely its head may fit so many classes."""
        return self.among_many if n_classes >= _MANY_CLASSES else self.inverse_penalty


def text_views(by: Sequence[Encoder]) -> tuple[TextView, ...]:
    """The views of texts that some encoders read; the first is of the words."""
    named = [name for encoder in by for name in _names(encoder)]
    alike = _INVERSE_PENALTY, _INVERSE_PENALTY
    each = [TextView(name, [part], *alike) for part, name in enumerate(named)]
    if len(by) < 2:
        # The parts of one encoder are alike: together they say nothing that each does not.
        return (TextView("words", [], *alike), *each)
    every = range(len(named))
    if not by[1].is_middle:
        all_alike = _INVERSE_PENALTY_OF_ALL, _INVERSE_PENALTY_OF_ALL
        return (
            TextView("words", [], *alike),
            *each,
            TextView("all encoders", every, *all_alike),
        )
    of_topic = _INVERSE_PENALTY_OF_TOPIC, _INVERSE_PENALTY
    return (
        TextView("words", [], *of_topic),
        TextView(named[0], [0], *of_topic),
        TextView(named[-1], [len(named) - 1], *alike, goes_by_variance=True),
        TextView("all encoders", every, _INVERSE_PENALTY_OF_ALL_OF_TOPIC, _INVERSE_PENALTY_OF_ALL),
    )


def _names(encoder: Encoder) -> list[str]:
    name = encoder.name.rpartition("/")[2]
    if encoder.parts == 1:
        return [name]
    return [f"{name}, part {part}" for part in range(1, encoder.parts + 1)]
