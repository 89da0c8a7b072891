"""Probabilities of labels of which any number may apply, from the tokens of a list of them.

A list in the order in which the labels were named decides on each of them once: writing one that
stands farther behind passes those between over, and ending the list passes over all that are
left. How likely a label was to be written in its place, where it was neither passed over nor
written before, is its probability given what was decided on those before it; their product is
that of the whole list, by the chain rule. Where tokens tell that the list might have gone on, but
not with which label, those that could have followed share that evenly. Imports only `logprobs`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlfuncs.llm.logprobs import Token, chance

_LIST = re.compile(r'"labels"\s*:\s*\[')  # what stands before the list in the form asked for
_DECODER = json.JSONDecoder()
_END = None  # of the list, which is written in the place of a label


@dataclass(frozen=True)
class _Step:
    """What was written at a place of the list: a label, or its end.

    From `start`, the mark that closes the label before it, to `end`, the one that closes its own:
    each closing mark tells where one ends and whether another follows.
    """

    said: str | None
    start: int
    end: int
    is_first: bool


def of_labels(
    labels: Sequence[str], said: Sequence[str], tokens: Sequence[Token]
) -> dict[str, float] | None:
    """How likely each label was, 0..1 by itself, when the model answered with those `said`.

    `tokens` are `choices[0].logprobs.content` of a chat completion. None where they do not spell
    that list in the form asked for. What the server does not list counts as 0. In a list out of
    order a label counts where it is written, and where it was passed over.

    >>> import math
    >>> def token(text, **chances):
    ...     others = [{"token": t, "logprob": math.log(p)} for t, p in chances["of"].items()]
    ...     return {"token": text, "logprob": math.log(chances["of"][text]), "top_logprobs": others}
    >>> tokens = [token('{"labels": [', of={'{"labels": [': 1.0}),
    ...     token('"bug', of={'"bug': 0.6, '"refund': 0.3, "]": 0.1}),
    ...     token('"]}', of={'"]}': 0.75, '", "thanks': 0.25})]
    >>> found = of_labels(["refund", "bug", "thanks"], ["bug"], tokens)
    >>> {name: round(value, 2) for name, value in found.items()}
    {'refund': 0.3, 'bug': 0.86, 'thanks': 0.25}
    """
    spelled = "".join(str(token["token"]) for token in tokens)
    try:
        steps = list(_steps(spelled))
    except (ValueError, IndexError):
        return None
    if {step.said for step in steps} != {*said, _END}:
        return None
    if any(_squeezed(spelled[s.start : s.end + 1], s) != _written(s.said, s) for s in steps):
        return None
    likely = dict.fromkeys(labels, 0.0)
    place = {name: at for at, name in enumerate(labels)}
    passed, written = (
        -1,
        set[str | None](),
    )  # the last label that was decided on, in order; those said
    for step in steps:
        left = [name for name in labels if name not in written]
        ahead = [name for name in left if place[name] > passed]
        chances = _chances(step, left, ahead, spelled, tokens)
        total = sum(chances.values())
        to = len(labels) if step.said is None else place[step.said]
        for name in left:
            if place[name] < passed:
                likely[name] = _either(likely[name], chances[name], total)
        for name in ahead:
            if place[name] > to:
                break
            behind = sum(chances[each] for each in ahead if place[each] >= place[name])
            likely[name] = _either(likely[name], chances[name], behind + chances[_END])
        passed = max(passed, to)
        written.add(step.said)
    return likely


def _steps(spelled: str) -> Iterator[_Step]:
    """The places of the one list in a reply. Raises ValueError and IndexError for another form."""
    (begun,) = _LIST.finditer(spelled)
    start = at = begun.end()
    while True:
        at += len(spelled[at:]) - len(spelled[at:].lstrip())
        is_first = start == begun.end()
        if spelled[at] == "]":
            yield _Step(_END, start, at, is_first)
            return
        if not is_first:
            if spelled[at] != ",":
                raise ValueError
            at += 1 + len(spelled[at + 1 :]) - len(spelled[at + 1 :].lstrip())
        if spelled[at] != '"':
            raise ValueError
        said, at = _DECODER.raw_decode(spelled, at)
        yield _Step(said, start, at - 1, is_first)
        start = at - 1


def _chances(
    step: _Step, left: Sequence[str], ahead: Sequence[str], spelled: str, tokens: Sequence[Token]
) -> dict[str | None, float]:
    """How likely each label that is left, and the end of the list, was to be written here."""
    found: dict[str | None, float] = dict.fromkeys([*left, _END], 0.0)
    found.setdefault(step.said, 0.0)  # one that is said twice
    forms = {name: _written(name, step) for name in found}
    path, at = 1.0, 0  # how likely what is written so far was; characters before this token
    for token in tokens:
        text = str(token["token"])
        if at <= step.end and at + len(text) > step.start:
            # Written before this place in this token; written at this place before this token.
            lead, done = spelled[at : max(at, step.start)], spelled[step.start : at]
            kept = chance(token)
            for other in token.get("top_logprobs") or ():
                alternative = str(other["token"])
                if alternative == text or not alternative.startswith(lead):
                    continue
                ends = _leads(_squeezed(done + alternative[len(lead) :], step), forms)
                if ends == [step.said]:
                    kept += chance(other)
                elif step.said not in ends:
                    ends = [name for name in ends if name in ahead] or ends
                    for name in ends:
                        found[name] += path * chance(other) / len(ends)
            path *= min(kept, 1.0)
        at += len(text)
    found[step.said] += path
    return found


def _leads(text: str, forms: dict[str | None, str]) -> list[str | None]:
    """What may come of this beginning, or has."""
    if not text:
        return list(forms)
    return [name for name, form in forms.items() if form.startswith(text) or text.startswith(form)]


def _written(said: str | None, step: _Step) -> str:
    """How a label, or the end, is written at a place, without blanks."""
    if said is _END:
        return "]" if step.is_first else '"]'
    return ("" if step.is_first else '",') + json.dumps(said, ensure_ascii=False)


def _squeezed(text: str, step: _Step) -> str:
    """What is written at a place, without the blanks around its comma."""
    if step.is_first:
        return text.lstrip()
    return re.sub(r'^"\s*(,?)\s*', r'"\1', text)


def _either(likely: float, chance_here: float, of: float) -> float:
    """The probability of a label that could be written at another place, and was not, or here."""
    return 1 - (1 - likely) * (1 - chance_here / of) if of > 0 else likely
