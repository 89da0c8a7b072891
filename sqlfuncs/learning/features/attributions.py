"""What in a row speaks for one class and against another: words, fields. Imports numpy.

Exact where a head is linear in what has a name: of a word, its weight times its TF-IDF. Else by
occlusion (Zeiler, Fergus: Visualizing and understanding convolutional networks, ECCV 2014, section
4.2): a field is set to what it is on average, and what that does to the log-odds of the two classes
is what the field said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.features.heads import Head
from sqlfuncs.learning.labels.classes import Codes

Floats = npt.NDArray[np.float64]
Named = list[tuple[str, float]]  # what speaks for a class (above 0) or for the other (below)

_LEAST = 1e-6


def of_words(head: Head, view: Any, terms: Sequence[str], pro: Codes, contra: Codes) -> list[Named]:
    """Of each row, the terms it has that are no punctuation.

    `view` (rows, terms and more) is sparse, and begins with the terms. `pro` and `contra` (rows,)
    are classes; a value is the term's part of their log-odds.

    >>> from scipy.sparse import csr_matrix
    >>> head = Head(np.array([[1.0, 0.0], [0.0, 3.0]], np.float32), np.zeros(2, np.float32))
    >>> view, zero = csr_matrix([[2.0, 1.0]]), np.array([0])
    >>> of_words(head, view, ["cat", "dog"], zero, zero + 1)
    [[('cat', 2.0), ('dog', -3.0)]]
    """
    found = []
    for row, (one, other) in enumerate(zip(pro.tolist(), contra.tolist(), strict=True)):
        begin, end = view.indptr[row], view.indptr[row + 1]
        at, values = view.indices[begin:end], view.data[begin:end]
        named = at < len(terms)
        at, values = at[named], values[named]
        parts = values * (head.weights[at, one] - head.weights[at, other])
        spelt = zip(map(terms.__getitem__, at), parts.tolist(), strict=True)
        found.append([(term, part) for term, part in spelt if any(map(str.isalnum, term))])
    return found


def by_occlusion(
    predict: Callable[[Any], Floats],
    view: npt.NDArray[np.float32],
    means: npt.NDArray[np.float32],
    fields: Mapping[str, Sequence[int]],
    pro: Codes,
    contra: Codes,
) -> list[Named]:
    """Of each row, its fields. `view` (rows, columns), of which `fields` names the columns of each.

    `means` (columns,) stand in for what is hidden.

    >>> def predict(view):
    ...     return np.column_stack([view[:, 0], 1 - view[:, 0]])
    >>> view, zero = np.array([[0.9, 5.0]], np.float32), np.array([0])
    >>> means = np.array([0.5, 0.0], np.float32)
    >>> named = by_occlusion(predict, view, means, {"a": [0], "b": [1]}, zero, zero + 1)
    >>> [(name, round(part, 2)) for name, part in named[0]]
    [('a', 2.2), ('b', 0.0)]
    """
    seen = _log_odds(predict(view), pro, contra)
    said: dict[str, Floats] = {}
    for name, columns in fields.items():
        hidden = view.copy()
        hidden[:, columns] = means[columns]
        said[name] = seen - _log_odds(predict(hidden), pro, contra)
    return [[(name, float(parts[row])) for name, parts in said.items()] for row in range(len(view))]


def _log_odds(probs: Floats, pro: Codes, contra: Codes) -> Floats:
    rows = np.arange(len(probs))
    ratio: Floats = np.log(
        np.maximum(probs[rows, pro], _LEAST) / np.maximum(probs[rows, contra], _LEAST)
    )
    return ratio
