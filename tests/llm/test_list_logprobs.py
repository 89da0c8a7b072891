"""Probabilities of each label from the tokens of a list, against a model that knows them."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Callable, Sequence

import pytest

from sqlfuncs.llm import list_logprobs
from sqlfuncs.llm.logprobs import Token

Pieces = Callable[[str], list[str]]
LABELS = ("bug", "refund now", 'c "d"', "é, f", "x-y", "thanks")
CHANCES = (0.9, 0.3, 0.6, 0.05, 0.45, 0.7)


def _replies(labels: Sequence[str], chances: Sequence[float], blank: str) -> dict[str, float]:
    """All that a model may say that decides on each label by itself, and how likely it is."""
    found = {"": 1.0}
    for label, chance in zip(labels, chances, strict=True):
        written = json.dumps(label, ensure_ascii=False)
        found = {
            said + more: likely * share
            for said, likely in found.items()
            for more, share in (
                (f",{blank}{written}" if said else written, chance),
                ("", 1 - chance),
            )
        }
    return {f'{{"labels": [{said}]}}': likely for said, likely in found.items()}


def _tokens(said: str, replies: dict[str, float], pieces: Pieces) -> list[Token]:
    """The tokens of a reply, each with all that might have stood there, by the model's own word."""
    tokens: list[Token] = []
    before: list[str] = []
    for piece in pieces(said):
        others = dict[str, float]()
        for reply, likely in replies.items():
            split = pieces(reply)
            if split[: len(before)] == before and len(split) > len(before):
                text = split[len(before)]
                others[text] = others.get(text, 0.0) + likely
        total = sum(others.values())
        listed = [{"token": t, "logprob": math.log(p / total)} for t, p in others.items()]
        chance = math.log(others[piece] / total)
        tokens.append({"token": piece, "logprob": chance, "top_logprobs": listed})
        before.append(piece)
    return tokens


def _words(text: str) -> list[str]:
    """As servers split: marks that follow each other together, a blank with what follows it."""
    return re.findall(r" ?[^\W_]+| ?[^\w\s]+|\s+", text)


def _letters(text: str) -> list[str]:
    return list(text)


def _marks(text: str) -> list[str]:
    """What ends a label and opens the next, with its first word."""
    return re.findall(r'(?:",)? ?"[^\W_]+|"?\]}|[^\w\s]|\s?[^\W_]+|\s', text)


@pytest.mark.parametrize("pieces", [_words, _letters, _marks])
@pytest.mark.parametrize("blank", ["", " "])
def test_a_model_that_decides_on_each_label_by_itself(pieces: Pieces, blank: str) -> None:
    replies = _replies(LABELS, CHANCES, blank)
    for said in random.Random(0).sample(sorted(replies), 24):
        assert "".join(pieces(said)) == said
        labels = json.loads(said)["labels"]
        found = list_logprobs.of_labels(LABELS, labels, _tokens(said, replies, pieces))
        assert found is not None
        assert list(found) == list(LABELS)
        # Behind the last one its tokens tell how likely any more was, but only some which.
        known = len(LABELS) if pieces is _marks else 1 + max(map(LABELS.index, labels), default=-1)
        assert list(found.values())[:known] == pytest.approx(CHANCES[:known])
        assert math.prod(1 - p for p in [*found.values()][known:]) == pytest.approx(
            math.prod(1 - p for p in CHANCES[known:])
        )


@pytest.mark.parametrize("pieces", [_words, _marks])
def test_their_product_is_that_of_the_list(pieces: Pieces) -> None:
    """Where labels depend on each other and begin alike, too: the chain rule."""
    rng = random.Random(1)
    labels_of_all = ("bug", "bug report", *LABELS[1:])
    replies = {said: rng.random() for said in _replies(labels_of_all, [*CHANCES, 0.5], " ")}
    total = sum(replies.values())
    for said in rng.sample(sorted(replies), 12):
        labels = json.loads(said)["labels"]
        found = list_logprobs.of_labels(labels_of_all, labels, _tokens(said, replies, pieces))
        assert found is not None
        of_each = (p if name in labels else 1 - p for name, p in found.items())
        assert math.prod(of_each) == pytest.approx(replies[said] / total)


def _token(text: str, **others: float) -> Token:
    listed = [{"token": t, "logprob": math.log(p)} for t, p in others.items()]
    return {"token": text, "logprob": math.log(others.get(text, 1.0)), "top_logprobs": listed}


def test_a_list_out_of_order() -> None:
    """A label counts where it was passed over, and where it is written."""
    first = {'"thanks': 0.6, '"bug': 0.3, "]}": 0.1}
    second = {'", "bug': 0.5, '"]}': 0.5}
    tokens = [
        _token('{"labels": ['),
        _token('"thanks', **first),
        _token('", "bug', **second),
        _token('"]}'),
    ]
    found = list_logprobs.of_labels(["bug", "thanks"], ["bug", "thanks"], tokens)
    assert found is not None
    assert found["bug"] == pytest.approx(1 - 0.7 * 0.5)
    assert found["thanks"] == pytest.approx(0.6 / 0.7)


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        (["a"], '["a"]'),  # not the form that was asked for
        (["a"], '{"labels": ["A"]}'),
        (["a"], '{"labels": ["\\u0061"]}'),
        (["a"], '{"labels": ["a"'),
        (["a"], '{"labels": ["a" "b"]}'),
        (["a"], '{"labels": ["b"]}'),
        (["a"], '{"labels": [["a"]]}'),
        (["a"], '{"labels": ["a"]} {"labels": ["a"]}'),
        (["a"], ""),
        ([], '{"labels": ["a"]}'),
    ],
)
def test_what_is_not_the_list_tells_none(said: list[str], reply: str) -> None:
    assert list_logprobs.of_labels(["a", "b"], said, [_token(each) for each in reply]) is None


def test_a_server_that_lists_no_alternatives_and_a_label_twice() -> None:
    tokens = [{"token": each, "logprob": 0.0} for each in ('{"labels": ["a', '", "a"', "]}")]
    assert list_logprobs.of_labels(["a", "b"], ["a"], tokens) == {"a": 1.0, "b": 0.0}
