"""How answers are read: every way to wrap a label, in every spelling, said or denied."""

from __future__ import annotations

import itertools
import json
import unicodedata

import pytest

from sqlfuncs.llm import reading
from sqlfuncs.llm.task import Task

# `%s` is the label.
WRAPPED = {
    "json": '{"label": "%s"}',
    "json on lines": '{\n  "label": "%s"\n}\n',
    "json and text": '{"label": "%s"}\n\nThe text is about an invoice.',
    "json and text on its line": 'Here you are: {"label": "%s"}. Let me know!',
    "fenced": '```json\n{"label": "%s"}\n```',
    "fenced, with words": 'Here is the JSON:\n```json\n{"label": "%s"}\n```\nHope this helps.',
    "fenced, no language": '```\n{"label": "%s"}\n```',
    "byte order mark": '\ufeff{"label": "%s"}',
    "zero width": '\u200b{"label": "\u200b%s\u2060"}\u200b',
    "single quotes": "{'label': '%s'}",
    "typographic quotes": "{“label”: “%s”}",
    "no quotes": "{label: %s}",
    "comma at the end": '{"label": "%s",}',
    "brace missing": '{"label": "%s"',
    "list of one": '{"label": ["%s"]}',
    "bare list of one": '["%s"]',
    "nested": '{"answer": {"label": "%s"}}',
    "nested in a list": '{"answers": [{"id": "1", "label": "%s"}]}',
    "another name": '{"category": "%s"}',
    "a strange name": '{"my_verdict_is": "%s"}',
    "a reason beside it": '{"reason": "It asks for it.", "label": "%s"}',
    "a reason beside a strange name": '{"reasoning": "It asks.", "kind_of_text": "%s"}',
    "case of the name": '{"Label": "%s"}',
    "said twice alike": '{"label": "%s"}\n{"label": "%s"}',
    "the form, then the answer": 'As {"label": "..."}:\n{"label": "%s"}',
    "text and answer": '{"text": "Where is it?"}\n{"label": "%s"}',
    "json in a json string": '"{\\"label\\": \\"%s\\"}"',
    "json in the label": '{"label": "{\\"label\\": \\"%s\\"}"}',
    "thought": '<think>\nIs it account? No.\n</think>\n\n{"label": "%s"}',
    "thought in json": '<think>{"label": "account"}? No.</think>{"label": "%s"}',
    "thought without a beginning": 'Is it account? No.\n</think>\n{"label": "%s"}',
    "thinking": '<thinking>account or not</thinking>\n{"label": "%s"}',
    "reasoning": "<reasoning>account or not</reasoning>\n%s",
    "kimi": "◁think▷account?◁/think▷%s",
    "magistral": '[THINK]account?[/THINK]{"label": "%s"}',
    "harmony": "<|channel|>analysis<|message|>account?<|end|><|start|>assistant<|channel|>final"
    '<|message|>{"label": "%s"}<|return|>',
    "harmony, constrained": '<|channel|>final <|constrain|>json<|message|>{"label": "%s"}',
    "harmony without marks": 'analysisIs it account?assistantfinal{"label": "%s"}',
    "several turns": '{"label": "%s"}<|im_end|>\n<|im_start|>user\nIs it account?<|im_end|>',
    "words and another turn": "%s</s>Is it account? No.",
    "beginning of a turn": '<|im_start|>assistant\n{"label": "%s"}',
    "end of turn": '{"label": "%s"}<|im_end|>',
    "alone": "%s",
    "full stop": "%s.",
    "bold": "**%s**",
    "code": "`%s`",
    "quoted": '"%s"',
    "in guillemets": "«%s»",
    "heading": "# %s",
    "final answer": "Final answer: %s",
    "bold lead": "**Answer:** %s",
    "bold answer": "Answer: **%s**",
    "label:": "Label: %s",
    '"label":': '"label": "%s"',
    "label =": "label = %s",
    "lead on its own line": "Final answer:\n%s",
    "bullet": "- %s",
    "star": "* %s",
    "numbered": "1. %s",
    "tag": "<label>%s</label>",
    "tag with words": "I have read it.\n<answer>%s</answer>",
    "boxed": "$\\boxed{%s}$",
    "boxed text": "So the answer is \\boxed{\\text{%s}}.",
    "sentence": "The label is %s.",
    "sentence with quotes": 'The answer is "%s".',
    "the text is": "The text is %s.",
    "the most fitting": "The most fitting category is %s.",
    "classified": "I would classify this text as %s.",
    "explained on the next line": "%s\n\nThe text asks about a sum of money.",
    "explained after a stop": "%s. The text asks about a sum of money.",
    "explained after a dash": "%s - the text asks about a sum of money",
    "explained in brackets": "%s (it asks about a sum)",
    "because": "%s because the text asks about money",
    "the label is, because": "The label is %s because the text asks about money.",
    "reasoned, then said": "It may be many things, and I have doubts.\n\nFinal answer: %s",
    "answer, then explanation": "Answer: %s\nExplanation: the text asks about a sum.",
}
SPELLED = {
    "as it is": ("billing", "billing"),
    "capitals": ("billing", "BILLING"),
    "title": ("billing", "Billing"),
    "two words": ("order status", "order status"),
    "blank for underscore": ("order_status", "order status"),
    "underscore for blank": ("order status", "order_status"),
    "capitals and underscore": ("order status", "ORDER_STATUS"),
    "hyphen for dash": ("pre\u2013sale", "pre-sale"),
    "dash for hyphen": ("pre-sale", "pre\u2013sale"),
    "no-break hyphen": ("pre-sale", "pre\u2011sale"),
    "nfd label": ("cafe\u0301", "caf\u00e9"),
    "nfd answer": ("caf\u00e9", "cafe\u0301"),
    "full width": ("A\u7d1a", "\uff21\u7d1a"),
    "full width label": ("\uff21\u7d1a", "A\u7d1a"),
    "no-break space": ("order status", "order\u00a0status"),
    "arabic": ("شكوى", "شكوى"),
}
# `%s` is a label that is denied, doubted, or one of several.
DENIED = [
    "not %s",
    "Not %s.",
    "NOT %s",
    "non-%s",
    "un%s",
    "im%s",
    "%sness",
    "%s-ish",
    "%s?",
    "%s or account",
    "account or %s",
    "%s/account",
    "%s, account",
    "%s and account",
    "%s\naccount",
    "either %s or account",
    "neither",
    "neither %s nor account",
    "none",
    "none of the labels",
    "anything but %s",
    "I would not say %s",
    "I would not say %s.",
    "It is not %s.",
    "It isn't %s.",
    "It isn’t %s.",
    "This is never %s",
    "The label is not %s.",
    "The label is hardly %s.",
    "The label could be %s.",
    "Maybe the label is %s.",
    "If the label is %s, it is wrong.",
    "I doubt that the label is %s.",
    "Is the label %s?",
    "The label might be %s or another.",
    "the opposite of %s",
    "far from %s",
    "%s: no",
    "%s: false",
    "no %s",
    "without %s",
    "%s is wrong",
    "%s would be wrong.",
    "%s\n\nWait, that is wrong.",
    "%s. Actually, it is account.",
    "%s. But I am not sure.",
    "The customer wants to see their %s page again",
    "The customer says %s a lot and then goes on",
    "Answer: not %s",
    "Answer: %s\nWait, no.",
    "Final answer: %s\nFinal answer: account",
    "nicht %s",
]
UNCLEAR = [
    '{"label": "%s"} {"label": "account"}',
    '{"label": "%s", "label": "account"}',
    '{"label": ["%s", "account"]}',
    '{"label": "%s", "answer": {"label": 3}}'.replace(
        '"answer": {"label": 3}', '"Label": "account"'
    ),
    '{"answer": "%s", "final_answer": "account"}',
    'I would not say {"label": "%s"}',
    '{"label": "%s"} is wrong.',
    '{"label": "%s"}?',
    '{"label": "%s"}\n\nWait. {"label": "account"}',
    '{"%s": 0.6, "account": 0.4}',
    '{"label": {"%s": true, "account": true}}',
    '{"label": "rude"} {"label": "%s"}',
    '{"label": "%s',
    '{"label": null}',
    '{"labels": []}',
    "{}",
    "[]",
    "",
    "<think>It is %s",
    '<think>It may be {"label": "%s"} or something else, or',
    '<|channel|>analysis<|message|>{"label": "%s"}',
    "<label>%s</label><label>account</label>",
    "\\boxed{%s} or \\boxed{account}",
]


