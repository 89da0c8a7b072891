"""What the words of an answer claim to be its label: in a sentence, a line, a list, a tag.

A wrong label costs more than none. So a label counts where an answer stands (alone, after
"answer:", at the beginning before an explanation, at the end of a sentence that gives one) and
only if no other is named and nothing around it takes it back; being mentioned is not enough.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal

from sqlfuncs.llm.spelling import EDGES, folded, label_of
from sqlfuncs.llm.task import Task

_SHORT = 600  # characters of an answer in prose that is read as a whole
_MOST_CHARACTERS = 20_000
_SHORTEST = 3  # letters of a label that is no word of every sentence
_MOST_CLAIMS = 12  # lines that give an answer; more are a list of something
_MOST_PIECES = 60  # of a list
_NONE = re.compile(
    r"none(?: (?:of (?:the|these)(?: labels| tags| categories)?|of (?:them|the above)))?"
    r"(?: (?:apply|applies|fits?))?"
    r"|no (?:labels?|tags?|categor(?:y|ies))(?: (?:apply|applies|fits?))?"
)
_NOUN = (
    r"(?:labels?|answers?|categor(?:y|ies)|class(?:es)?|classifications?|tags?|choices?|"
    r"predictions?|verdict|result|output|sentiment|intent|topic|decision|conclusion)"
)
_LEAD = re.compile(
    r"^[\s\"'`*_#>\-•·–—]*(?:\d{1,2}[.)]\s+)?"
    r"(?:(?:so|thus|therefore|hence|ok(?:ay)?|sure|well)[,:]?\s+)?"
    rf"(?:the\s+|my\s+|its?\s+)?(?:(?:final|correct|best|right|chosen|predicted|most\s+fitting|"
    rf"appropriate)\s+)*{_NOUN}(?:\s+(?:for|of)\s+(?:this|the)\s+(?:text|sentence|message))?"
    r"[\"'`*_]*\s*(?:is|are|:|=|：|->|→|would\s+be|should\s+be)+\s*[:：]?\s*",
    re.IGNORECASE,
)
_THIS_IS = re.compile(
    r"^(?:the\s+|this\s+)(?:text|sentence|message|one|review|request|comment)\s*(?:is|:|=)\s*"
    r"|^(?:this|that|it)(?:\s+is|['’]s)\s+",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s*(?:[-*•·–—+>]|\(?\d{1,2}[.)])\s+")
_TAG = re.compile(
    r"<\s*(label|answer|final_answer|category|class|output|result|response|solution)\s*>"
    r"(.*?)<\s*/\s*\1\s*>",
    re.IGNORECASE | re.DOTALL,
)
_BOXED = re.compile(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_IN_BOX = re.compile(r"\\(?:text|mathrm|textbf|mathbf|texttt|textit)\s*\{([^{}]*)\}")
_HEDGED = re.compile(
    r"\b(?:not|no|nor|never|none|neither|without|hardly|barely|scarcely|rarely|cannot|\w+n['’]?t|"
    r"or|either|both|maybe|perhaps|possibly|might|may|could|if|unless|whether|doubt\w*|unsure|"
    r"uncertain|unclear|ambiguous|unlikely|un\w+able|wrong\w*|incorrect\w*|false|far\s+from|"
    r"anything\s+but|opposite|instead|rather|except|less|fails?|refus\w+|lacks?|nicht|kein\w*|"
    r"pas|ni|nie|nunca|niet)\b|\?|/|≠|¬|!=",
    re.IGNORECASE,
)
_TAKEN_BACK = re.compile(
    r"\b(?:but|however|although|though|wait|actually|on\s+second\s+thoughts?|alternatively|"
    r"instead|correction|scratch\s+that|hmm+|never\s*mind|on\s+the\s+other\s+hand|unsure|"
    r"not\s+(?:sure|certain)|unclear|mistake|sorry)\b|(?:^|[.!?\n])[\s\-*•>\"'(]*(?:no|not|wrong|false|nope)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|\n+")
_REASON = re.compile(
    r"^(?:\s*[.!](?:\s|$)|\s*\n|\s*$|\s*\(|\s+[-–—]+\s|\s*[–—]|\s*[:;,]\s*(?:\S+\s+){2}\S|"
    r"\s+(?:because|since|as|due\s+to)\b|[\"'`*”’]+\s)",
    re.IGNORECASE,
)
_GIVES = re.compile(
    rf"(?:\b{_NOUN}\s+(?:is|are|would\s+be|should\s+be)|\b(?:this|it|text|message|sentence|one)\s+is"
    r"|\b(?:classif(?:y|ied)|label(?:l?ed)?|categori[sz]ed?|tag(?:ged)?|mark(?:ed)?)\b[^.!?\n]{0,30}"
    r"\bas|\b(?:falls|belongs)\s+(?:in|into|to|under)|\b(?:choose|chose|pick|select|assign|"
    r"say|go\s+with|best\s+fits|fits)|[:=→])(?:\s+(?:an?|the|clearly|definitely|certainly|about|"
    r"to|under|into|in|best|category|label|class))*[\s\"'`*“‘(\[]*$",
    re.IGNORECASE,
)


def in_prose(task: Task, text: str) -> str | None:
    """The one label that an answer in prose gives."""
    phrase = as_phrase(task, text)
    if phrase is not None or len(text) > _MOST_CHARACTERS:
        return phrase
    marked = list(_marked(text))
    if marked:
        return _agreed([as_phrase(task, each) for each in marked])
    form = _form(task)
    if form is None:
        return None
    text = unicodedata.normalize(form, text)
    led = list(_led(task, text))
    if led:
        return _agreed(led)
    return _in_short(task, text) if len(text) <= _SHORT else None


@lru_cache(maxsize=64)
def _form(task: Task) -> Literal["NFKC", "NFC"] | None:
    """The form of Unicode in which a sentence is read: one that leaves labels apart."""
    forms: tuple[Literal["NFKC", "NFC"], ...] = ("NFKC", "NFC")
    for form in forms:
        if len({unicodedata.normalize(form, label) for label in task.labels}) == len(task.labels):
            return form
    return None


def as_phrase(task: Task, phrase: str) -> str | None:
    """The label that a few words are, bar a bullet or "The label is"."""
    label = label_of(task, phrase)
    if label is not None or len(phrase) > _SHORT:
        return label
    for lead in (_BULLET, _LEAD, _THIS_IS):
        shorter = lead.sub("", phrase.strip().lstrip("\"'`*“"), count=1)
        if shorter and shorter.strip() != phrase.strip():
            label = label_of(task, shorter) or as_phrase(task, shorter)
            if label is not None:
                return label
    return None


def several(task: Task, text: str) -> tuple[str, ...] | None:
    """The labels that an answer lists, however it sets them apart; None if it says anything else.

    >>> several(Task.read(["a", "b, c"], multi=True), "- b, c\\n- a")
    ('a', 'b, c')
    """
    if len(text) > _MOST_CHARACTERS:
        return None
    marked = list(_marked(text))
    if len(marked) == 1:
        text = marked[0]
    text = _LEAD.sub("", text.strip(), count=1)
    if says_none(task, text):
        return ()
    listed = _listed(task, text)
    return None if listed is None else in_order(task, listed)


def in_order(task: Task, labels: Iterable[str]) -> tuple[str, ...]:
    """Labels, each once, in the task's order: so two lists are the same if their labels are."""
    said = {*labels}
    return tuple(name for name in task.labels if name in said)


