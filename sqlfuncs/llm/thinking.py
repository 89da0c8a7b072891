"""The answer of a model without the thoughts before it. Imports nothing of ours.

Models that reason write their thoughts before their answer, between marks that each family has of
its own; servers that know them keep the thoughts apart, others do not. Thoughts name labels that
are then dismissed, so nothing of them is read.
"""

from __future__ import annotations

import re

_NAMES = (
    r"(?:antml:|seed:)?(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection|rationale|analysis|"
    r"scratch_?pad|chain_of_thought|cot|inner_monologue)"
)
# Pairs of marks: how thoughts begin and how they end.
_MARKS = (
    (rf"<\s*{_NAMES}(?:\s[^>]*)?>", rf"<\s*/\s*{_NAMES}\s*>"),
    (r"\[\s*think(?:ing)?\s*\]", r"\[\s*/\s*think(?:ing)?\s*\]"),
    (rf"◁\s*{_NAMES}\s*▷", rf"◁\s*/\s*{_NAMES}\s*▷"),
    (rf"<\|\s*{_NAMES}\s*\|>", rf"<\|\s*/\s*{_NAMES}\s*\|>"),
    (r"<\|(?:begin|start)_of_(?:thought|thinking)\|>", r"<\|end_of_(?:thought|thinking)\|>"),
    (r"<\|START_(?:THINKING|REASONING)\|>", r"<\|END_(?:THINKING|REASONING)\|>"),
    (r"<unused94>", r"<unused95>"),
)
_PAIRS = tuple(
    (re.compile(begins, re.IGNORECASE), re.compile(ends, re.IGNORECASE)) for begins, ends in _MARKS
)
_MAY_THINK = re.compile(r"[<\[◁]|^\s*analysis", re.IGNORECASE)
# Channels of gpt-oss: only the last message of the channel `final` is the answer.
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w+).*?<\|message\|>", re.DOTALL)
_CHANNEL_ENDS = re.compile(r"<\|(?:return|end|start|call|channel)\|>")
# ... and where a server has left the marks out but not the names of the channels.
_BARE_CHANNELS = re.compile(r"^\s*analysis(?!\s*[:\"']).*assistant\s*final", re.DOTALL)
# Marks of turns, which servers of raw models leave standing; after the end of one others follow.
_TURN_ENDS = re.compile(
    r"<\|(?:im_end|eot_id|eom_id|endoftext|end|return|end_of_text|END_RESPONSE|end_of_solution)\|>"
    r"|</s>|<end_of_turn>|<eos>"
)
_TURN_BEGINS = re.compile(
    r"<\|im_start\|>\s*(?:assistant)?|<\|(?:assistant|START_RESPONSE|begin_of_solution)\|>"
    r"|<start_of_turn>\s*(?:model)?|<s>"
)


def final_answer(text: str) -> str:
    """The reply of a model, without its thoughts.

    >>> final_answer("<think>Is it a? No.</think> b")
    'b'
    >>> final_answer("Hm, it is a. No.</think>b"), final_answer("<think>It may be a, or")
    ('b', '')
    >>> final_answer("<|channel|>analysis<|message|>a<|end|><|channel|>final<|message|>b<|return|>")
    'b'
    """
    if not _MAY_THINK.search(text):
        return text.strip()
    text = _of_channels(text)
    for begins, ends in _PAIRS:
        text = _between(text, begins, ends)
    turns = (_TURN_BEGINS.sub(" ", turn).strip() for turn in _TURN_ENDS.split(text))
    return next(filter(None, turns), "")


def _between(text: str, begins: re.Pattern[str], ends: re.Pattern[str]) -> str:
    """What stands outside of marks of one kind."""
    kept, at = [], 0
    while (begun := begins.search(text, at)) is not None:
        kept.append(text[at : begun.start()])
        over = ends.search(text, begun.end())
        if over is None:
            return _after_last("".join(kept), ends) + _after_all(text[begun.end() :])
        at = over.end()
    return _after_last(" ".join([*kept, text[at:]]), ends)


def _after_last(text: str, ends: re.Pattern[str]) -> str:
    """What follows thoughts whose beginning the prompt has written."""
    at = 0
    for over in ends.finditer(text):
        at = over.end()
    return text[at:]


def _of_channels(text: str) -> str:
    channels = list(_CHANNEL.finditer(text))
    if not channels:
        return _BARE_CHANNELS.sub("", text, count=1)
    final = [found for found in channels if found[1].casefold() == "final"]
    if not final:
        return text[: channels[0].start()]
    rest = text[final[-1].end() :]
    ends = _CHANNEL_ENDS.search(rest)
    return rest if ends is None else rest[: ends.start()]


def _after_all(thoughts: str) -> str:
    """The answer of a model that never marked the end of its thoughts: JSON at the very end."""
    begins = thoughts.find("{")
    stripped = thoughts.strip()
    is_one = thoughts.count("{") == 1 and stripped.endswith(("}", "}\n```", "}```"))
    return thoughts[begins:] if begins >= 0 and is_one else ""