def _task(label: str, *others: str, multi: bool = False) -> Task:
    return Task.read([label, *(others or ("account",))], multi=multi)


def _label(task: Task, said: str) -> str | None:
    (answer,) = reading.read(task, said, None)
    assert (answer.error is None) == (answer.labels is not None)
    return answer.label


@pytest.mark.parametrize("spelling", SPELLED)
@pytest.mark.parametrize("form", WRAPPED)
def test_every_form_in_every_spelling(form: str, spelling: str) -> None:
    label, said = SPELLED[spelling]
    assert _label(_task(label), WRAPPED[form].replace("%s", said)) == label


@pytest.mark.parametrize("said", [*DENIED, *UNCLEAR])
def test_what_is_denied_or_unclear_is_no_label(said: str) -> None:
    for label in ("polite", "billing"):
        assert _label(_task(label), said.replace("%s", label)) is None


WRAPPING_WORDS = [
    form
    for form, wrapped in WRAPPED.items()
    if wrapped.count("%s") == 1 and "thought" not in form and form != "no quotes"
]


@pytest.mark.parametrize("form", WRAPPING_WORDS)
def test_a_denied_label_is_none_in_any_form(form: str) -> None:
    for denied in (
        "not %s",
        "non-%s",
        "im%s",
        "%s or account",
        "%s/account",
        "%s?",
        "not really %s",
    ):
        said = WRAPPED[form].replace("%s", denied.replace("%s", "polite"))
        assert _label(_task("polite"), said) is None, said


