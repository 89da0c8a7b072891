"""What each kind of label says of filters, outcomes and forms, without a server."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from sqlfuncs.engines.duckdb import list_text
from sqlfuncs.errors import BadInput
from sqlfuncs.learning.tasks.regression import Regression
from sqlfuncs.review.decisions import Decision
from sqlfuncs.review.labels import registry
from sqlfuncs.review.labels.numbers import Numbers
from sqlfuncs.review.labels.tags import Switches, Tags
from sqlfuncs.review.labels.words import Sentence, Words
from sqlfuncs.review.queue import Filter, Queue
from sqlfuncs.review.verifying import Verification

TAGS = ["[a]", "[a, b]", "[]", "[b, a]", None, "[a, NULL]"]
SUGGESTED = ["[a, b]", "[b]", None, None, "['c, d']", None]
NUMBERS = ["1.5", "20", "3", "nan", None, "4"]


def _sentence(length: int, doubted: list[int], typed: str | None = None) -> Sentence:
    """What is shown of a sentence, some words of which should be B-LOC."""
    given = json.dumps(["O"] * length)
    suggested = json.dumps(["B-LOC" if at in doubted else "O" for at in range(length)])
    labels = Words([given], pa.table({"suggested_label": [suggested]}), [], list_text.parts)
    return labels.shown(given, suggested, np.zeros(0), typed, [f"w{at}" for at in range(length)])


def test_of_a_long_sentence_the_surroundings_of_doubted_words_are_shown() -> None:
    shown = _sentence(10_000, [500, 9_999], typed="4000-1")
    near = [*range(488, 513), *range(3988, 4013), *range(9987, 10_000)]
    assert [word.at for word in shown.words] == near
    assert {word.at: word.doubt for word in shown.words if word.doubt} == dict.fromkeys(
        (500, 9999), ("O", "B-LOC")
    )
    assert [word.at for word in shown.words if word.label == 1] == [4_000]
    assert [(word.at, word.skipped) for word in shown.words if word.skipped] == [
        (488, 488), (3988, 3475), (9987, 5974),
    ]  # fmt: skip
    assert (shown.after, shown.doubts) == (0, 0)


@pytest.mark.parametrize(("doubted", "around"), [(8, 12), (15, 6), (28, 3), (66, 1), (200, 0)])
def test_the_more_words_are_doubted_the_less_is_shown_around_each(
    doubted: int, around: int
) -> None:
    shown = _sentence(10_000, [30 + 40 * at for at in range(doubted)])
    assert len(shown.words) == doubted * (2 * around + 1) <= 200
    assert sum(word.doubt is not None for word in shown.words) == doubted


def test_doubted_words_that_are_not_shown_are_counted() -> None:
    shown = _sentence(10_000, list(range(0, 10_000, 20)))
    assert (len(shown.words), shown.doubts, shown.after) == (200, 300, 10_000 - 3_981)
    whole = _sentence(200, [3])
    assert (len(whole.words), whole.after) == (200, 0)


def test_corrections_of_words_are_right_by_how_many_are_wrong() -> None:
    labels = Words([], pa.table({"suggested_label": pa.nulls(0, pa.string())}), [], list_text.parts)
    for suggested, outcome in (
        ("[P, L]", (True, False)), ("[P, O]", (True, False)), ("[O, P]", (False, False)),
        ("[P]", (False, False)), ("[O, NULL]", (False, False)),
    ):  # fmt: skip
        assert labels.outcome("[O, O]", suggested, "[P, L]") == outcome
    assert labels.outcome("[P, O]", "[O, O]", "[P, L]") == (False, True)
    assert labels.is_same("[a, b]", '["a", "b"]') and not labels.is_same("[a, b]", "[b, a]")
    assert not labels.is_same("[NULL]", "[NULL]")
    assert labels.parts("[O, O, P, O]") == ["O × 2", "P", "O"]
    assert labels.parts(str(["a", "b"] * 20))[-1] == "and 24 more"
    assert labels.change("[O, O]", "[P, O]") == "word 1: O → P"
    assert labels.change(None, "[P, P]") == "P × 2"


def _queue(kind: type[Tags | Numbers]) -> tuple[Queue, pa.Table]:
    """Six rows, of which the first two are flagged; the fourth suggestion is for no label."""
    keys = [str(i) for i in range(6)]
    given, suggested = TAGS, SUGGESTED
    if kind is Numbers:
        given, suggested = NUMBERS, ["2.5", "2", None, None, "7", None]
    judged = pa.table(
        {
            "key": keys,
            "label_quality": [0.1, 0.2, 0.9, 0.9, None, None],
            "is_label_issue": [True, True, False, False, False, False],
            "suggested_label": suggested,
            "suggested_confidence": [0.9, 0.8, None, None, 0.7, None],
            "class_probs": pa.array(
                [[("a", 0.9), ("b", 0.4), ("c, d", 0.3)]] * 5 + [None],
                pa.map_(pa.string(), pa.float64()),
            ),
            "label_low": [1.0, 1.0, 2.0, 2.0, 5.0, None],
            "label_high": [3.0, 3.0, 4.0, 4.0, 9.0, None],
            "not_judged": pa.array([None] * 4 + ["the label is NULL"] * 2, pa.string()),
        }
    )
    rows = pa.table({"key": keys, "label": given, "text": ["x"] * 6})
    return Queue(rows, judged, ["[new]", "5"], kind, list_text.parts), judged


def test_tags_are_filtered_by_what_they_hold_and_what_is_suggested() -> None:
    queue, _ = _queue(Tags)
    names = list(queue.labels.choices_given)
    assert names == ["a", "b", "c, d", "new"]  # 5 is no list
    assert queue.select(Filter(given=names.index("b"), sort="table")).tolist() == [1, 3]
    suggested = {
        text: queue.select(Filter(suggested=at, sort="table")).tolist()
        for at, text in enumerate(queue.labels.choices_suggested)
    }
    assert {text: rows for text, rows in suggested.items() if rows} == {
        "+ b": [0], "− a": [1], "+ c, d": [4],
    }  # fmt: skip
    assert [(pair.text, pair.rows) for pair in queue.pairs(Filter())] == [("+ b", 1), ("− a", 1)]
    assert queue.matrix(Filter()) is None
    assert queue.select(Filter(given=-2)).tolist() == []


def test_numbers_are_filtered_by_where_they_should_be() -> None:
    queue, _ = _queue(Numbers)
    assert [queue.select(Filter(suggested=at)).tolist() for at in (0, 1, 2, -2)] == [
        [0],
        [1],
        [],
        [],
    ]
    assert {(pair.text, pair.rows) for pair in queue.pairs(Filter())} == {
        ("higher", 1), ("lower", 1),
    }  # fmt: skip
    assert queue.select(Filter(given=0)).tolist() == []


@pytest.mark.parametrize(
    ("kind", "key", "new", "outcome"),
    [
        (Tags, "0", "[b, a]", (True, False)),
        (Tags, "0", "[a, 'c, d']", (False, True)),
        (Tags, "0", "['c, d']", (False, True)),
        (Tags, "1", "[]", (True, False)),
        (Tags, "4", "[a]", (False, False)),
        (Numbers, "0", "2.1", (True, False)),
        (Numbers, "0", "1.9", (False, True)),
        (Numbers, "0", "2.0", (False, False)),
        (Numbers, "1", "-500.0", (True, False)),
    ],
)
def test_what_a_person_says_of_a_suggestion(
    kind: type[Tags | Numbers], key: str, new: str, outcome: tuple[bool, bool]
) -> None:
    queue, judged = _queue(kind)
    place = int(key)
    queue.decide(key, Decision(key, "relabel", queue.label(place), new, "ann"))
    assert (bool(queue.is_mended[place]), bool(queue.is_worse[place])) == outcome
    assert Verification(queue, judged).is_candidate.tolist() == [True, True] + [False] * 4
    queue.decide(key, None)
    assert not queue.is_mended.any() and not queue.is_worse.any()


def test_switches_begin_with_what_the_row_has_or_may_have() -> None:
    queue, _ = _queue(Tags)
    shown = queue.shown(0)
    assert isinstance(shown, Switches)
    assert [(s.name, s.is_on, s.doubt) for s in shown.first[:2]] == [
        ("a", True, ""), ("b", False, "add"),
    ]  # fmt: skip
    assert shown.first[-1].name == "new" and shown.first[-1].share is None
    assert [s.is_on for s in queue.shown(5).first] == [False] * 4  # type: ignore[attr-defined]
    taken = [s for s in queue.shown(1).first if s.doubt == "remove"]  # type: ignore[attr-defined]
    assert [(s.name, s.is_on, s.is_given) for s in taken] == [("a", True, True)]


def test_forms_of_tags_are_read_as_json_for_the_engine() -> None:
    queue, _ = _queue(Tags)
    names = list(queue.labels.choices_given)
    form = {"tags": ["x"], "tag": [str(names.index(name)) for name in ("c, d", "a")]}
    seen: list[str] = []
    queue.labels.read(form, lambda text: seen.append(text) or text)  # type: ignore[func-returns-value]
    assert [json.loads(text) for text in seen] == [["a", "c, d"]]
    assert queue.labels.is_same("[b, a]", "[a, b]") and not queue.labels.is_same("[a]", "[a, NULL]")
    assert not queue.labels.is_same("[]", None)


def test_kinds_from_elsewhere_are_refused() -> None:
    class Odd(Regression):
        name = "odd"

    with pytest.raises(BadInput, match=r"does not know labels of this kind yet \(odd\)"):
        registry.of(Odd)


def test_codes_stay_when_labels_are_met_later() -> None:
    queue, _ = _queue(Numbers)
    before = [queue.label(place) for place in range(6)]
    queue.decide("2", Decision("2", "relabel", "3", "123.25", "ann"))
    assert [queue.label(place) for place in range(6)] == before == NUMBERS
    assert queue.labels.text(int(queue.in_force[2])) == "123.25"
    assert queue.select(Filter(suggested=1)).tolist() == [1]
    assert np.isnan(queue.scores.told[5]).all()
