"""The classes of a label column, in one fixed order. Imports numpy, errors and wording only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import TooManyClasses
from sqlfuncs.wording import Option

Codes = npt.NDArray[np.int64]

MOST_CLASSES = 1_000
MOST_PROBABILITIES = 100_000_000  # rows times classes: 0.8 GB, held a few times at once


def in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """The distinct labels, as numbers where all are whole numbers, else as text.

    >>> in_order(["10", "9", "10"])
    ('9', '10')
    >>> in_order(["b", "a", "10"])
    ('10', 'a', 'b')
    """
    distinct = set(labels)
    try:
        return tuple(sorted(distinct, key=lambda label: (int(label), label)))
    except ValueError:
        return tuple(sorted(distinct))


def codes(labels: Sequence[str | None], classes: Sequence[str]) -> Codes:
    """The position of each label among the classes, -1 for NULL and for labels not among them.

    >>> codes(["b", None, "a"], ("a", "b")).tolist()
    [1, -1, 0]
    """
    position = {label: code for code, label in enumerate(classes)}
    return np.array([-1 if v is None else position.get(v, -1) for v in labels], dtype=np.int64)


def if_amounts(classes: Iterable[str]) -> str:
    """What to type where classes, by their names, may be numbers that are none; else nothing.

    >>> if_amounts(["1", "12", "-3"])
    " If these are amounts: task := 'regression'; if they are steps of a scale: ordered := ..."
    >>> if_amounts(["1", "a"]), if_amounts([])
    ('', '')
    """
    names = list(classes)
    if not names or not all(_is_number(name) for name in names):
        return ""
    return (
        f" If these are amounts: {Option('task', 'regression')}; if they are steps of a scale: "
        f"{Option('ordered', ...)}"
    )


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def refuse_too_many(rows: int, n_classes: int, classes: Iterable[str] = ()) -> None:
    """Raise rather than run for hours, or out of memory; `classes` are their names, if known."""
    if n_classes > MOST_CLASSES:
        raise TooManyClasses(
            f"the label has {n_classes:,} different values in {rows:,} rows; at most "
            f"{MOST_CLASSES:,} can be learned. Is it the right column? If so, put rare values "
            "together, or set them to NULL: rows without a label are not learned from."
            f"{if_amounts(classes)}"
        )
    if rows * n_classes > MOST_PROBABILITIES:
        raise TooManyClasses(
            f"{rows:,} rows of {n_classes:,} classes would need more memory than is sensible: "
            f"rows times classes may be {MOST_PROBABILITIES:,}. Take a part of the rows, or of "
            "the classes, at a time."
        )
