"""Cutting rows into folds by their content, so that their order changes nothing.

Rows of one content share a fold, so that none is judged by a model that has seen its copy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.wording import Option

Order = npt.NDArray[np.int64]


def check_folds(folds: int) -> None:
    """Raise BadOption for fewer than two."""
    if folds < 2:
        raise BadOption(f"{Option('folds', folds)} is too few. It has to be 2 or more.")


def repeated(keys: Sequence[bytes], codes: Codes) -> npt.NDArray[np.bool_]:
    """Which rows have a label and a copy: another row of their content that has one.

    >>> repeated([b"a", b"a", b"b", b"b"], np.array([0, 1, 0, -1])).tolist()
    [True, True, False, False]
    """
    labeled = Counter(key for key, code in zip(keys, codes, strict=True) if code >= 0)
    return np.array(
        [code >= 0 and labeled[key] > 1 for key, code in zip(keys, codes, strict=True)], dtype=bool
    )


def are_observations(keys: Sequence[bytes], codes: Codes) -> bool:
    """Whether rows of one content are observations of their own: most labeled rows have a copy.

    In a table where most have none, a copy came about by accident, label and all. In one where
    most have some, it is what there is to learn from.
    """
    labeled = int((codes >= 0).sum())
    return bool(labeled and 2 * int(repeated(keys, codes).sum()) > labeled)


def each_apart(keys: Sequence[bytes], codes: Codes) -> list[bytes]:
    """A digest of each row's own: with these as keys, `fold_numbers` deals rows out one by one.

    Rows of one content and one class cannot be told apart, and are numbered as they come.
    """
    turns: Counter[tuple[bytes, int]] = Counter()
    apart = []
    for key, code in zip(keys, codes.tolist(), strict=True):
        apart.append(sha256(b"%b\0%d\0%d" % (key, code, turns[key, code])).digest())
        turns[key, code] += 1
    return apart


def canonical_order(keys: Sequence[bytes], codes: Codes) -> Order:
    """The order in which rows are worked on: by content, then class, however they arrive.

    >>> canonical_order([b"b", b"a", b"a"], np.array([0, 1, 0])).tolist()
    [2, 1, 0]
    """
    return np.array(sorted(range(len(keys)), key=lambda i: (keys[i], codes[i])), dtype=np.int64)


def fold_numbers(keys: Sequence[bytes], codes: Codes, folds: int, salt: str) -> Order:
    """The fold of each row: (rows,) of 0 .. folds - 1. Another salt cuts otherwise.

    Rows of one key share a fold, so that a text is never judged by a model that has seen it
    under another label; else each class is dealt out evenly.

    >>> fold_numbers([b"a", b"a", b"b"], np.array([0, 1, 0]), 2, "0").tolist()
    [0, 0, 1]
    """
    contents: dict[bytes, list[int]] = {}
    for row, key in enumerate(keys):
        contents.setdefault(key, []).append(row)
    shuffled = sorted(contents, key=lambda key: sha256(salt.encode() + b"\0" + key).digest())
    numbers = np.zeros(len(keys), dtype=np.int64)
    dealt: dict[int, int] = {}
    for key in shuffled:
        code = int(codes[contents[key]].min())
        # Each class begins at another fold, so that the folds come out even.
        turn = dealt.setdefault(code, code)
        dealt[code] = turn + 1
        numbers[contents[key]] = turn % folds
    return numbers