def says_none(task: Task, phrase: str) -> bool:
    """Whether a phrase says that no label applies; never where a label is called so.

    >>> says_none(Task.read(["a", "b"]), "None."), says_none(Task.read(["a", "no label"]), "None.")
    (True, False)
    """
    return bool(_NONE.fullmatch(folded(phrase.strip(EDGES)))) and not any(
        _NONE.fullmatch(folded(name.strip(EDGES))) for name in task.labels
    )


def _listed(task: Task, text: str) -> list[str] | None:
    pieces = re.split(r"(\s*(?:[,;|\n、，；]|\band\b|&)\s*)", _without_bullets(text).strip())
    if len(pieces) > 2 * _MOST_PIECES:
        return None
    found: list[str] = []
    at = 0
    while at < len(pieces):
        # A label may hold a comma: the longest run of pieces that is one.
        for end in range(len(pieces), at, -2):
            label = label_of(task, "".join(pieces[at:end]))
            if label is not None:
                found.append(label)
                break
        else:
            if pieces[at].strip(EDGES):
                return None
            end = at + 1
        at = end + 1
    return found or None


def _without_bullets(text: str) -> str:
    return "\n".join(_BULLET.sub("", line) for line in text.splitlines())


def _agreed(claims: list[str | None]) -> str | None:
    return claims[0] if len(set(claims)) == 1 else None


