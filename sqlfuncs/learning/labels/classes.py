"""The classes of a label column, in one fixed order. Imports numpy and the errors only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import TooManyClasses

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


def refuse_too_many(rows: int, n_classes: int) -> None:
    """Raise rather than run for hours, or out of memory."""
    if n_classes > MOST_CLASSES:
        raise TooManyClasses(
            f"the label has {n_classes:,} different values in {rows:,} rows; at most "
            f"{MOST_CLASSES:,} can be learned. Is it the right column? If so, put rare values "
            "together, or set them to NULL: rows without a label are not learned from."
        )
    if rows * n_classes > MOST_PROBABILITIES:
        raise TooManyClasses(
            f"{rows:,} rows of {n_classes:,} classes would need more memory than is sensible: "
            f"rows times classes may be {MOST_PROBABILITIES:,}. Take a part of the rows, or of "
            "the classes, at a time."
        )
