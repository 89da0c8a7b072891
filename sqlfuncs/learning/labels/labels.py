"""What a label is, and which values are the same label. Imports Arrow and the errors only.

What SQL's `=` calls equal is one label, whatever the types of the two columns: 1.0 and 1, true and
'yes', a date and its midnight, 'é' in one code point or two; but nothing is rounded to be equal. A
column of labels comes as its engine's own text for its values, with the `kind` of its type: one of
the constants below.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.labels.classes import codes as class_codes
from sqlfuncs.wording import Cast

TEXT, JSON, BOOLEAN = "text", "json", "boolean"
INTEGER, DECIMAL, FLOAT, NUMBER = "integer", "decimal", "float", "number"
TIME = "time"  # a date or a point in time without a zone
INSTANT = "instant"  # a point in time with one
PLAIN = "plain"  # a type of one value whose text is compared as it is
UNTYPED = "null"  # NULL without a type

KIND = b"kind"  # in the metadata of a field of labels or maps: the kind of the labels or the keys
EMPTY = "the label is empty"
_NUMBERS = {INTEGER, DECIMAL, FLOAT, NUMBER}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?|nan", re.IGNORECASE)
_TRUE, _FALSE = {"true", "t", "yes", "y", "1"}, {"false", "f", "no", "n", "0"}
_MIDNIGHT = " 00:00:00"
_LARGEST = 400  # digits: longer ones are told apart by their first seventeen
# Floating labels are classes where they are few; more are amounts. Whole numbers may be more, if
# each comes often: numbers of classes, which are floating only for want of values in some rows.
_FEW, MANY_WHOLE, _ROWS_EACH = 20, 100, 10
_SHOWN = 3


@dataclass(frozen=True)
class Labels:
    """A column of labels: `texts` (rows,) with one spelling for each label, null where none is.

    They are a dictionary from the engine on, whose entries alone are looked at. `kind` is that of
    the column's type. `reasons` (rows,): why a row has no label, else None.
    """

    texts: pa.Array
    kind: str = TEXT
    reasons: npt.NDArray[np.object_] = field(default_factory=lambda: np.empty(0, dtype=object))

    def codes(self, classes: Sequence[str]) -> Codes:
        """The position of each label among the classes, -1 for none and for one not among them.

        >>> Labels(pa.array(["b", None, "a", "c"])).codes(("a", "b")).tolist()
        [1, -1, 0, -1]
        """
        encoded = self.texts.dictionary_encode()
        distinct = class_codes([*encoded.dictionary.to_pylist(), None], classes)
        found: Codes = distinct[pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)]
        return found

    def distinct(self, rows: npt.NDArray[np.bool_] | None = None) -> list[str]:
        """The different labels, of some of the rows."""
        encoded = self.texts.dictionary_encode()
        places = encoded.indices if rows is None else encoded.indices.filter(pa.array(rows))
        names: list[str] = encoded.dictionary.take(places.unique().drop_null()).to_pylist()
        return names


def common(*kinds: str) -> str:
    """The kind in which values of several kinds are compared.

    >>> common(FLOAT, TEXT), common(BOOLEAN, TEXT), common(BOOLEAN, INTEGER), common(TIME, JSON)
    ('number', 'boolean', 'number', 'time')
    >>> common(TEXT, TEXT), common(INTEGER, DECIMAL), common(TIME, INTEGER)
    ('text', 'decimal', 'text')
    """
    found = {TEXT if kind == JSON else kind for kind in kinds if kind != UNTYPED}
    if len(found) <= 1:
        return found.pop() if found else TEXT
    if found <= {INTEGER, DECIMAL}:
        return DECIMAL
    if found & _NUMBERS and found <= _NUMBERS | {BOOLEAN, TEXT}:
        return NUMBER
    if found == {BOOLEAN, TEXT}:
        return BOOLEAN
    if INSTANT in found and found <= {INSTANT, TIME, TEXT}:
        return INSTANT
    return next((kind for kind in (TIME, PLAIN) if found == {kind, TEXT}), TEXT)


def canonical(text: str | None, own: str, kind: str) -> str | None:
    """The one form of a value, as text, among values compared as `kind`; its own kind is `own`.

    >>> [canonical("1.50", DECIMAL, NUMBER), canonical(" +1.5e0", TEXT, NUMBER)]
    ['1.5', '1.5']
    >>> [canonical("10000000000000001", INTEGER, NUMBER), canonical("1e16", FLOAT, NUMBER)]
    ['10000000000000001', '10000000000000000']
    >>> [canonical("Yes", TEXT, BOOLEAN), canonical("true", BOOLEAN, NUMBER)]
    ['true', '1']
    >>> canonical("2024-01-01 00:00:00", TIME, TIME)
    '2024-01-01'
    >>> canonical("4.5", TEXT, INTEGER) == canonical("5", INTEGER, INTEGER)  # nothing is rounded
    False
    """
    if text is None:
        return None
    if own == JSON:
        text = _of_json(text)
        return text if text is None else _canonical(text, TEXT, kind)
    return _canonical(text, own, kind)


@lru_cache(maxsize=65_536)
def _canonical(text: str, own: str, kind: str) -> str:
    if kind in _NUMBERS:
        if own == BOOLEAN:
            return "1" if text == "true" else "0"
        return _number(text.strip(), exact=kind == DECIMAL)
    if kind == BOOLEAN:
        word = text.strip().casefold()
        word = word if word in _TRUE | _FALSE else _number(word, exact=False)
        return "true" if word in _TRUE else "false" if word in _FALSE else _composed(text)
    if kind in (TIME, INSTANT):
        return text.removesuffix(_MIDNIGHT)
    return _composed(text) if kind == TEXT else text


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _number(text: str, *, exact: bool) -> str:
    if not _NUMBER.fullmatch(text):
        return _composed(text)
    number = Decimal(text)
    if not number.is_finite():
        return str(float(text))
    if number == 0:
        return "0"
    if number.adjusted() < _LARGEST and number == number.to_integral_value():
        return str(int(number))
    return format(number.normalize(), "f") if exact else repr(float(text))


def _of_json(text: str) -> str | None:
    """What a JSON value is as text: a string without its quotes. None for null."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if value is None or isinstance(value, str):
        return value
    return text.strip()


