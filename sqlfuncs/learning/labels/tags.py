"""Labels that are several tags each, none included. Imports Arrow, numpy and the errors only.

A column of tags comes from its engine as JSON: an array of text for each row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from unicodedata import normalize

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.labels.classes import in_order, refuse_too_many

KIND = "tags"  # of the type of such a column, beside those in `labels`
Mask = npt.NDArray[np.bool_]
Reasons = npt.NDArray[np.object_]

_NULL = "the label is NULL"
_NULL_INSIDE = "the list of tags holds NULL"
_BLANK_INSIDE = "the list of tags holds a blank one"


@dataclass(frozen=True)
class Tags:
    """A column of tags: `given` (rows, tags) says which of `names` (tags,) a row has.

    `reasons` (rows,): why a row has no label, else None; such a row has no tag in `given`.
    `repeated` rows name a tag twice, which counts once.
    """

    names: tuple[str, ...]
    given: Mask
    reasons: Reasons
    repeated: int

    def among(self, more: Iterable[str]) -> Tags:
        """The same labels, with more tags that no row has. Raises TooManyClasses."""
        names = in_order({*self.names, *more})
        if names == self.names:
            return self
        refuse_too_many(len(self.given), len(names))
        given = np.zeros((len(self.given), len(names)), dtype=bool)
        given[:, [names.index(name) for name in self.names]] = self.given
        return Tags(names, given, self.reasons, self.repeated)

    def written(self, given: Mask, rows: Mask) -> pa.Array:
        """Tags (rows, tags) as JSON, NULL but for `rows` (rows,).

        >>> few = Tags(("a", "b, c"), np.zeros((2, 2), bool), np.full(2, None), 0)
        >>> few.written(np.array([[True, True], [False, False]]), np.ones(2, bool)).to_pylist()
        ['["a","b, c"]', '[]']
        """
        lists = (
            np.flatnonzero(own) if known else None
            for own, known in zip(given, rows.tolist(), strict=True)
        )
        return as_json(self.names, lists)

    def lists(self, given: Mask, rows: Mask) -> pa.ListArray:
        """Tags (rows, tags) as lists of text, NULL but for `rows` (rows,)."""
        found = [
            [self.names[at] for at in np.flatnonzero(own)] if known else None
            for own, known in zip(given, rows.tolist(), strict=True)
        ]
        return pa.array(found, pa.list_(pa.string()))


def as_json(names: Sequence[str], lists: Iterable[npt.NDArray[np.int64] | None]) -> pa.Array:
    """Lists of names, each by their places among `names`, as JSON; NULL for none.

    >>> as_json(("a", "b, c"), [np.array([1, 0]), None]).to_pylist()
    ['["b, c","a"]', None]
    """
    quoted = [json.dumps(name, ensure_ascii=False) for name in names]
    texts = [None if at is None else f"[{','.join([quoted[n] for n in at])}]" for at in lists]
    return pa.array(texts, pa.string())


def read(rows: pa.StructArray, name: str = "label") -> Tags:
    """The tags in a field of JSON. Raises BadInput where no row has any, TooManyClasses.

    NULL is no label; what holds NULL or a blank tag is none, and says so. `[]` is a label: no tag.
    """
    texts, places = _distinct(rows.field(name))
    lists = [_listed(text) for text in texts]
    whys = [_why_not(each) for each in lists]
    usable = [
        [tag for tag in each if tag is not None] if why is None else []
        for each, why in zip(lists, whys, strict=True)
    ]
    names = in_order({tag for each in usable for tag in each})
    if not names and None in whys:  # NULL alone is no label, as everywhere
        raise BadInput(
            f"no row has a tag in {name}: the label is the same in each. There is nothing to learn."
        )
    refuse_too_many(len(places), len(names))
    given = coded(usable, names)
    twice = np.array([*(len(set(each)) < len(each) for each in usable), False], dtype=bool)
    reasons = np.array([*whys, _NULL], dtype=object)
    no_tag = np.zeros((1, len(names)), dtype=bool)
    return Tags(
        names, np.vstack([given, no_tag])[places], reasons[places], int(twice[places].sum())
    )


def read_lists(column: pa.Array) -> list[list[str] | None]:
    """The lists of a column of JSON, None for NULL and for those that hold what is no tag."""
    return read_with_reasons(column)[0]


def read_with_reasons(column: pa.Array) -> tuple[list[list[str] | None], list[str | None]]:
    """The same, and why a row has none; else None."""
    texts, places = _distinct(column)
    listed = [_listed(text) for text in texts]
    whys = [*map(_why_not, listed), _NULL]
    lists = [
        [tag for tag in each if tag is not None] if why is None else None
        for each, why in zip([*listed, []], whys, strict=True)
    ]
    return [lists[place] for place in places.tolist()], [whys[place] for place in places.tolist()]


def listed(text: str | None) -> list[str] | None:
    """The tags of one text; None for NULL, for what is no JSON, and for what holds NULL.

    >>> listed('["a","b, c"]'), listed("[]"), listed("a"), listed('["a",null]')
    (['a', 'b, c'], [], None, None)
    """
    try:
        found = json.loads(text or "null")
    except ValueError:
        return None
    if not isinstance(found, list) or not all(isinstance(tag, str) for tag in found):
        return None
    return [normalize("NFC", tag) for tag in found]


def name_one_twice(column: pa.Array) -> bool:
    """Whether a list of a column of JSON has a part twice, as labels of words have.

    >>> name_one_twice(pa.array(['["O","O"]', '["O"]'])), name_one_twice(pa.array(['["a","b"]']))
    (True, False)
    """
    return any(len({*parts}) < len(parts) for parts in map(_listed, _distinct(column)[0]))


def as_codes(texts: pa.Array, names: Sequence[str]) -> tuple[Mask, Mask]:
    """Which tags each text names, (rows, tags), and which texts are lists: (rows,).

    A tag that is none of `names` is left out.
    """
    lists = read_lists(texts)
    known = np.array([each is not None for each in lists], dtype=bool)
    return coded([each or [] for each in lists], names), known


def coded(lists: Iterable[Sequence[str]], names: Sequence[str]) -> Mask:
    """Which of some tags lists hold: (lists, names). Others are left out.

    >>> coded([["b"], [], ["a", "c"]], ("a", "b")).tolist()
    [[False, True], [False, False], [True, False]]
    """
    position = {name: place for place, name in enumerate(names)}
    whole = list(lists)
    found = np.zeros((len(whole), len(names)), dtype=bool)
    for row, tags in enumerate(whole):
        found[row, [position[tag] for tag in tags if tag in position]] = True
    return found


def _listed(text: str) -> list[str | None]:
    """A JSON array, its tags as they are compared: 'é' is one, in one code point or two."""
    return [tag if tag is None else normalize("NFC", tag) for tag in json.loads(text)]


def _distinct(column: pa.Array) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Different texts, and the place among them of each row, that after the last for NULL."""
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    texts: list[str] = column.dictionary.to_pylist()
    return texts, np.asarray(column.indices.fill_null(len(texts)), dtype=np.int64)


def _why_not(tags: Sequence[str | None]) -> str | None:
    if any(tag is None for tag in tags):
        return _NULL_INSIDE
    return _BLANK_INSIDE if any(not tag.strip() for tag in tags if tag is not None) else None
