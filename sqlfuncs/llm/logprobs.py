"""Probabilities of labels, from those of the tokens of an answer. Imports nothing of ours.

A server that is asked for `top_logprobs` tells, for each token of an answer, which others it
might have written and how likely they were. Where the label stands in the answer, those are the
beginnings of the other labels.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

Token = Mapping[str, Any]
_KEY = re.compile(r'"label"\s*:\s*"$')  # what stands before the answer in the form asked for
_BEFORE = 20  # characters in which that has room


def of_labels(
    labels: Sequence[str], label: str, tokens: Sequence[Token]
) -> dict[str, float] | None:
    """How likely each label was, summing to 1, when the model answered with `label`.

    `tokens` are `choices[0].logprobs.content` of a chat completion. None where they do not spell
    the label, as when it is written with escapes. What the server does not list counts as 0.

    >>> others = [{"token": "po", "logprob": -0.2}, {"token": "im", "logprob": -1.7}]
    >>> tokens = [{"token": '{"label": "', "logprob": 0.0, "top_logprobs": []},
    ...         {"token": "po", "logprob": -0.2, "top_logprobs": others},
    ...         {"token": 'lite"}', "logprob": 0.0, "top_logprobs": []}]
    >>> found = of_labels(["polite", "impolite"], "polite", tokens)
    >>> {name: round(value, 2) for name, value in found.items()}
    {'polite': 0.82, 'impolite': 0.18}
    """
    spelled = "".join(str(token["token"]) for token in tokens)
    start = _start(spelled.casefold(), label.casefold())
    if start is None or len(spelled) != len(spelled.casefold()):
        return None
    likely = dict.fromkeys(labels, 0.0)
    path, at = 1.0, 0  # how likely what is written so far was; characters before this token
    for token in tokens:
        written = str(token["token"])
        if at + len(written) > start:
            # Written before the label in this token; written of the label before this token.
            lead, done = written[: max(0, start - at)], max(0, at - start)
            _share(likely, label, done, path, _alternatives(token, lead))
            path *= chance(token)
            if done >= len(label):  # this token decides whether the label ends here
                break
        at += len(written)
    likely[label] += path
    total = sum(likely.values())
    return {name: value / total for name, value in likely.items()} if total > 0 else None


def _start(spelled: str, label: str) -> int | None:
    """Where the answer stands; a model that explains it says the label's name more than once."""
    places = [found.start() for found in re.finditer(re.escape(label), spelled)]
    if len(places) > 1:
        places = [at for at in places if _KEY.search(spelled[max(0, at - _BEFORE) : at])]
    return places[0] if len(places) == 1 else None


def _share(
    likely: dict[str, float], label: str, done: int, path: float, others: Mapping[str, float]
) -> None:
    """Give each way that was not taken to the labels that it leads to."""
    begun = [name for name in likely if _same(name[:done], label[:done])]
    for written, share in others.items():
        ends = [name for name in begun if _leads(written, name[done:])]
        longer = [name for name in ends if len(name) > done]
        ends = longer or ends  # "polite request" goes on where "polite" ends
        if label in ends:
            continue  # still on the way to the label; others part from it later
        for name in ends:
            likely[name] += path * share / len(ends)


def _alternatives(token: Token, lead: str) -> dict[str, float]:
    """What might have been written of a label, and how likely that was."""
    return {
        str(other["token"])[len(lead) :]: chance(other)
        for other in token.get("top_logprobs") or ()
        if str(other["token"]).startswith(lead) and len(str(other["token"])) > len(lead)
    }


def _leads(written: str, rest: str) -> bool:
    """Whether a token begins the rest of a label, or ends it."""
    if not rest:
        return not written[:1].isalnum()
    length = min(len(written), len(rest))
    if not _same(written[:length], rest[:length]):
        return False
    return len(written) <= len(rest) or not written[len(rest)].isalnum()


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def chance(token: Token) -> float:
    """How likely a token was, 0..1."""
    return math.exp(min(0.0, float(token["logprob"])))
