"""A server's reply as plain values that were checked: whatever it sends, nothing here breaks.

A reply is JSON from a stranger. Each value that is used is looked at once, in this module, and is
of its type from then on; what is missing or of another type counts as not reported.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from sqlfuncs.llm.failures import Flaky, ProviderFailure
from sqlfuncs.llm.openai_errors import is_error, shown_message
from sqlfuncs.llm.openai_failures import failure
from sqlfuncs.llm.openai_json import parsed
from sqlfuncs.llm.redaction import shown

_MOST_TOKENS = 10_000_000  # of a request; who says more has not counted
_SHOWN = 120
_THOUGHTS = ("thinking", "reasoning", "thought", "redacted_thinking")
_DEEPEST = 4  # lists of parts in each other

# A token, how likely it was (its logarithm), and the others that were listed, each with its own.
Token = Mapping[str, Any]


@dataclass(frozen=True)
class Reply:
    """A chat completion. `content` is the model's answer; tokens are None if not reported."""

    content: str
    refusal: str = ""
    finish_reason: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    logprobs: tuple[Token, ...] = field(default=(), repr=False)


def reply(body: object) -> Reply:
    """A body, JSON or bytes, as a reply.

    >>> reply({"choices": [{"message": {"content": "polite"}}], "usage": "three"})
    Reply(content='polite', refusal='', finish_reason='', input_tokens=None, output_tokens=None)

    Raises ProviderFailure for one that is an error, or no chat completion.
    """
    if isinstance(body, bytes | str):
        body = parsed(body)
    choice = next(_choices(body), None)
    if choice is None:
        raise _none(body)
    message = choice.get("message")
    if not isinstance(message, dict):
        message = {"content": message if isinstance(message, str | list) else choice.get("text")}
    content, refusals = _content(message.get("content"))
    for place in (choice, body):  # the one of a gateway, whose server failed midway
        if not content and isinstance(place, dict) and place.get("error"):
            raise failure(None, {"error": place["error"]})
    usage = body.get("usage") if isinstance(body, dict) else None
    input_tokens, output_tokens = _used(usage)
    return Reply(
        content,
        _text(message.get("refusal")) or refusals,
        _text(choice.get("finish_reason")).casefold(),
        input_tokens,
        output_tokens,
        _logprobs(choice.get("logprobs")),
    )


def text_of(value: object, name: str) -> str:
    """A text of an object; empty if there is none."""
    return _text(value.get(name)) if isinstance(value, dict) else ""


def _choices(body: object) -> Iterator[Mapping[str, Any]]:
    choices = body.get("choices") if isinstance(body, dict) else None
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and choice:
            yield choice


def _none(body: object) -> ProviderFailure:
    """Why a body without a choice is no chat completion."""
    if is_error(body):
        return failure(None, body)
    message = shown_message(body) if isinstance(body, str) else ""
    if message:
        return Flaky(
            f"the server's reply is no chat completion: {shown(message, _SHOWN)}", was_received=True
        )
    return Flaky("the server's reply is not what a chat completion looks like", was_received=True)


def _content(value: object, depth: int = 0) -> tuple[str, str]:
    """The answer and the refusal in a text, or in parts of one."""
    if isinstance(value, str):
        return value, ""
    if not isinstance(value, list) or depth > _DEEPEST:
        return "", ""
    answered, refused = [], []
    for part in value:
        if isinstance(part, str):
            answered.append(part)
        elif isinstance(part, dict) and part.get("type") not in _THOUGHTS:
            inner = part.get("text", part.get("content"))
            if isinstance(inner, dict):
                inner = inner.get("value")
            texts = _content(inner, depth + 1)
            answered.append(texts[0])
            refused += [texts[1], _text(part.get("refusal"))]
    return "".join(answered), "".join(refused)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _used(usage: object) -> tuple[int | None, int | None]:
    if not isinstance(usage, dict):
        return None, None
    read = _count(usage, "prompt_tokens", "input_tokens")
    written = _count(usage, "completion_tokens", "output_tokens")
    total = _count(usage, "total_tokens")
    if written is None and read is not None and total is not None and total >= read:
        written = total - read
    if read is None and written is not None and total is not None and total >= written:
        read = total - written
    return read, written


def _count(usage: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = usage.get(name)
        if _is_number(value) and 0 <= value <= _MOST_TOKENS:
            return int(value)
    return None


def _logprobs(value: object) -> tuple[Token, ...]:
    """Tokens with their alternatives; none at all if one of them is odd."""
    tokens = value.get("content") if isinstance(value, dict) else None
    if not isinstance(tokens, list) or not all(map(_is_token, tokens)):
        return ()
    for token in tokens:
        others = token.get("top_logprobs") or []
        if not isinstance(others, list) or not all(map(_is_token, others)):
            return ()
    return tuple(tokens)


def _is_token(value: object) -> bool:
    if type(value) is not dict or type(value.get("token")) is not str:
        return False
    likely = value.get("logprob")
    # So none that is not a number.
    return _is_number(likely) and (likely == -math.inf or -1e9 <= likely <= 1e-3)


def _is_number(value: object) -> TypeGuard[int | float]:
    return type(value) in (int, float)  # true and false are none
