"""What looks like a mistake in what was asked, though it can be computed: said, not refused."""

from __future__ import annotations

from collections.abc import Sequence

from sqlfuncs import work
from sqlfuncs.learning import inputs
from sqlfuncs.learning.classes import Codes
from sqlfuncs.learning.folds import are_observations, repeated

_MANY_UNUSED = 0.1  # of the rows
_FOR_CERTAIN = 50  # rows that a model foretells all: fewer may be easy
_SHOWN = 3


def about_rows(reasons: inputs.Reasons, n_classes: int) -> None:
    """Say it if many rows were left out, or the labels look like keys."""
    rows = len(reasons)
    unused = rows - int(inputs.usable(reasons).sum())
    if unused > _MANY_UNUSED * rows:
        work.say_once(
            f"{unused:,} of {rows:,} rows are not judged: {inputs.describe(reasons)}"
            + _if_keys(n_classes, rows)
        )


def _if_keys(n_classes: int, rows: int) -> str:
    if n_classes <= rows / 4:
        return ""
    return f". The label has {n_classes:,} different values: is it the right column?"


def about_spelling(classes: Sequence[str]) -> None:
    """Say it if labels differ only in case or in blanks.

    >>> about_spelling(["bug", "refund"])
    """
    spellings: dict[str, list[str]] = {}
    for name in classes:
        spellings.setdefault(" ".join(name.casefold().split()), []).append(name)
    alike = [names for names in spellings.values() if len(names) > 1]
    if alike:
        shown = "; ".join(" and ".join(f"'{name}'" for name in names) for names in alike[:_SHOWN])
        work.say_once(
            f"some labels differ only in case or blanks, and count as different: {shown}"
            f"{', and others' if len(alike) > _SHOWN else ''}. To make them one: lower(trim(label))"
        )


def about_copies(keys: Sequence[bytes], codes: Codes) -> None:
    """Say it if most rows are judged by what other rows of their content are called."""
    copies = int(repeated(keys, codes).sum())
    if are_observations(keys, codes):
        work.say_once(
            f"{copies:,} of {int((codes >= 0).sum()):,} labeled rows have copies: rows equal in x, "
            f"of which there are {len(set(keys)):,} different ones. Such rows are judged by what "
            "their copies are called, and by the model"
        )


def about_agreement(codes: Codes, probs: inputs.Floats, kind: type) -> None:
    """Say it if every label is foretold, by a table with more than a few rows."""
    if len(codes) < _FOR_CERTAIN or (probs.argmax(axis=1) != codes).any():
        return
    if kind is inputs.Probabilities:
        work.say_once(
            "the probabilities agree with every label: are they out of sample, from a model that "
            "was not trained on the row?"
        )
    else:
        work.say_once("the model foretells every label from x: does x contain the label?")