@pytest.mark.parametrize("form", [form for form in WRAPPED if "account" not in WRAPPED[form]])
def test_a_denial_that_is_a_label_is_that_label(form: str) -> None:
    task = _task("polite", "not polite", "impolite")
    for label in task.labels:
        assert _label(task, WRAPPED[form].replace("%s", label)) == label


@pytest.mark.parametrize("form", WRAPPED)
def test_labels_that_differ_in_little_have_to_be_said_exactly(form: str) -> None:
    task = _task("a-b", "a_b", "Yes", "yes")
    found = {
        said: _label(task, WRAPPED[form].replace("%s", said))
        for said in ("a-b", "a_b", "a b", "yes", "Yes", "YES")
    }
    assert found["a b"] is None
    assert found["YES"] is None
    for label in task.labels:
        assert found[label] in (label, None)
    if "{" in WRAPPED[form] or form == "alone":
        assert [found[label] for label in task.labels] == list(task.labels)


def test_forms_of_unicode_that_are_two_labels() -> None:
    composed, apart = "caf\u00e9", unicodedata.normalize("NFD", "caf\u00e9")
    task = _task(composed, apart)
    assert _label(task, composed) == composed
    assert _label(task, json.dumps({"label": apart})) == apart
    assert _label(task, "CAFÉ") is None
    squared = _task("x\u00b2", "x2")
    assert [_label(squared, said) for said in ("x\u00b2", "x2", "X2")] == ["x\u00b2", "x2", None]