def _marked(text: str) -> Iterator[str]:
    for found in _TAG.finditer(text):
        yield found[2]
    for found in _BOXED.finditer(text):
        yield _IN_BOX.sub(r"\1", found[1]).replace("\\_", "_").replace("\\ ", " ")


def _led(task: Task, text: str) -> Iterator[str | None]:
    """Of the lines that begin with "answer:" what follows, unless it is taken back after."""
    lines = text.splitlines()
    leads = [(at, lead) for at, line in enumerate(lines) if (lead := _LEAD.match(line))]
    if len(leads) > _MOST_CLAIMS:
        yield None
        return
    for at, lead in leads:
        line = lines[at]
        rest = line[lead.end() :].strip().strip("*_`") or "".join(lines[at + 1 : at + 2])
        if not rest:
            continue
        after = "\n".join(lines[at + 1 :])
        yield None if _TAKEN_BACK.search(after) else _with_reason(task, rest)


def _with_reason(task: Task, text: str) -> str | None:
    """The label of a line, alone or before an explanation of it."""
    label = as_phrase(task, text)
    return label if label is not None else _in_short(task, text)


def _in_short(task: Task, text: str) -> str | None:
    """The label that a sentence or two give."""
    first, _, rest = text.strip().partition("\n")
    named = _mentions(task, text)
    beside = text  # the words that are no label's
    for _, start, end in named:
        beside = beside[:start] + "-" * (end - start) + beside[end:]
    if _TAKEN_BACK.search(beside):
        return None
    alone = as_phrase(task, first) if rest else None
    if alone is not None:
        again = [each for each in named if each[1] >= len(text) - len(text.lstrip()) + len(first)]
        is_hedged = any(_HEDGED.search(_beside(text, start, end)) for _, start, end in again)
        return alone if {label for label, _, _ in named} <= {alone} and not is_hedged else None
    labels = {label for label, _, _ in named}
    if len(labels) != 1 or _is_word(next(iter(labels))):
        return None
    for label, start, end in named:
        if _is_given(text, start, end):
            return label
    return None


def _is_word(label: str) -> bool:
    """Whether it is one that any sentence may hold, as `a` and `I`."""
    return label.isascii() and len(folded(label)) < _SHORTEST


def _is_given(text: str, start: int, end: int) -> bool:
    """Whether what stands there is the answer of its sentence, which does not doubt it."""
    begins, ends = _sentence(text, start, end)
    before, after = text[begins:start], text[end:ends]
    if _HEDGED.search(f"{before} {after}"):
        return False
    follows = _REASON.match(text[end:])
    if begins == 0 and not _LEAD.sub("", before, count=1).strip(EDGES + "-–—#>"):
        return follows is not None
    is_last = not after.strip(EDGES)
    return bool(_GIVES.search(before)) and (is_last or follows is not None)


def _beside(text: str, start: int, end: int) -> str:
    """The other words of the sentence that holds a place."""
    begins, ends = _sentence(text, start, end)
    return f"{text[begins:start]} {text[end:ends]}"


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    begins = 0
    for split in _SENTENCE.finditer(text):
        if split.end() <= start:
            begins = split.end()
        elif split.start() >= end:
            return begins, split.start()
    return begins, len(text)


def _mentions(task: Task, text: str) -> list[tuple[str, int, int]]:
    """Where labels are named, as words of their own; of overlapping ones the longest."""
    found = []
    for place in _names(task).finditer(text):
        label = label_of(task, place[0])
        if label is None:  # close to two labels
            return []
        found.append((label, place.start(), place.end()))
    return found


@lru_cache(maxsize=64)
def _names(task: Task) -> re.Pattern[str]:
    spelled = sorted({folded(label) for label in task.labels}, key=len, reverse=True)
    between = r"[\s_\-\u2010-\u2015]+"
    names = "|".join(between.join(map(re.escape, each.split())) for each in spelled if each)
    if not names:
        return re.compile(r"(?!)")  # of labels without a letter, no sentence is read
    # Part of no longer word, nor of one with a hyphen: "impolite", "non-polite", "polite-ish".
    return re.compile(
        rf"(?<![^\W_])(?<![\w'’][-'’‑–])(?<!_)(?:{names})(?![^\W_])(?![-'’‑][^\W_])(?!_)",
        re.IGNORECASE,
    )
