from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import describe, is_usable
from sqlfuncs.learning.rows.embedding import Embeddings
from sqlfuncs.learning.rows.probabilities import Probabilities
from sqlfuncs.learning.rows.text import Texts

MAP = pa.map_(pa.string(), pa.float64())


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_texts(kind: pa.DataType) -> None:
    rows = registry.read(pa.array(["one", None, "", " \t\n ", "\u3000", "🎈", "a\0b"], kind))
    assert isinstance(rows, Texts)
    assert rows.values == ["one", "", "", " \t\n ", "\u3000", "🎈", "a\0b"]
    assert rows.reasons.tolist() == [
        None,
        "the text is NULL",
        *["the text is empty"] * 3,
        None,
        None,
    ]


def test_a_column_of_nothing_but_null() -> None:
    rows = registry.read(pa.nulls(3))
    assert rows.reasons.tolist() == ["x is NULL"] * 3


@pytest.mark.parametrize("kind", [pa.string(), MAP, pa.list_(pa.float32()), pa.null()])
def test_no_rows(kind: pa.DataType) -> None:
    rows = registry.read(pa.array([], kind))
    assert len(rows) == len(rows.reasons) == 0
    assert len(rows.take([])) == len(rows.digests()) == 0


def test_no_embedding_at_all() -> None:
    rows = registry.read(pa.array([None, []], pa.list_(pa.float32())))
    assert rows.reasons.tolist() == ["the embedding is NULL", "the embedding is empty"]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 2]),
        pa.array([1.5]),
        pa.array([True]),
    ],
)
def test_types_that_cannot_be_read(column: pa.Array) -> None:
    with pytest.raises(BadInput, match=r"x is of type .*It may be text \(VARCHAR\), an embedding"):
        registry.read(column)


@pytest.mark.parametrize("element", [pa.float32(), pa.float64(), pa.int32()])
def test_embeddings_of_every_number(element: pa.DataType) -> None:
    rows = registry.read(pa.array([[1, 2], [3, 4]], pa.list_(element)))
    assert isinstance(rows, Embeddings)
    assert rows.values.tolist() == [[1, 2], [3, 4]]
    assert rows.reasons.tolist() == [None, None]


def test_embeddings_of_fixed_size_with_nulls() -> None:
    rows = registry.read(pa.array([[1, 2], None, [3, 4], None], pa.list_(pa.float32(), 2)))
    assert isinstance(rows, Embeddings)
    assert rows.values.tolist() == [[1, 2], [0, 0], [3, 4], [0, 0]]
    null = "the embedding is NULL"
    assert rows.reasons.tolist() == [None, null, None, null]


def test_embeddings_that_cannot_be_used_keep_their_place() -> None:
    nan, inf = float("nan"), float("inf")
    values = [[1, 2], None, [], [1], [1, 2, 3], [nan, 1], [1, inf], [None, 1], [0, 0], [5, 6]]
    rows = registry.read(pa.array(values, pa.list_(pa.float64())))
    assert isinstance(rows, Embeddings)
    broken = "the embedding holds NULL, NaN or infinity"
    assert rows.reasons.tolist() == [
        None,
        "the embedding is NULL",
        "the embedding is empty",
        "the embedding has 1 dimensions, the others have 2",
        "the embedding has 3 dimensions, the others have 2",
        broken,
        broken,
        broken,
        "the embedding is all zeros",
        None,
    ]
    assert rows.values[[0, -1]].tolist() == [[1, 2], [5, 6]]
    assert not rows.values[1:-1].any()


def test_a_slice_of_a_column_is_read_as_itself() -> None:
    lists = pa.array([[9, 9], [1, 2], [3, 4], [9, 9]], pa.list_(pa.float32()))
    rows = registry.read(lists.slice(1, 2))
    assert isinstance(rows, Embeddings)
    assert rows.values.tolist() == [[1, 2], [3, 4]]
    maps = pa.array([[("z", 1.0)], [("a", 0.3), ("b", 0.7)], [("b", 1.0)], [("y", 1.0)]], MAP)
    sliced = registry.read(maps.slice(1, 2))
    assert isinstance(sliced, Probabilities)
    columns = [sliced.classes.index(name) for name in ("a", "b")]
    assert sliced.values[:, columns].tolist() == [[0.3, 0.7], [0, 1]]
    assert sliced.reasons.tolist() == [None, None]


def test_probabilities() -> None:
    maps = [[("b", 0.25), ("a", 0.75)], None, [("a", 1.0)], [("c", 0.5), ("b", 0.5)]]
    rows = registry.read(pa.array(maps, MAP))
    assert isinstance(rows, Probabilities)
    assert rows.classes == ("a", "b", "c")
    assert rows.values.tolist() == [[0.75, 0.25, 0], [0, 0, 0], [1, 0, 0], [0, 0.5, 0.5]]
    assert rows.has.tolist() == [
        [True, True, False],
        [False, False, False],
        [True, False, False],
        [False, True, True],
    ]
    assert rows.reasons.tolist() == [None, "the probabilities are NULL", None, None]


def test_keys_that_are_numbers_are_in_order_of_number() -> None:
    column = pa.array([[(10, 0.4), (9, 0.6)]], pa.map_(pa.int64(), pa.float32()))
    rows = registry.read(column)
    assert isinstance(rows, Probabilities)
    assert rows.classes == ("9", "10")
    assert rows.values[0].tolist() == pytest.approx([0.6, 0.4])


def test_maps_that_are_no_distribution() -> None:
    nan, inf = float("nan"), float("inf")
    rows = registry.read(
        pa.array(
            [
                [],
                [("a", 0.5), ("b", 0.6)],
                [("a", 0.995)],
                [("a", 1.5), ("b", -0.5)],
                [("a", nan), ("b", 1.0)],
                [("a", inf), ("b", 0.0)],
                [("a", None), ("b", 1.0)],
                [("a", 0.0)],
            ],
            MAP,
        )
    )
    broken = "the probabilities hold NULL, NaN or infinity"
    assert rows.reasons.tolist() == [
        "the probabilities are an empty map",
        "the probabilities sum to 1.1, not to 1",
        None,
        "a probability is below 0 or above 1",
        broken,
        broken,
        broken,
        "the probabilities sum to 0, not to 1",
    ]


def test_a_map_that_is_no_map_of_numbers() -> None:
    column = pa.array([[("a", "much")]], pa.map_(pa.string(), pa.string()))
    with pytest.raises(BadInput, match=r"not MAP\(VARCHAR, DOUBLE\)"):
        registry.read(column)


def test_reasons_are_told_with_their_counts() -> None:
    reasons = ["a"] * 2 + ["b"] * 3 + [None] + [f"rare {n}" for n in range(9)]
    told = describe(reasons)
    assert told.startswith("b (3 rows), a (2 rows), rare 0 (1 row)")
    assert told.count("row") == 5
    assert describe([None]) == ""
    assert is_usable(np.array([None, "x"], dtype=object)).tolist() == [True, False]
