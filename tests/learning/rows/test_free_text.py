"""Fields of a STRUCT that are free text: which are, what they hold, and which rows are alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import Rows
from sqlfuncs.learning.rows.fields import Fields, FieldsWithTexts
from sqlfuncs.learning.rows.free_text import is_free_text

COUNT = range(60)


def _read(**fields: Sequence[object]) -> Rows:
    columns = [pa.array(field) for field in fields.values()]
    return registry.read(pa.StructArray.from_arrays(columns, names=list(fields)))


def _with_texts(**fields: Sequence[object]) -> FieldsWithTexts:
    rows = _read(**fields)
    assert isinstance(rows, FieldsWithTexts)
    return rows


@pytest.mark.parametrize(
    "text",
    [
        "where is parcel {}?",
        "Número {}: ¿dónde está?",
        "заказ {} не пришёл",
        "注文{}が届きません",
        "พัสดุ{}ของฉันอยู่ที่ไหน",
        "한국어 문장 {}",
        "first\nsecond {}",
        "an{}\u00a0odd\u3000space",
        "🎈 one 🎈 two {}",
    ],
)
def test_several_words_are_free_text(text: str) -> None:
    assert is_free_text(pa.array([text.format(at) for at in COUNT]))


@pytest.mark.parametrize(
    "text",
    [
        "row {}",
        "{} 2024-01-01 10:00:00",
        "3f2504e0-4f89-11d3-9a0c-0305e82c33{:02}",
        "https://example.org/a/path?of=words&n={}",
        "jane.doe+{}@example.org",
        "C:\\files\\a{}.txt",
        "+49 89 1234{}",
        "{}",
        "word{}",
        "🎈 {}",
        "?! {}",
    ],
)
def test_keys_and_addresses_are_none(text: str) -> None:
    column = pa.array([text.format(at) for at in COUNT])
    assert not is_free_text(column)
    rows = _read(key=column.to_pylist(), n=COUNT)
    assert type(rows) is Fields and rows.names == ("n",)


def test_half_of_what_is_there_has_to_have_several_words() -> None:
    assert is_free_text(pa.array(["two words", "more words", "one", "word", None, None, None]))
    assert not is_free_text(pa.array(["two words", "more words", "one", "word", "or"]))
    assert not is_free_text(pa.array([None, None], pa.string()))
    assert not is_free_text(pa.array([], pa.string()))


def test_text_that_repeats_is_a_category_still() -> None:
    rows = _read(why=["too late again", "wrong colour sent"] * 30, n=COUNT)
    assert type(rows) is Fields and rows.categories == (
        ("too late again", "wrong colour sent"),
        None,
    )


def test_what_is_missing_and_what_is_blank() -> None:
    texts = [f"words of row {at}" for at in COUNT]
    texts[1:6] = [None, "", " \n", None, "🎈"]  # type: ignore[list-item]
    rows = _with_texts(body=texts, n=[*range(4), None, *range(5, 60)])
    assert rows.free_texts[0].texts[:6] == ["words of row 0", "", "", "", "", "🎈"]
    assert rows.reasons[4] == "all fields are NULL or blank"
    assert [reason for at, reason in enumerate(rows.reasons) if at != 4] == [None] * 59
    assert rows.digests()[1] != rows.digests()[2]  # n differs
    alone = _with_texts(body=texts)
    assert [at for at, reason in enumerate(alone.reasons) if reason] == [1, 2, 3, 4]
    assert len({*alone.digests()[1:5]}) == 1


def test_nothing_but_blanks_is_left_out() -> None:
    rows = _read(blank=[" " * at for at in COUNT], n=COUNT)
    assert type(rows) is Fields and rows.names == ("n",)


def test_digests_tell_fields_apart_and_groups_share_letters() -> None:
    texts = [f"words of row {at}" for at in COUNT]
    one, other = list(texts), list(texts)
    one[:4], other[:4] = ["The same", "", "the same!", ""], ["", "The same", "", ""]
    rows = _with_texts(one=one, other=other, n=[1, 1, 1, 1, *range(4, 60)])
    digests = rows.digests()
    assert len({*digests}) == len(COUNT)
    groups = rows.groups(digests)
    assert groups[0] == groups[2] != groups[1]
    assert groups[3] == digests[3]  # says nothing in words: alike is only what is equal
    assert len({*groups}) == len(COUNT) - 1


def test_chosen_rows_are_the_same_rows() -> None:
    rows = _with_texts(body=[f"words of row {at}" for at in COUNT], n=COUNT)
    places = np.array([7, 3, 3])
    some = rows.take(places)
    assert some.digests() == [rows.digests()[at] for at in places]
    assert some.free_texts[0].texts == ["words of row 7", "words of row 3", "words of row 3"]


def test_an_enum_of_texts_is_read_as_its_texts() -> None:
    texts = pa.array([f"words of row {at}" for at in COUNT])
    plain, of_enum = (
        registry.read(pa.StructArray.from_arrays([column], names=["body"]))
        for column in (texts, texts.dictionary_encode())
    )
    assert plain.digests() == of_enum.digests()
