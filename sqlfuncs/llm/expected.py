"""What a request will take: by the length of what is sent, corrected by what earlier ones took.

Two numbers, for a budget has two questions. What a request is likely to take decides whether it
may still begin; what it takes at most, as far as can be known, is set aside while it runs. Of a
model that was never seen nobody knows how long it reasons before it answers: much is set aside
for it at first, which lets few requests run at once where the budget is small. Of `n` requests
that were seen, the next is longer than all of them once in `n + 1` times.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from sqlfuncs.llm import prompt
from sqlfuncs.llm.task import Task

_LONGEST_ANSWER = 16_000  # tokens that a model may write which was not seen yet, with reasoning
_MORE_THAN_SENT = 4  # at most so many times the estimated tokens: a token for each character
_CHARACTERS_PER_TOKEN = 3  # rather too many tokens than too few
_PER_TEXT = 8  # tokens around a text; each of several has a name besides
_PER_NAME = 16
_RECENT = 64  # requests that are remembered of each kind
_KINDS = 64  # of requests, by how many texts are in them
_TASKS = 256  # that are remembered
_MOST = 100_000_000  # tokens: no request takes more


class Tokens(NamedTuple):
    """What goes in, and what comes out."""

    input: int
    output: int

    @property
    def total(self) -> int:
        """Both."""
        return self.input + self.output


class Estimate(NamedTuple):
    """Of a request: by its length alone, what it is likely to take, and what at most."""

    by_length: Tokens
    likely: Tokens
    most: Tokens


@dataclass
class _Seen:
    """Requests of one kind: the input as so many times the estimate, and as so much more."""

    count: int = 0
    times: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))
    more: deque[int] = field(default_factory=lambda: deque(maxlen=_RECENT))
    output: deque[int] = field(default_factory=lambda: deque(maxlen=_RECENT))
    longest: int = 0

    def learn(self, sent: Tokens, took: Tokens) -> None:
        """A request of this length took so much."""
        self.count += 1
        self.times.append(took.input / max(sent.input, 1))
        self.more.append(took.input - sent.input)
        self.output.append(took.output)
        self.longest = max(self.longest, took.output)

    def likely(self, sent: Tokens, scale: float) -> Tokens:
        """What another takes, with `scale` times as many texts."""
        read = min(sent.input * _high(self.times), sent.input + _high(self.more))
        return Tokens(_whole(read), _whole(_high(self.output) * scale))

    def most(self, sent: Tokens, scale: float) -> Tokens:
        """What another takes at most, as far as can be known."""
        unknown = 1 / (self.count + 1)
        times = max(self.times) * (1 + (_MORE_THAN_SENT - 1) * unknown)
        more = max(self.more) + _MORE_THAN_SENT * sent.input * unknown
        written = 2 * self.longest * max(scale, 1.0) + _LONGEST_ANSWER * unknown
        return Tokens(_whole(max(sent.input * times, sent.input + more)), _whole(written))


_Kinds = OrderedDict[tuple[bool, int], _Seen]  # by whether it is asked again, and of how many texts


class Expected:
    """What requests about one task take of one model. Safe for threads."""

    def __init__(self, task: Task, of_model: _Kinds) -> None:
        """`of_model` has what was seen of the model, whatever the task."""
        self._task = task
        self._seen, self._of_model = _Kinds(), of_model

    def request(self, texts: Sequence[str], *, again: bool = False) -> Estimate:
        """Of a request about some texts; `again` for one in plainer words (`Provider.ask`)."""
        sent = by_length(self._task, texts)
        with _learning:
            own = _nearest(self._seen, again, len(texts))
            likely = own or _nearest(self._of_model, again, len(texts))
            return Estimate(
                sent,
                likely[0].likely(sent, likely[1]) if likely else sent,
                own[0].most(sent, own[1])
                if own
                else Tokens(_MORE_THAN_SENT * sent.input, sent.output + _LONGEST_ANSWER),
            )

    def learn(self, estimate: Estimate, took: Tokens, count: int, *, again: bool = False) -> None:
        """A request about `count` texts, of this estimate, took so much."""
        with _learning:
            for kinds in (self._seen, self._of_model):
                seen = kinds.setdefault((again, count), _Seen())
                kinds.move_to_end((again, count))
                while len(kinds) > _KINDS:
                    kinds.popitem(last=False)
                seen.learn(estimate.by_length, took)


def _nearest(kinds: _Kinds, again: bool, count: int) -> tuple[_Seen, float] | None:
    """What was seen of requests most like this one, and how many times as many texts it has."""
    if not kinds:
        return None
    kind = min(kinds, key=lambda kind: (kind[0] != again, abs(kind[1] - count)))
    return kinds[kind], count / kind[1]


_known: OrderedDict[tuple[str, str], Expected] = OrderedDict()
_of_models: OrderedDict[str, _Kinds] = OrderedDict()
_knowing, _learning = threading.Lock(), threading.Lock()


def of(identity: str, task: Task) -> Expected:
    """What is known of a model and a task in this process."""
    key = identity, task.canonical
    with _knowing:
        of_model = _of_models.setdefault(identity, _Kinds())
        found = _known.setdefault(key, Expected(task, of_model))
        _known.move_to_end(key)
        _of_models.move_to_end(identity)
        if len(_known) > _TASKS:
            _known.popitem(last=False)
        if len(_of_models) > _TASKS:
            _of_models.popitem(last=False)
        return found


def forget() -> None:
    """Nothing was seen yet: for tests."""
    with _knowing:
        _known.clear()
        _of_models.clear()


def by_length(task: Task, texts: Sequence[str]) -> Tokens:
    """Of a request that nothing is known of: rather too much.

    >>> task = Task.read(["polite", "impolite"])
    >>> by_length(task, ["Thanks!"]) < by_length(task, ["Thanks a lot for this!"])
    True
    """
    several = len(texts) > 1
    fixed, answer = _of_task(task, several)
    each = _PER_TEXT + (_PER_NAME if several else 0)
    sent = sum(each + math.ceil(len(text) / _CHARACTERS_PER_TOKEN) for text in texts)
    return Tokens(fixed + sent, (answer + each) * len(texts))


@lru_cache(maxsize=64)
def _of_task(task: Task, several: bool) -> tuple[int, int]:
    """Tokens of all that is sent beside the texts, with the schema; and of an answer."""
    sent, received = prompt.about_tokens(task, ["", ""] if several else [""])
    sent += prompt.tokens_in(str(prompt.schema(task, several)))
    return math.ceil(sent * 4 / _CHARACTERS_PER_TOKEN), math.ceil(received / (2 if several else 1))


def is_possible(took: Tokens) -> bool:
    """Whether a request can have taken so much. Servers that do not count say 0, or worse."""
    return 0 < took.input <= _MOST and 0 <= took.output <= _MOST


def _high(values: Sequence[float]) -> float:
    """A value that nine of ten do not pass."""
    return sorted(values)[math.ceil(0.9 * len(values)) - 1]


def _whole(tokens: float) -> int:
    return max(1, math.ceil(tokens))
