"""Numbers read from the text of their column."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.labels import numbers


def _rows(texts: list[str | None]) -> pa.StructArray:
    return pa.StructArray.from_arrays([pa.array(texts, pa.string())], names=["label"])


@pytest.mark.parametrize(
    ("text", "value", "why"),
    [
        ("1.50", 1.5, None),
        ("-3e2", -300.0, None),
        (" 7 ", 7.0, None),
        ("nan", np.nan, "the label is NaN"),
        ("inf", np.nan, "the label is infinite, or as good as that"),
        ("-Infinity", np.nan, "the label is infinite, or as good as that"),
        ("1e301", np.nan, "the label is infinite, or as good as that"),
        ("1e300", 1e300, None),
        ("ten", np.nan, "the label is no number"),
        ("", np.nan, "the label is empty"),
        (None, np.nan, "the label is NULL"),
    ],
)
def test_what_is_a_number(text: str | None, value: float, why: str | None) -> None:
    found = numbers.read(_rows([text, "2"]))
    assert np.array_equal(found.values, [value, 2.0], equal_nan=True)
    assert found.reasons.tolist() == [why, None]


def test_text_that_holds_none_is_refused() -> None:
    with pytest.raises(BadInput, match="label holds no numbers, but 'a', 'b'"):
        numbers.read(_rows(["b", "a", None]))
    assert numbers.read(_rows([None, None])).reasons.tolist() == ["the label is NULL"] * 2


@pytest.mark.parametrize(
    ("texts", "decimals"),
    [
        (["1", "2", "30"], 0),
        (["1.5", "2", "3.25"], 2),
        (["1.50", "2.00"], 1),
        (["1e-3", "5"], 3),
        ([*(f"{n}.5" for n in range(200)), "0.12345678"], 1),
        (["0.1234567890123456789", "0.9876543210123456789"], 15),
    ],
)
def test_suggestions_have_the_decimals_of_the_labels(texts: list[str], decimals: int) -> None:
    assert numbers.read(_rows(list(texts))).decimals == decimals


def test_long_numbers_are_written_whole() -> None:
    few = numbers.Numbers(np.zeros(2), np.full(2, None), 15)
    written = few.written(np.array([1 / 3, 1e300]), np.array([True, True])).to_pylist()
    assert [float(text) for text in written] == [1 / 3, 1e300]
