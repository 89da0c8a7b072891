"""What servers of OpenAI's language say when a request failed, as `failures`.

By its code where that is known, else by its message (`openai_errors`), else by the status. No
message holds a key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus

from sqlfuncs.llm import retry_after
from sqlfuncs.llm.failures import (
    Busy,
    Declined,
    Filtered,
    Flaky,
    ProviderFailure,
    TooLong,
    Unusable,
)
from sqlfuncs.llm.openai_errors import SHOWN, codes_of, message_of
from sqlfuncs.llm.openai_json import parsed
from sqlfuncs.llm.prompt import LIMITS
from sqlfuncs.llm.redaction import shown

# What a request can do without. What asks for another comes before it.
OPTIONAL = (*LIMITS, "response_format", "temperature", "seed", "top_logprobs", "logprobs")
_SAY_NOTHING = ("error", "None", "invalid_request_error")

_TOO_LONG_CODES = frozenset(
    (
        "context_length_exceeded",
        "context_window_exceeded",
        "model_context_window_exceeded",
        "contextwindowexceedederror",
        "exceed_context_size_error",
        "prompt_too_long",
        "input_too_long",
        "request_too_large",
        "tokens_limit_reached",
    )
)
_CONTEXT = r"context[ _-]?(?:length|size|window|limit)"
_TOO_LONG = re.compile(
    rf"(?:max(?:imum)?|available|configured|supported|total|model'?s?) {_CONTEXT}"
    rf"|{_CONTEXT}\w*\b[^.]{{0,60}}\b(?:exceed|overflow|full|not enough|is only|too small)"
    rf"|exceed\w*\b[^.]{{0,80}}\b(?:{_CONTEXT}|n_ctx)"
    rf"|(?:greater|longer|larger|more|bigger|higher) than\b[^.]{{0,80}}\b(?:{_CONTEXT}|n_ctx)"
    r"|context (?:the )?overflow|n_keep\b[^.]{0,40}\bn_ctx|max_?model_?len\b"
    r"|prompt\b[^.]{0,120}\btoo (?:long|large|big)\b"
    r"|\b(?:input|inputs|messages?|request|text|content|conversation)\b(?: \w+)? (?:is|are|was) "
    r"too (?:long|large|big)\b(?! for (?:the )?(?:rate|quota))"
    r"|\b(?:prompt|input|sequence)[ _]?(?:length|size|tokens?|token count)?\b[^.]{0,80}"
    r"\b(?:exceed|longer than|larger than|greater than|more than the max)"
    r"|input token count is \d+ but|input tokens? exceed|prompt token count of \d+"
    r"|max(?:imum)? (?:allowed )?(?:input|prompt|sequence|seq)[ _]?(?:length|len|size|tokens)"
    r"|reduce (?:the (?:length|size|number)|your (?:prompt|input|message))"
    r"|too many (?:input |prompt )?tokens\b|(?:model )?token limit\b[^.]{0,20}\bexceeded"
    r"|exceed\w* (?:the )?(?:model'?s? )?(?:max(?:imum)? )?(?:number of )?(?:input )?tokens? "
    r"(?:limit|allowed)|exceeded model token limit"
    r"|inputs?`? (?:tokens?|length) ?(?:\+|and) ?`?max_(?:new_)?tokens"
    r"|inputs?`? must have less than \d+ tokens|range of input length should be"
    r"|max_num_tokens|max_tokens must be at least 1, (?:but )?got -"
    r"|payload (?:size )?(?:exceeds|(?:is )?too large)|(?:entity|content|body|payload) too large",
    re.IGNORECASE,
)
# Of these, words about length are about something else: how much at a time, or how long an answer.
_OF_A_RATE = re.compile(
    r"rate[ _-]?limit|per[ _-]?(?:minute|min|day|hour|second|month)\b|\b[TR]P[MD]\b|quota|throttl"
    r"|too many requests|billing|credits?\b|free[ -]tier",
    re.IGNORECASE,
)
_OF_THE_ANSWER = re.compile(
    r"max_(?:completion_|output_|new_)?tokens['\"`]*(?: or ['\"`]?max_\w+['\"`]*)?:? "
    r"(?:is|are|was|value|must be less|cannot be (?:greater|larger)|should be (?:less|at most))\b"
    r"|at most \d+ (?:completion|output) tokens|\b(?:completion|output) tokens? (?:limit|exceed)",
    re.IGNORECASE,
)
_STRING_TOO_LONG = ("string_above_max_length", "string too long")
_FILTERED = (
    "content_filter",
    "content management policy",
    "content policy",
    "content_policy",
    "moderation",
    "was flagged",
    "responsibleaipolicyviolation",
)
_NO_QUOTA = ("insufficient_quota", "billing_hard_limit_reached", "insufficient balance")
# What an error inside of a reply with status 200 would have had as a status.
_STATUSES = (
    (429, r"rate[ _-]?limit|too many requests|resource[ _]exhausted|insufficient_quota|throttl"),
    (
        503,
        r"overloaded|unavailable|try again|loading|capacity|temporar|busy|not ready|starting up"
        r"|warming",
    ),
    (504, r"tim(?:ed?|e)[ -]?out"),
    (
        500,
        r"internal|server_error|out of memory|cuda|crash|connection (?:error|reset|closed|refused)"
        r"|upstream|bad gateway|api_error|exception|traceback",
    ),
    (401, r"authentication|unauthorized|invalid[ _]api[ _]key|incorrect api key"),
    (403, r"permission_(?:denied|error)|forbidden"),
    (402, r"insufficient balance|payment required"),
    (404, r"model_not_found|not_found_error|model\b.{0,80}\b(?:not found|does not exist)"),
)


class NotFound(ProviderFailure):
    """404: no such model, or no such page."""


class OptionRefused(ProviderFailure):
    """The server does not know an option, or not this value of it."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