def test_one_label_in_another() -> None:
    task = _task("polite", "very polite", "impolite")
    assert _label(task, "The label is very polite.") == "very polite"
    assert _label(task, "Very polite - it says please and thanks") == "very polite"
    assert _label(task, "polite") == "polite"
    assert _label(task, "very very polite") is None


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ('{"label": 3}', "3"),
        ("3", "3"),
        ('{"label": true}', "true"),
        ('{"true": true, "3": false}', "true"),
        ("1. 3", "3"),
        ("3.5", None),
        ('{"label": 3.0}', None),
        ("30", None),
    ],
)
def test_labels_that_look_like_values(said: str, label: str | None) -> None:
    assert _label(_task("3", "true", "other"), said) == label


def test_labels_without_a_letter() -> None:
    task = _task("-", "+", "?")
    for label in task.labels:
        assert _label(task, label) == label
        assert _label(task, json.dumps({"label": label, "confidence": 1})) == label
    for said in ("", " ", "...", '{"label": ""}', '{"label": "..."}', "It is good.", "_"):
        assert _label(task, said) is None


def test_letters_are_words_as_well() -> None:
    task = _task("a", "b", "c")
    assert _label(task, "The label is a good one.") is None
    assert _label(task, "a") == "a"
    assert _label(task, "Answer: (b)") == "b"
    assert _label(task, "c)") == "c"


@pytest.mark.parametrize(
    ("said", "labels"),
    [
        ('{"labels": ["b", "a", "b"]}', ("a", "b")),
        ('{"labels": []}', ()),
        ('{"labels": "a, b"}', ("a", "b")),
        ('{"label": "a"}', ("a",)),
        ('["a", "c, d"]', ("a", "c, d")),
        ("Here: ['a', 'b']", ("a", "b")),
        ('<think>["b"]?</think>["a"]', ("a",)),
        ('```json\n["a"]\n```', ("a",)),
        ("a, b", ("a", "b")),
        ("a; b", ("a", "b")),
        ("a and b", ("a", "b")),
        ("A, C, D", ("a", "c, d")),
        ("- a\n- b", ("a", "b")),
        ("1. a\n2. c, d\n", ("a", "c, d")),
        ("Labels: a, b", ("a", "b")),
        ("**a**, **b**", ("a", "b")),
        ("a", ("a",)),
        ("none", ()),
        ("None of the labels.", ()),
        ("Labels: none of these apply", ()),
        ('{"labels": "None"}', ()),
        ('{"labels": ["none"]}', ()),
        ('["a", "b"] ["b", "a"]', ("a", "b")),
        ('{"a": true, "b": false, "c, d": true}', ("a", "c, d")),
        ("<labels>a, b</labels>", None),
        ('{"a": true, "b": true}', ("a", "b")),
        ('{"a": true, "b": false}', None),  # and what of the third?
        ('{"labels": ["a", "b"', None),  # cut short: more may have followed
        ('{"labels": ["a",', None),
        ('["a"', None),
        ('{"labels": ["a"]', ("a",)),
        ('{"labels": ["a", "none"]}', None),
        ("none, a", None),
        ("none of your business", None),
        ("a, not b", None),
        ("not a", None),
        ("a, e", None),
        ("a or b", None),
        ('{"labels": ["a", "e"]}', None),
        ('{"labels": ["not a"]}', None),
        ('{"labels": null}', None),
        ('["a"] ["b"]', None),
        ("", None),
        ("I would say a", None),
    ],
)
def test_any_number_of_labels(said: str, labels: tuple[str, ...] | None) -> None:
    task = Task.read(["a", "b", "c, d"], multi=True)
    (answer,) = reading.read(task, said, None)
    assert answer.labels == labels
    assert (answer.error is None) == (labels is not None)