def kind_of(rows: pa.StructArray, name: str) -> str:
    """The kind of the labels, or of the keys of the maps, in a field that an engine handed over."""
    metadata = rows.type.field(name).metadata or {}
    return str(metadata.get(KIND, TEXT.encode()).decode())


def read(rows: pa.StructArray, name: str = "label") -> Labels:
    """The labels in a field of text. Blank ones, NaN and JSON's null are none.

    Raises BadInput where they are no classes: numbers, or JSON arrays and objects.
    """
    found = read_known(rows, name)
    if found.kind in (FLOAT, DECIMAL):
        forms = (canonical(text, found.kind, found.kind) for text in found.distinct())
        refuse_numbers([form for form in forms if form is not None], len(found.texts), name)
    return found


def read_known(rows: pa.StructArray, name: str = "label") -> Labels:
    """The same where the classes are known already: a few rows do not tell numbers from classes."""
    kind, column = kind_of(rows, name), rows.field(name)
    reasons = np.full(len(column), None, dtype=object)
    reasons[np.asarray(column.is_null())] = "the label is NULL"
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())
    encoded = column.dictionary_encode()
    distinct: list[str] = encoded.dictionary.to_pylist()
    if kind == JSON:
        refuse_nested(distinct, name)
    forms = [_known(text, kind) for text in distinct]
    spelling = _spellings(distinct, forms)
    texts = _renamed(encoded, [None if form is None else spelling[form] for form in forms])
    reasons[np.asarray(texts.is_null()) & np.asarray(column.is_valid())] = EMPTY
    return Labels(texts, kind, reasons)


def _renamed(encoded: pa.DictionaryArray, names: Sequence[str | None]) -> pa.DictionaryArray:
    """The same column under other names for the entries of its dictionary, None for no label."""
    distinct = sorted({name for name in names if name is not None})
    position = {name: place for place, name in enumerate(distinct)}
    places = np.array([-1 if n is None else position[n] for n in names] + [-1], dtype=np.int32)
    at = places[pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)]
    return pa.DictionaryArray.from_arrays(
        pa.array(at, mask=at < 0), pa.array(distinct, pa.string())
    )


def _known(text: str, kind: str) -> str | None:
    """The canonical form of a label among those of its own column; None for no label."""
    form = canonical(text, kind, common(kind))
    if form is None or (kind in (TEXT, JSON) and not form.strip()):
        return None
    return None if kind == FLOAT and form == "nan" else form


