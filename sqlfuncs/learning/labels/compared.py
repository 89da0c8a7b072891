"""Labels of several columns beside each other: which are the same, and how often.

Each pair of columns is compared as if there was no third, since `=` between types is not
transitive: true is 'yes' and is 1, and 'yes' is not 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.errors import BadInput, NoUsableRows
from sqlfuncs.learning.labels.labels import (
    DECIMAL,
    FLOAT,
    INSTANT,
    JSON,
    PLAIN,
    TIME,
    canonical,
    cast_for,
    common,
    kind_of,
    refuse_nested,
    refuse_numbers,
)
from sqlfuncs.learning.labels.tags import KIND as TAGS
from sqlfuncs.wording import Cast, some

COUNT = "count"  # the field that says how many rows have a combination of labels
Forms = list[str | None]


@dataclass(frozen=True)
class Compared:
    """Different combinations of labels, each in `count` rows: all (combinations,).

    `actual` are the true labels, None for none; `predicted` is equal to that where it is the same
    label. `is_other`: whether the true label is that of a third column; `says_other`: whether the
    predicted one is. None where one of the two is none. `different` are the labels of each pair of
    columns that was compared.
    """

    actual: Forms
    predicted: Forms
    is_other: list[bool | None]
    says_other: list[bool | None]
    count: npt.NDArray[np.int64]
    different: tuple[frozenset[str], ...]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.count.sum())

    def known(self) -> tuple[list[str], Forms, npt.NDArray[np.int64]]:
        """True and predicted labels of what has a true one, and in how many rows.

        Raises NoUsableRows where nothing has.
        """
        if not self.rows:
            raise NoUsableRows("the table has no rows: there is nothing to evaluate")
        known = self.is_known
        if not known.any():
            raise NoUsableRows(
                f"the true label is NULL in all {self.rows} rows: there is nothing to evaluate. "
                "The arguments are (table, actual, predicted, ...)."
            )
        pairs = [(a, p) for a, p in zip(self.actual, self.predicted, strict=True) if a is not None]
        return [a for a, _ in pairs], [p for _, p in pairs], self.count[known]

    @property
    def is_known(self) -> npt.NDArray[np.bool_]:
        """Which have a true label."""
        return np.array([label is not None for label in self.actual], dtype=bool)


@dataclass(frozen=True)
class Side:
    """The different labels of one column that is compared: its name, kind and canonical forms."""

    name: str
    kind: str
    forms: Sequence[str]


def cast_field(name: str, to: str) -> str:
    """The field that has the labels of a column as the type of another one (else 'moment' ...)."""
    return f"{name} as {to}"


def fields(names: Sequence[str]) -> list[str]:
    """The fields of text in which an engine hands over columns to be compared, and the count.

    For each column its labels as they are, as a time without a zone (`cast_field(name, TIME)`),
    with one (INSTANT), and as the type of each other column; NULL where that fails.
    """
    casts = [
        cast_field(name, to)
        for name in names
        for to in (TIME, INSTANT, *(other for other in names if other != name))
    ]
    return [*names, *casts, COUNT]


def compare(counts: pa.StructArray, predicted: str, other: str | None = None) -> Compared:
    """True labels, the field `actual`, beside predicted ones and perhaps those of another column.

    Of these three, a predicted label that stands among the true ones is the other one if that true
    label is. Raises BadInput where true labels are no classes, or share no value with a column.
    """
    count = counts.field(COUNT).to_numpy(zero_copy_only=False).astype(np.int64)
    a_of_b, b_of_a = _forms(counts, "actual", predicted)
    if kind_of(counts, "actual") == FLOAT:
        own = _forms(counts, "actual", "actual")[0]
        truth = [None if o == "nan" else form for o, form in zip(own, a_of_b, strict=True)]
    else:
        truth = a_of_b
    known = np.array([form is not None for form in truth], dtype=bool)
    rows = int(count[known].sum())
    different = [_refuse(counts, rows, known, ("actual", a_of_b), (predicted, b_of_a))]
    if other is None:
        none: list[bool | None] = [None] * len(truth)
        return _grouped(truth, b_of_a, none, none, count, different)
    a_of_c, c_of_a = _forms(counts, "actual", other)
    b_of_c, c_of_b = _forms(counts, predicted, other)
    different.append(_refuse(counts, rows, known, ("actual", a_of_c), (other, c_of_a)))
    among: dict[str | None, set[str | None]] = {}
    for form, own_form, is_known in zip(a_of_c, a_of_b, known, strict=True):
        if is_known:
            among.setdefault(form, set()).add(own_form)
    says = [
        (None if b is None else b in among[c]) if c in among and b is not None else _same(d, e)
        for b, c, d, e in zip(b_of_a, c_of_a, b_of_c, c_of_b, strict=True)
    ]
    return _grouped(truth, b_of_a, [*map(_same, a_of_c, c_of_a)], says, count, different)


def _same(a: str | None, b: str | None) -> bool | None:
    return None if a is None or b is None else a == b


def _grouped(
    actual: Forms,
    predicted: Forms,
    is_other: list[bool | None],
    says_other: list[bool | None],
    count: npt.NDArray[np.int64],
    different: Sequence[frozenset[str]],
) -> Compared:
    totals: Counter[tuple[str | None, str | None, bool | None, bool | None]] = Counter()
    for a, p, is_, says, n in zip(
        actual, predicted, is_other, says_other, count.tolist(), strict=True
    ):
        totals[a, p, is_, says] += n
    return Compared(
        [key[0] for key in totals],
        [key[1] for key in totals],
        [key[2] for key in totals],
        [key[3] for key in totals],
        np.array(list(totals.values()), dtype=np.int64),
        tuple(different),
    )


def _forms(counts: pa.StructArray, a: str, b: str) -> tuple[Forms, Forms]:
    """The canonical forms of two columns as they are compared with each other."""
    kind = common(kind_of(counts, a), kind_of(counts, b))
    return _of_one(counts, a, b, kind), _of_one(counts, b, a, kind)


def _of_one(counts: pa.StructArray, name: str, other: str, kind: str) -> Forms:
    own, texts = kind_of(counts, name), _texts(counts, name)
    to = cast_for(own, kind)
    if to:
        cast = _texts(counts, cast_field(name, other if to == PLAIN else to))
        texts = [better or text for better, text in zip(cast, texts, strict=True)]
    known = {text: canonical(text, own, kind) for text in set(texts)}
    return [known[text] for text in texts]


def _texts(counts: pa.StructArray, field: str) -> Forms:
    texts: Forms = counts.field(field).cast(pa.string()).to_pylist()
    return texts


def _refuse(
    counts: pa.StructArray,
    rows: int,
    known: npt.NDArray[np.bool_],
    actual: tuple[str, Forms],
    other: tuple[str, Forms],
) -> frozenset[str]:
    """The different labels. Raises BadInput where what has a true one cannot be compared."""
    if not known.any():
        return frozenset()
    sides = [
        Side(
            name,
            kind_of(counts, name),
            sorted(
                {f for f, is_known in zip(forms, known, strict=True) if is_known and f is not None}
            ),
        )
        for name, forms in (actual, other)
    ]
    refuse_incomparable(sides[0], rows, sides[1:])
    return frozenset(form for side in sides for form in side.forms)


def refuse_incomparable(actual: Side, rows: int, others: Iterable[Side]) -> None:
    """Raise BadInput where true labels are no classes, or share no value with what is compared.

    A single value that is missed everywhere is no such case, if the kinds are the same: that may
    be a bad model.
    """
    if actual.kind in (FLOAT, DECIMAL):
        refuse_numbers(actual.forms, rows, actual.name)
    if actual.kind == JSON:
        refuse_nested(actual.forms, actual.name)
    for other in others:
        if other.kind == TAGS and other.forms:  # an empty list is the text '[]', and no more alike
            raise BadInput(
                f"{other.name} holds lists of tags, and {actual.name} does not: name the column of "
                f"lists, such as {Cast(actual.name, pa.list_(pa.string()))}, or one of the "
                f"predictions, {other.name}[1]."
            )
        few = min(len(actual.forms), len(other.forms)) <= 1 and actual.kind == other.kind
        if not other.forms or not actual.forms or few or set(actual.forms) & set(other.forms):
            continue
        raise BadInput(
            f"{actual.name} and {other.name} share no value: {_holds(actual)}; {_holds(other)}. "
            "Are these the columns that were meant, and is a label spelt in one way in both?"
        )


def _holds(side: Side) -> str:
    shown = some([f"'{form[:40]}'" for form in sorted(side.forms)])
    return f"{side.name} ({side.kind}) holds {shown}"
