from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlfuncs.learning.labels.classes import codes, in_order


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["b", "a", "b"], ("a", "b")),
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["10", "9", "x"], ("10", "9", "x")),
        (["1.5", "10.5", "9"], ("1.5", "10.5", "9")),
        (["true", "false"], ("false", "true")),
        (["01", "1", "+1"], ("+1", "01", "1")),
        (["", " ", "a"], ("", " ", "a")),
        (["B", "a", "é", "🎈"], ("B", "a", "é", "🎈")),
        ([], ()),
    ],
)
def test_classes_come_in_one_order(labels: list[str], expected: tuple[str, ...]) -> None:
    assert in_order(labels) == expected
    assert in_order(reversed(labels)) == expected


@given(st.lists(st.text(max_size=3) | st.integers().map(str)))
def test_codes_lead_back_to_the_labels(labels: list[str]) -> None:
    classes = in_order(labels)
    assert sorted(classes) == sorted(set(labels))
    assert in_order(labels[::-1]) == classes
    assert [classes[code] for code in codes(labels, classes)] == labels


def test_what_is_no_class_has_no_code() -> None:
    assert codes(["a", None, "z", "b"], ("a", "b")).tolist() == [0, -1, -1, 1]
    assert codes([], ("a", "b")).tolist() == []