def test_none_is_no_label_only_where_no_label_is_called_so() -> None:
    for name, said, labels in (
        ("none", "none", ("none",)),
        ("None", '{"labels": ["none"]}', ("None",)),
        ("no label", "none", None),  # either may be meant
        ("no label", '{"labels": ["None"]}', None),
        ("no label", '{"labels": []}', ()),
        ("other", "none", ()),
    ):
        task = Task.read(["a", name], multi=True)
        assert reading.read(task, said, None)[0].labels == labels


def test_a_list_that_is_cut_short_among_several() -> None:
    rows = '{"answers": [{"id": "0-x", "labels": ["b"]}, {"id": "1-y", "labels": ["a"'
    task = Task.read(["a", "b"], multi=True)
    found = reading.read(task, rows, ["0-x", "1-y"])
    assert [answer.labels for answer in found] == [("b",), None]


AROUND = {
    "alone": "%s",
    "fenced": "Sure:\n```json\n%s\n```\nDone.",
    "thought": '<think>{"answers": [{"id": "0-x", "label": "account"}]}</think>%s',
    "byte order mark": "\ufeff%s",
    "before": "I am not sure what you mean. %s",
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("form", ["answers", "list", "lines", "single", "by name", "other name"])
def test_several_by_their_names(around: str, form: str) -> None:
    task = _task("order_status")
    rows = [
        ("1-y", "Order status"),
        ("0-x", "account"),
        ("nobody", "account"),
        ("2-z", "not account"),
    ]
    listed = [{"id": name, "label": said} for name, said in rows]
    said = {
        "answers": json.dumps({"answers": listed}),
        "list": json.dumps(listed, indent=1),
        "lines": "\n".join(map(json.dumps, listed)),
        "single": str({"answers": listed}),
        "by name": json.dumps(dict(rows)),
        "other name": json.dumps({"results": [{"id": n, "category": [s]} for n, s in rows]}),
    }[form]
    found = reading.read(task, AROUND[around].replace("%s", said), ["0-x", "1-y", "2-z", "3-w"])
    assert [answer.label for answer in found] == ["account", "order_status", None, None]
    assert found[3].error == "the model left this text out of its answer"


def test_several_in_lines_of_words() -> None:
    names = ["0-1a2b3c4d", "1-5e6f7a8b"]
    said = "0-1a2b3c4d: billing\n- **1-5e6f7a8b** → account"
    found = reading.read(_task("billing"), said, names)
    assert [answer.label for answer in found] == ["billing", "account"]


def test_answers_that_contradict_each_other_are_none() -> None:
    rows = [{"id": "0-x", "label": "billing"}, {"id": "0-x", "label": "account"}]
    for said in (json.dumps({"answers": rows}), "\n".join(map(json.dumps, rows))):
        found = reading.read(_task("billing"), said, ["0-x", "1-y"])
        assert [answer.label for answer in found] == [None, None]
        assert found[0].error == "the model gave this text two different answers"


def test_nested_without_end_and_other_oddities_are_answers_without_a_label() -> None:
    odd = ["[" * 100_000, '{"label":' * 5000, "{" * 3000 + "'", "<think>" * 20_000, "(" * 10**5]
    odd += ['{"label": "\ud800"}', "\x00", "9" * 5000, '{"label": ' + "9" * 5000 + "}", "�" * 999]
    odd += [json.dumps({"label": "x" * 10**6}), '{"label": "a' + "'" * 50_000, "- " * 50_000]
    odd += [
        "billing, " * 20_000,
        "\\boxed{" * 9999,
        "<label>" * 9999,
        "answer: " * 9999,
        "answer: x\n" * 1900,
    ]
    odd += ["{'a': '" + "' " * 20_000, "{a: /*" * 9999]
    for said, names in itertools.product(odd, (None, ["0-x", "1-y"])):
        for multi in (False, True):
            for answer in reading.read(_task("billing", multi=multi), said, names):
                assert answer.labels is None
                assert answer.error is not None
                answer.error.encode()  # no lone surrogate, which nothing can store
                assert len(answer.error) < 300
