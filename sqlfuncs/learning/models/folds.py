"""Cutting rows into folds by their content, so that their order changes nothing.

Rows of one content share a fold, so that none is judged by a model that has seen its copy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    """A digest of each row's own: with these as keys, `fold_numbers` cuts rows one by one.

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
    length = len(keys[0]) if keys else 0
    if not length or length % 8 or any(len(key) != length for key in keys):
        rows = sorted(range(len(keys)), key=lambda row: (keys[row], codes[row]))
        return np.array(rows, dtype=np.int64)
    # Keys of one length, as digests are, in the same order without a comparison in Python.
    words = np.frombuffer(b"".join(keys), dtype=">u8").astype(np.uint64).reshape(len(keys), -1)
    return np.lexsort((codes, *words.T[::-1]))


def fold_numbers(keys: Sequence[bytes], codes: Codes, folds: int, salt: str) -> Order:
    """The fold of each row: (rows,) of 0 .. folds - 1. Another salt cuts otherwise.

    It is a hash of the row's key, so that it is the same in a part of the table as in the whole.
    Rows of one key share a fold, so that a text is never judged by a model that has seen it under
    another label. A class of few keys may have them all in one fold by chance, where no model
    would know it: one of them goes to another fold then (`_spread`).

    >>> fold_numbers([b"a", b"a", b"b"], np.array([0, 1, 0]), 2, "0").tolist()
    [1, 1, 0]
    """
    numbers = _hashed_folds(keys, folds, salt)
    crowded = _in_one_fold(codes, numbers)
    if crowded:
        _spread(crowded, keys, codes, numbers, folds, salt)
    return numbers


@dataclass(frozen=True)
class Cut:
    """How content is dealt into folds, for rows that come later, too: by a hash with a `salt`.

    But for the keys that were `moved` so that a class of few is not all in one fold.
    """

    folds: int
    salt: str
    moved: Mapping[bytes, int]

    @classmethod
    def of(cls, keys: Sequence[bytes], numbers: Order, folds: int, salt: str) -> Cut:
        """The cut of rows that `fold_numbers` has dealt out.

        >>> keys, codes = [b"a", b"c", b"b"], np.array([0, 0, 1])
        >>> numbers = fold_numbers(keys, codes, 2, "0")
        >>> cut = Cut.of(keys, numbers, 2, "0")
        >>> cut(keys).tolist() == numbers.tolist(), len(cut.moved)
        (True, 1)
        """
        differ = np.flatnonzero(_hashed_folds(keys, folds, salt) != numbers).tolist()
        return cls(folds, salt, {keys[row]: int(numbers[row]) for row in differ})

    def __call__(self, keys: Sequence[bytes]) -> Order:
        """The fold of each key: (keys,) of 0 .. folds - 1."""
        numbers = _hashed_folds(keys, self.folds, self.salt)
        if self.moved:
            for row, key in enumerate(keys):
                numbers[row] = self.moved.get(key, numbers[row])
        return numbers


def hash_numbers(keys: Sequence[bytes], salt: str) -> npt.NDArray[np.uint64]:
    """A number of 0 .. 2**64 - 1 for each key, as good as drawn: (keys,). Another salt, another."""
    begins = _beginning(salt)
    digests = b"".join([sha256(begins + key).digest() for key in keys])
    return np.frombuffer(digests, dtype=">u8")[::4].astype(np.uint64)


def _beginning(salt: str) -> bytes:
    return salt.encode() + b"\0"


def _hashed_folds(keys: Sequence[bytes], folds: int, salt: str) -> Order:
    return (hash_numbers(keys, salt) % np.uint64(folds)).astype(np.int64)


def _in_one_fold(codes: Codes, numbers: Order) -> list[int]:
    """The classes that have more than one row, all in one fold, in their order."""
    labeled = codes >= 0
    count = int(codes.max(initial=-1)) + 1
    lowest, highest = np.full(count, np.iinfo(np.int64).max), np.full(count, -1)
    np.minimum.at(lowest, codes[labeled], numbers[labeled])
    np.maximum.at(highest, codes[labeled], numbers[labeled])
    has_several = np.bincount(codes[labeled], minlength=count) > 1
    found: list[int] = np.flatnonzero((lowest == highest) & has_several).tolist()
    return found


def _spread(
    crowded: Sequence[int],
    keys: Sequence[bytes],
    codes: Codes,
    numbers: Order,
    folds: int,
    salt: str,
) -> None:
    """Move a key of each of these classes, that has another, to the next fold: in `numbers`.

    It is the first by its hash that takes no other class into one fold, if there is one.
    """
    begins = _beginning(salt)
    places = {code: np.flatnonzero(codes == code).tolist() for code in crowded}
    rows: dict[bytes, list[int]] = {keys[row]: [] for own in places.values() for row in own}
    for row, key in enumerate(keys):
        if key in rows:
            rows[key].append(row)

    def is_free(key: bytes, fold: int) -> bool:
        there = rows[key]
        return not any(
            set(numbers[np.setdiff1d(np.flatnonzero(codes == code), there)].tolist()) == {fold}
            for code in {int(codes[row]) for row in there} - {-1}
        )

    for own in places.values():
        several = sorted({keys[row] for row in own}, key=lambda key: sha256(begins + key).digest())
        if len(several) < 2 or len(set(numbers[own].tolist())) > 1:  # another class's move did it
            continue
        moves = ((key, step) for step in range(1, folds) for key in several)
        for key, step in moves:
            fold = int(numbers[rows[key][0]] + step) % folds
            if is_free(key, fold):
                numbers[rows[key]] = fold
                break
