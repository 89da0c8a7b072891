"""How a model's reply is read back: as a person would read it, and never for more than it says.

The label is taken from the one JSON object that carries it, else from the prose (`claims`), after
whatever the model thought aloud (`thinking`), in any spelling (`spelling`). Where two labels are
said, or one is denied, there is none: a wrong label costs more than a NULL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlfuncs.llm.claims import as_phrase, in_order, in_prose, says_none, several
from sqlfuncs.llm.loose_json import Found, Several, values
from sqlfuncs.llm.redaction import shown
from sqlfuncs.llm.row_names import lines_of, rows_of
from sqlfuncs.llm.spelling import EDGES, label_of, unseen
from sqlfuncs.llm.task import Task
from sqlfuncs.llm.thinking import final_answer
from sqlfuncs.store.answer_rows import Answer

READER = "2"  # another one reads kept failures anew: whenever more answers can be read
_SHOWN = 80  # characters of an answer that is none of the labels
_DEEPEST = 6  # objects in each other that are looked into
# What the value is called that is the answer, from the most certain name on.
_ANSWERS = (
    ("label", "labels"),
    ("answer", "answers", "final_answer", "final answer"),
    ("category", "categories", "class", "classes", "classification", "prediction", "predicted"),
    ("predicted_label", "result", "results", "output", "response", "verdict", "choice", "tag"),
    ("tags", "intent", "topic", "sentiment", "value", "name"),
)
# ... and what is beside it.
_BESIDE = {
    *("id", "index", "text", "texts", "input", "message", "reason", "reasons", "reasoning"),
    *("explanation", "rationale", "thought", "thoughts", "thinking", "analysis", "type"),
    *("justification", "evidence", "confidence", "score", "probability", "note", "notes"),
    *("comment", "comments", "description", "language"),
}
_PLACEHOLDER = re.compile(r"^[\s.…<>_*-]*$|^<[^>]*>$|^\.\.\.|^string$")
_DENIED_BEFORE = re.compile(r"(?:\b(?:not|never|nor|neither|no|cannot|wrong)\b|n['’]t\b)", re.I)
_DENIED_AFTER = re.compile(
    r"^[\s`*\"']*(?:is|was|would|isn|should|cannot|can['’]t|not|wrong|no|does|doesn)\b[^.!?\n]*?"
    r"(?:\b(?:not|never|wrong|incorrect|false|no)\b|n['’]t\b)|^\s*\?",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[.!?:\n]")


class _Unclear(Exception):
    """The reply is no label, or more than one."""


def read(task: Task, reply: str, names: Sequence[str] | None) -> list[Answer]:
    """The answers in a model's reply: one, or one for each name, in their order.

    >>> task = Task.read(["polite", "impolite"])
    >>> [answer.label for answer in read(task, '{"label": "polite"}', None)]
    ['polite']
    >>> [read(task, reply, None)[0].label for reply in ("Impolite.", "It is not polite.")]
    ['impolite', None]
    """
    if names is not None:
        return _of_several(task, reply, names)
    plain = _as_asked(task, reply)
    return [Answer((plain,)) if plain is not None else _of_one(task, reply)]


def _as_asked(task: Task, reply: str) -> str | None:
    """The label of an answer in just the form that was asked for, as nearly all are."""
    if task.multi or not reply.startswith("{") or reply.count('"label"') > 1:
        return None
    try:
        match json.loads(reply):
            case {"label": str(label), **others} if not others and label in task.labels:
                return label
    except (ValueError, RecursionError):
        pass
    return None


def _of_one(task: Task, reply: str) -> Answer:
    try:
        label = None if task.multi else label_of(task, reply)
        answer = unseen(final_answer(reply))
        labels = (label,) if label is not None else _labels(task, answer)
    except _Unclear:
        return _none(final_answer(reply) or reply)
    return Answer(labels)


def _none(value: object) -> Answer:
    return Answer(None, f"the model answered {_short(value)}, which is none of the labels")


def _labels(task: Task, text: str, depth: int = 0) -> tuple[str, ...]:
    """The labels that a text says. Raises _Unclear."""
    found = list(values(text))
    claims = list(_claims(task, text, found, depth))
    if claims:
        first = claims[0]
        if first is None or any(claim != first for claim in claims):
            raise _Unclear
        return first
    if text.rfind("{") > text.rfind("}"):
        raise _Unclear  # cut short, perhaps in the midst of a longer label
    if found and depth == 0:
        text = _without(text, found)  # an object that says nothing, beside prose that does
    quoted = _quoted(text)
    if quoted is not None and depth < 2:
        return _labels(task, quoted, depth + 1)
    if task.multi:
        listed = several(task, text)
        if listed is None:
            raise _Unclear
        return listed
    label = in_prose(task, text)
    if label is None:
        raise _Unclear
    return (label,)


def _without(text: str, found: Sequence[Found]) -> str:
    for each in reversed(found):
        if not _is_plain_list(each.value):
            text = text[: each.start] + " " + text[each.end :]
    return text


def _is_plain_list(value: object) -> bool:
    return isinstance(value, list) and not any(isinstance(each, dict | list) for each in value)


def _quoted(text: str) -> str | None:
    """The text in a JSON string: a model that was to say JSON may say it twice over."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"' or "{" not in text:
        return None
    try:
        inner = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return inner if isinstance(inner, str) else None


