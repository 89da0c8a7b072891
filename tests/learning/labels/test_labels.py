"""What a label is: read from a column, compared across types, refused."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pytest

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.labels import compared, labels
from sqlfuncs.learning.labels.compared import Side
from sqlfuncs.learning.labels.labels import (
    BOOLEAN,
    DECIMAL,
    FLOAT,
    INTEGER,
    JSON,
    KIND,
    TEXT,
    Labels,
    canonical,
    common,
)


def _rows(texts: Sequence[str | None], kind: str = TEXT) -> pa.StructArray:
    field = pa.field("label", pa.string(), metadata={KIND: kind.encode()})
    return pa.StructArray.from_arrays([pa.array(texts, pa.string())], fields=[field])


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (("1.0", FLOAT), ("1", INTEGER)),
        (("1.50", DECIMAL), ("1.5", FLOAT)),
        (("0.00001", DECIMAL), ("1e-05", FLOAT)),
        (("1e+16", FLOAT), ("10000000000000000", INTEGER)),
        (("-0.0", FLOAT), ("0", INTEGER)),
        (("nan", FLOAT), ("NaN", TEXT)),
        (("007", TEXT), ("7", INTEGER)),
        (("true", BOOLEAN), ("1", INTEGER)),
        (("true", BOOLEAN), ("Yes", TEXT)),
        (("true", BOOLEAN), ("1.0", TEXT)),
        (("caf\u00e9", TEXT), ("cafe\u0301", TEXT)),
        (('"a"', JSON), ("a", TEXT)),
        (("1.0", JSON), ("1", INTEGER)),
    ],
)
def test_one_value_in_two_texts_is_one_label(a: tuple[str, str], b: tuple[str, str]) -> None:
    kind = common(a[1], b[1])
    assert canonical(*a, kind) == canonical(*b, kind)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (("4.5", TEXT), ("5", INTEGER)),  # SQL's = rounds
        (("9007199254740993", INTEGER), ("9007199254740992", DECIMAL)),
        (("1.0", TEXT), ("1", TEXT)),
        (("yes", TEXT), ("true", TEXT)),
        (("2", INTEGER), ("true", BOOLEAN)),
        (("a", TEXT), ("A", TEXT)),
    ],
)
def test_values_that_differ_are_two_labels(a: tuple[str, str], b: tuple[str, str]) -> None:
    kind = common(a[1], b[1])
    assert canonical(*a, kind) != canonical(*b, kind)


def test_labels_in_two_unicode_forms_are_one_class() -> None:
    read = labels.read(_rows(["cafe\u0301", "caf\u00e9", "tea", None]))
    assert read.texts.to_pylist() == ["caf\u00e9", "caf\u00e9", "tea", None]


def test_blank_labels_nan_and_json_null_are_no_labels() -> None:
    assert labels.read(_rows(["", " \t\n", "a", None])).texts.to_pylist() == [None, None, "a", None]
    assert labels.read(_rows(["nan", "1.0"], FLOAT)).texts.to_pylist() == [None, "1.0"]
    assert labels.read(_rows(["null", '"a"', '""'], JSON)).texts.to_pylist() == [None, '"a"', None]
    reasons = labels.read(_rows(["", None])).reasons.tolist()
    assert reasons == [labels.EMPTY, "the label is NULL"]


def test_the_text_nan_is_a_label_where_labels_are_text() -> None:
    assert labels.read(_rows(["nan", "pita"])).texts.to_pylist() == ["nan", "pita"]


@pytest.mark.parametrize("kind", [FLOAT, DECIMAL])
def test_many_values_with_fractions_are_numbers(kind: str) -> None:
    amounts = [f"{n}.25" for n in range(21)] * 50
    with pytest.raises(BadInput, match="label holds numbers, 21 different ones in 1,050 rows"):
        labels.read(_rows([*amounts], kind))


def test_few_values_with_fractions_are_classes() -> None:
    stars = [f"{n / 2}" for n in range(1, 11)] * 3
    assert labels.read(_rows([*stars], FLOAT)).texts.to_pylist() == stars


def test_whole_floats_are_classes_where_each_comes_often() -> None:
    codes = [f"{n}.0" for n in range(60)] * 10
    assert labels.read(_rows([*codes], FLOAT)).texts.null_count == 0
    with pytest.raises(BadInput, match="numbers"):
        labels.read(_rows([*codes[:120]], FLOAT))
    with pytest.raises(BadInput, match="numbers"):
        labels.read(_rows([f"{n}.0" for n in range(101)] * 100, FLOAT))


def test_texts_and_whole_numbers_are_classes_however_many() -> None:
    versions = [f"{n}.25" for n in range(30)]
    assert labels.read(_rows([*versions])).texts.null_count == 0
    assert labels.read(_rows([f"{n}" for n in range(500)], INTEGER)).texts.null_count == 0


@pytest.mark.parametrize("nested", ["[1, 2]", '{"a": 1}', ' ["x"]'])
def test_nested_json_is_no_label(nested: str) -> None:
    with pytest.raises(BadInput, match="no single value"):
        labels.read(_rows(['"a"', nested], JSON))


def test_labels_are_named_as_the_classes_of_another_type() -> None:
    given = Labels(pa.array(["true", "false", None]), BOOLEAN)
    named = labels.as_classes(given, ("no", "yes"), TEXT)
    assert named.texts.to_pylist() == ["yes", "no", None]


def test_two_classes_that_are_one_label_are_refused() -> None:
    with pytest.raises(BadInput, match=r"'1' and '1\.0'"):
        labels.as_classes(Labels(pa.array(["1.0"]), FLOAT), ("1", "1.0"), TEXT)


def test_columns_that_share_no_value_are_refused() -> None:
    words = Side("actual", TEXT, ["no", "yes"])
    with pytest.raises(BadInput, match="actual and predicted share no value"):
        compared.refuse_incomparable(words, 10, [Side("predicted", TEXT, ["ja", "nein"])])
    with pytest.raises(BadInput, match="share no value"):
        compared.refuse_incomparable(words, 10, [Side("predicted", INTEGER, ["3"])])


def test_one_class_that_is_missed_everywhere_may_be_a_bad_model() -> None:
    compared.refuse_incomparable(
        Side("actual", TEXT, ["no"]), 10, [Side("predicted", TEXT, ["yes"]), Side("b", TEXT, [])]
    )
