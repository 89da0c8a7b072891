"""Tags read from JSON, and written so."""

from __future__ import annotations

import json
from unicodedata import normalize

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlfuncs.errors import BadInput, TooManyClasses
from sqlfuncs.learning.labels import tags

NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6), max_size=4
)


def _rows(lists: list[list[str | None] | None]) -> pa.StructArray:
    texts = [None if each is None else json.dumps(each) for each in lists]
    return pa.StructArray.from_arrays([pa.array(texts, pa.string())], names=["label"])


def test_what_a_label_is() -> None:
    found = tags.read(_rows([["b", "a"], [], None, ["a", None], ["a", " "], ["a", "a"]]))
    assert found.names == ("a", "b")
    assert found.given.tolist() == [
        [True, True],
        [False, False],
        *[[False, False]] * 3,
        [True, False],
    ]
    assert found.reasons.tolist() == [
        None,
        None,
        "the label is NULL",
        "the list of tags holds NULL",
        "the list of tags holds a blank one",
        None,
    ]
    assert found.repeated == 1


def test_no_tag_anywhere_and_too_many() -> None:
    with pytest.raises(BadInput, match="no row has a tag in label"):
        tags.read(_rows([[], [], None]))
    with pytest.raises(TooManyClasses, match="5,000 different values"):
        tags.read(_rows([[f"t{n}"] for n in range(5000)]))


@given(NAMES)
def test_what_is_written_is_read(names: list[str]) -> None:
    different = sorted({normalize("NFC", name) for name in names})
    own = tags.Tags(tuple(different), np.ones((1, len(different)), bool), np.full(1, None), 0)
    (text,) = own.written(own.given, np.ones(1, bool)).to_pylist()
    assert tags.listed(text) == json.loads(text) == different


@pytest.mark.parametrize("text", [None, "", "a", "[a]", "5", '{"a": 1}', '["a", null]', "[1]"])
def test_what_is_no_list(text: str | None) -> None:
    assert tags.listed(text) is None
