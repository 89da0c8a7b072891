from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest

from sqlfuncs.review.decisions import Decision
from sqlfuncs.review.labels.classes import Chances
from sqlfuncs.review.queue import Filter, Queue
from tests.review.tables import rows_and_judged

QUALITY = rows_and_judged()[1]["label_quality"].to_pylist()


@pytest.fixture
def queue() -> Queue:
    return Queue(*rows_and_judged())


def _likeliest(queue: Queue, place: int) -> list[tuple[str, float | None]]:
    shown = queue.shown(place)
    assert isinstance(shown, Chances)
    return [(name, share) for name, _, share in shown.likeliest]


def test_the_worst_rows_come_first(queue: Queue) -> None:
    assert queue.select(Filter()).tolist() == list(range(8))
    assert queue.select(Filter(flagged=True)).tolist() == [0, 1, 2, 3]
    assert (queue.label(0), queue.suggested(0), queue.suggested(7)) == ("a", "b", None)
    assert dict(_likeliest(queue, 0)) == pytest.approx({"b": 0.8, "a": 0.2})
    assert [name for name, _ in _likeliest(queue, 0)] == ["b", "a"]


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        (Filter(given=0), [0, 2, 4, 6]),
        (Filter(given=0, suggested=1), [0, 2]),
        (Filter(suggested=1), [0, 2, 5, 7]),
        (Filter(low=0.3, high=0.6), [3, 4]),
        (Filter(low=QUALITY[3], high=QUALITY[4]), [3, 4]),
        (Filter(text="tEXT 5"), [5]),
        (Filter(text="100 %"), []),
        (Filter(given=-2), []),
        (Filter(state="decided"), []),
        (Filter(sort="table", flagged=True), [0, 1, 2, 3]),
    ],
)
def test_filters(queue: Queue, wanted: Filter, places: list[int]) -> None:
    assert queue.select(wanted).tolist() == places


def test_what_is_decided_leaves_and_what_is_undone_comes_back(queue: Queue) -> None:
    queue.decide("k0", Decision("k0", "relabel", "a", "b", "ann"))
    queue.decide("k1", Decision("k1", "needs_review", "b", None, "ann"))
    assert queue.select(Filter()).tolist() == [2, 3, 4, 5, 6, 7]
    assert queue.select(Filter(state="decided")).tolist() == [0]
    assert queue.select(Filter(state="needs_review")).tolist() == [1]
    assert queue.is_wrong.tolist() == [True] + [False] * 7
    queue.decide("k0", None)
    assert queue.select(Filter()).tolist() == [0, 2, 3, 4, 5, 6, 7]


def test_the_matrix_counts_what_the_filter_leaves_else(queue: Queue) -> None:
    for wanted, counts in (
        (Filter(), [[2, 2], [2, 2]]),
        (Filter(given=0, flagged=True), [[0, 2], [2, 0]]),
    ):
        found = queue.matrix(wanted)
        assert found is not None and found.tolist() == counts


def test_the_random_order_is_that_of_the_query_files(queue: Queue) -> None:
    expected = sorted(range(8), key=lambda i: hashlib.md5(f"review k{i}".encode()).hexdigest())
    assert queue.select(Filter(sort="random")).tolist() == expected
    assert queue.sample() == []
    for place in (expected[0], expected[1], expected[3]):
        queue.decide(f"k{place}", Decision(f"k{place}", "keep", "a", None, "ann"))
    assert queue.sample() == [f"k{expected[0]}", f"k{expected[1]}"]


def test_what_is_learned_replaces_ranks_and_keeps_what_is_not_said(queue: Queue) -> None:
    _, judged = rows_and_judged()
    learned = judged.drop_columns("not_judged").slice(2)
    queue.take_in(learned.append_column("review_rank", pa.array([6, 5, 4, 3, 2, 1])))
    assert queue.select(Filter()).tolist() == [7, 6, 5, 4, 3, 2, 0, 1]
    assert queue.suggested(0) == "b"


def test_rows_without_a_label_can_be_asked_for() -> None:
    rows, judged = rows_and_judged()
    labels = [None, *rows["label"].to_pylist()[1:-1], None]
    at = rows.schema.get_field_index("label")
    queue = Queue(rows.set_column(at, "label", [labels]), judged)
    assert sorted(queue.select(Filter(state="unlabelled"))) == [0, 7]
    queue.decide(queue.keys[7], Decision(queue.keys[7], "relabel", None, "a", "ann"))
    assert queue.select(Filter(state="unlabelled")).tolist() == [0]


def test_rows_that_were_not_judged_come_last_and_say_why() -> None:
    rows, judged = rows_and_judged()
    why = [None] * 7 + ["the text is empty"]
    nothing = pa.array([[("a", 0.5), ("b", 0.5)]] * 7 + [None], judged["class_probs"].type)
    judged = judged.set_column(judged.schema.get_field_index("class_probs"), "class_probs", nothing)
    judged = judged.set_column(
        judged.schema.get_field_index("label_quality"), "label_quality",
        pa.array([0.9] * 7 + [None]),
    )  # fmt: skip
    judged = judged.set_column(judged.schema.get_field_index("not_judged"), "not_judged", [why])
    queue = Queue(rows, judged)
    assert queue.select(Filter()).tolist()[-1] == 7
    assert queue.not_judged == {7: "the text is empty"}
    assert _likeliest(queue, 7) == [("a", None), ("b", None)]


def test_undone_a_row_that_the_queue_was_not_made_of_gets_its_place_by_quality() -> None:
    rows, judged = rows_and_judged()
    queue = Queue(rows, judged)
    queue.decide("k1", Decision("k1", "keep", "b", None, "ann"))
    left = judged.take([7, 6, 5, 4, 3, 2, 0]).append_column(
        "review_rank", pa.array([7, 6, 5, 4, 3, 2, 1])
    )
    queue.take_in(left)
    queue.decide("k1", None)
    assert queue.select(Filter()).tolist().index(1) <= 2


def test_a_class_of_the_log_alone_is_one_and_strange_ones_change_nothing() -> None:
    rows, judged = rows_and_judged()
    queue = Queue(rows, judged, {"c"})
    assert tuple(queue.labels.texts) == ("a", "b", "c")
    probs = [[("a", 0.5), ("b", 0.3), ("c", 0.15), ("z", 0.05)]] * 8
    learned = judged.set_column(
        judged.column_names.index("class_probs"),
        "class_probs",
        pa.array(probs, pa.map_(pa.string(), pa.float64())),
    ).append_column("review_rank", pa.array(range(1, 9)))
    queue.take_in(learned)
    assert [p for _, p in _likeliest(queue, 0)] == pytest.approx([0.5, 0.3, 0.15])


def test_text_of_an_enum_is_searched() -> None:
    rows, judged = rows_and_judged()
    text = rows["text"].combine_chunks().dictionary_encode()
    queue = Queue(rows.set_column(2, "text", text), judged)
    assert queue.select(Filter(text="text 5")).tolist() == [5]