def failure(
    status: int | None, body: object, headers: Mapping[str, str] | None = None
) -> ProviderFailure:
    """What is to be done about a reply that is an error: its body as JSON, text or bytes.

    >>> failure(400, {"error": "The prompt is too long for this model's context length"})
    TooLong("the server said 400: The prompt is too long for this model's context length")

    Without a `status` it is an error inside of a reply that had none: its message tells which.
    """
    if isinstance(body, bytes | str):
        body = parsed(body)
    reason = message_of(body)
    codes = codes_of(body)
    extra = [code for code in codes if code not in reason and code not in _SAY_NOTHING]
    text = " ".join(filter(None, [reason, *(code for code in extra if not code.isdigit())]))
    if status is None:
        status = _status(codes, text)
        message = f"the server said, in place of an answer: {shown(text or 'nothing', SHOWN)}"
    else:
        message = f"the server said {status}: {shown(text or _phrase(status), SHOWN)}"
    return _meant(status, text, codes, message, headers or {})


def _meant(
    status: int, text: str, codes: list[str], message: str, headers: Mapping[str, str]
) -> ProviderFailure:
    plain = text.casefold()
    if _is_too_long(status, text, codes):
        return TooLong(message)
    named = (name for name in OPTIONAL if re.search(rf"\b{name.casefold()}\b", plain))
    refused = next(named, None)
    if status in (400, 403, 422) and refused:
        return OptionRefused(refused, message)
    if status in (400, 403, 422) and any(sign in plain for sign in _FILTERED):
        return Filtered(message)
    if status in (401, 403):
        return Unusable(f"{message}. Is OPENAI_API_KEY right?")
    if status == 402 or (status == 429 and any(sign in plain for sign in _NO_QUOTA)):
        return Unusable(message)
    if status == 404:
        return NotFound(message)
    if "request too large" in plain and _OF_A_RATE.search(text):
        return Declined(message)  # more than the account may ever send: waiting is of no use
    if status == 429:
        return Busy(message, retry_after.seconds(headers))
    if status in (408, 409, 425) or status >= 500:
        after = retry_after.seconds(headers)
        return Busy(message, after) if after else Flaky(message)
    return Declined(message)


def _is_too_long(status: int, text: str, codes: list[str]) -> bool:
    if any(code.casefold() in _TOO_LONG_CODES for code in codes):
        return not _OF_A_RATE.search(text)
    if status in (401, 402, 403, 404, 408, 409, 429) or _OF_A_RATE.search(text):
        return False
    plain = text.casefold()
    if any(sign in plain for sign in _STRING_TOO_LONG):  # of a text, or of a parameter
        return "message" in plain or "content" in plain
    if _OF_THE_ANSWER.search(text):
        return False
    return status == 413 or bool(_TOO_LONG.search(text))


def _status(codes: list[str], text: str) -> int:
    """The status that an error without one would have had."""
    for code in codes:
        if code.isdecimal() and len(code) == 3 and 400 <= int(code) <= 599:
            return int(code)
    for status, pattern in _STATUSES:
        if re.search(pattern, " ".join([text, *codes]), re.IGNORECASE):
            return status
    return 400


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "nothing"
