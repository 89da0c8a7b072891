"""The classes of a label column, in one fixed order. Imports numpy only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]


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