def _claims(
    task: Task, text: str, found: Iterable[Found], depth: int
) -> Iterator[tuple[str, ...] | None]:
    """What each object in a text says; None for one that says something else, or is denied."""
    for each in found:
        if task.multi and each.is_cut:  # more labels may have followed
            yield None
            continue
        try:
            claim = _of_value(task, each.value, depth)
        except _Unclear:
            if task.multi or not _is_plain_list(each.value):  # "[see above]" claims nothing
                yield None
            continue
        if claim is not None:
            before = _CLAUSE.split(text[: each.start][-200:])[-1]
            after = text[each.end : each.end + 200]
            is_denied = _DENIED_BEFORE.search(before) or _DENIED_AFTER.search(after)
            yield None if is_denied else claim


def _of_value(task: Task, value: object, depth: int = 0) -> tuple[str, ...] | None:
    """The labels that a value of JSON says; None if it is not about labels.

    Raises _Unclear for one that is, and says something else.
    """
    if depth > _DEEPEST:
        raise _Unclear
    match value:
        case dict():
            return _of_object(task, value, depth)
        case list():
            return _of_list(task, value, depth)
        case str():
            is_blank = _PLACEHOLDER.match(value) and value.strip()
            return None if is_blank and label_of(task, value) is None else _of_text(task, value)
        case bool() | int():
            label = label_of(task, json.dumps(value)) if abs(value) < 10**9 else None
            if label is not None:
                return (label,)
    raise _Unclear


def _of_text(task: Task, text: str) -> tuple[str, ...]:
    if text.lstrip()[:1] in ("{", "[") and label_of(task, text) is None:
        return _labels(task, text, depth=1)
    if task.multi:
        listed = several(task, text)
        if listed is None:
            raise _Unclear
        return listed
    label = as_phrase(task, text) or in_prose(task, text)
    if label is None:
        raise _Unclear
    return (label,)


def _of_object(task: Task, value: Mapping[str, object], depth: int) -> tuple[str, ...] | None:
    by_name: dict[str, list[object]] = {}
    for written, each in value.items():
        by_name.setdefault(written.strip(EDGES).casefold(), []).append(each)
    for names in _ANSWERS:
        given = [each for name in names for each in by_name.get(name, ())]
        if given:
            return _agreed([_of_value(task, each, depth + 1) for each in given])
    flags = _of_flags(task, value)
    if flags is not None:
        return flags
    rest = [given for name, given in by_name.items() if name not in _BESIDE]
    if len(rest) == 1:
        return _agreed([_of_value(task, each, depth + 1) for each in rest[0]])
    if not rest:
        return None
    raise _Unclear


def _of_flags(task: Task, value: Mapping[str, object]) -> tuple[str, ...] | None:
    """Of an object with a truth for each label those that are true.

    One that says of any number that some do not apply has to say it of all.
    """
    if not value or not all(type(each) is bool for each in value.values()):
        return None
    labels = [label_of(task, str(name)) for name in value]
    true = [label for label, each in zip(labels, value.values(), strict=True) if each]
    if None in labels or (not task.multi and (len(true) != 1 or len(value) < 2)):
        raise _Unclear
    if task.multi and len(true) < len(value) and {*labels} != {*task.labels}:
        raise _Unclear
    return in_order(task, filter(None, true))


def _of_list(task: Task, value: Sequence[object], depth: int) -> tuple[str, ...] | None:
    if isinstance(value, Several) or not task.multi:
        claims = [_of_value(task, each, depth + 1) for each in value]
        if not claims:
            raise _Unclear
        return _agreed(claims)
    if len(value) == 1 and isinstance(value[0], str) and says_none(task, value[0]):
        return ()
    found = set[str]()
    for each in value:
        label = label_of(task, each) if isinstance(each, str) else None
        claim: tuple[str, ...] | None = (label,) if label is not None else None
        if not isinstance(each, str):
            claim = _of_value(task, each, depth + 1)
        if claim is None:
            raise _Unclear
        found.update(claim)
    return in_order(task, found)


def _agreed(claims: Sequence[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    if any(claim != claims[0] for claim in claims):
        raise _Unclear
    return claims[0]


def _of_several(task: Task, reply: str, names: Sequence[str]) -> list[Answer]:
    answer = unseen(final_answer(reply))
    by_name: dict[str, list[Answer]] = {}
    for found in values(answer):
        rows = list(rows_of(found.value, names))
        if task.multi and found.is_cut:  # of the last one more labels may have followed
            del rows[-1:]
        for name, value in rows:
            by_name.setdefault(name, []).append(_of_row(task, value))
    if not by_name:
        for name, phrase in lines_of(answer, names):
            by_name.setdefault(name, []).append(_of_row(task, phrase))
    if not by_name:
        why = f"the model did not answer in the form asked for: {_short(answer or reply)}"
        return [Answer(None, why)] * len(names)
    return [_only(by_name.get(name, [])) for name in names]


def _of_row(task: Task, value: object) -> Answer:
    try:
        labels = _of_value(task, value)
    except (_Unclear, RecursionError):
        labels = None
    shown_value = value
    if isinstance(value, dict) and len(value) == 1:
        shown_value = next(iter(value.values()))
    return Answer(labels) if labels is not None else _none(shown_value)


def _only(found: Sequence[Answer]) -> Answer:
    if not found:
        return Answer(None, "the model left this text out of its answer")
    if any(answer.labels != found[0].labels for answer in found):
        return Answer(None, "the model gave this text two different answers")
    return found[0]


def _short(value: object) -> str:
    """An answer as it is shown: without keys, and no longer than a line."""
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = "something that is nested too deeply"
    return f"'{shown(text, _SHOWN)}'"