def _spellings(distinct: Iterable[str], forms: Iterable[str | None]) -> dict[str, str]:
    """One text for each canonical form: that form if it stands there, else the first by order."""
    spelling: dict[str, str] = {}
    for text, form in sorted(
        (text, form) for text, form in zip(distinct, forms, strict=True) if form is not None
    ):
        if text == form or form not in spelling:
            spelling[form] = text
    return spelling


def refuse_nested(distinct: Iterable[str], name: str) -> None:
    """Raise BadInput where JSON holds arrays or objects."""
    nested = [text for text in distinct if text.lstrip()[:1] in ("[", "{")]
    if nested:
        raise BadInput(
            f"{name} holds JSON that is no single value, such as {sorted(nested)[0][:80]}: several "
            "labels for a row. Name the one that is meant: "
            f"{name}->>'$.field' or {name}->>'$[0]'; tags are lists of text: "
            f"{Cast(name, pa.list_(pa.string()))}."
        )


def are_numbers(forms: Sequence[str], rows: int) -> bool:
    """Whether different floating values, in their canonical form, are amounts and not classes.

    >>> are_numbers(["0.5", "1", "1.5"], 30), are_numbers([f"{n / 7}" for n in range(99)], 9900)
    (False, True)
    """
    if len(forms) <= _FEW:
        return False
    has_fraction = any("." in form or "e-" in form for form in forms)
    return has_fraction or len(forms) > MANY_WHOLE or rows < _ROWS_EACH * len(forms)


def refuse_numbers(forms: Sequence[str], rows: int, name: str) -> None:
    """Raise BadInput where floating values, in their canonical forms, are amounts."""
    different = sorted(set(forms))
    if are_numbers(different, rows):
        raise BadInput(
            f"{name} holds numbers, {len(different):,} different ones in {rows:,} rows, such as "
            f"{', '.join(different[:_SHOWN])}: amounts, which are not taken here yet "
            "(label_issues takes them of a table that one process holds). Make classes of them, "
            f"such as CASE WHEN {name} < 10 THEN 'low' ELSE 'high' END, or "
            f"{Cast(f'round({name})', pa.int32())}."
        )


def as_classes(labels: Labels, classes: Sequence[str], keys_kind: str = TEXT) -> Labels:
    """Labels under the names of the classes that they are, whose names are of another kind.

    A label that is spelt like a class is that one. Raises BadInput for two classes that are one.

    >>> named = as_classes(Labels(pa.array(["1.0", "2.0", "9.0"]), FLOAT), ("1", "2"), INTEGER)
    >>> named.texts.to_pylist()
    ['1', '2', '9.0']
    """
    kind = common(labels.kind, keys_kind)
    by_form: dict[str | None, str] = {}
    for name in classes:
        form = canonical(name, keys_kind, kind)
        if form in by_form:
            raise BadInput(
                f"the probabilities have two classes that are one label: '{by_form[form]}' and "
                f"'{name}'. Add them up under one name."
            )
        by_form[form] = name
    encoded = labels.texts.dictionary_encode()
    exact = set(classes)
    names = [
        text if text in exact else by_form.get(canonical(text, labels.kind, kind), text)
        for text in encoded.dictionary.to_pylist()
    ]
    return Labels(_renamed(encoded, names), labels.kind, labels.reasons)


def cast_for(own: str, kind: str) -> str:
    """To what the engine casts a value before it is compared as `kind`; its own kind is `own`.

    INSTANT or TIME; PLAIN: to the type of the other column; '': it is compared as it is.

    >>> cast_for(TIME, INSTANT), cast_for(TEXT, TIME), cast_for(TEXT, PLAIN), cast_for(TIME, TIME)
    ('instant', 'time', 'plain', '')
    """
    return kind if kind == INSTANT or (own in (TEXT, JSON) and kind in (TIME, PLAIN)) else ""


def form_of(
    text: str | None,
    own: str,
    kinds: Sequence[str],
    moment: str | None = None,
    instant: str | None = None,
    cast: str | None = None,
) -> str | None:
    """The canonical form of a value that an engine hands over to be compared with others.

    `kinds` are those of all values compared. `moment`, `instant` and `cast` are the text cast, by
    the engine, to a time without and with a zone and to the type of another column; None where
    that fails.

    >>> form_of("2024-01-01T00:00", TEXT, [TEXT, TIME], moment="2024-01-01 00:00:00")
    '2024-01-01'
    """
    kind = common(*kinds)
    better = {INSTANT: instant, TIME: moment, PLAIN: cast, "": None}[cast_for(own, kind)]
    return canonical(better or text, own, kind)
