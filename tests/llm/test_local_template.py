"""What a local model is told around a text, without a model."""

from __future__ import annotations

import pytest

from sqlfuncs.llm.local_prompt import template
from sqlfuncs.llm.task import Task


class _Chat:
    """Words with a template of chats, as those of an instructed model."""

    chat_template = "of its own"

    def apply_chat_template(self, chat: list[dict[str, str]], *, tokenize: bool) -> str:
        assert not tokenize
        return "".join(f"<{each['role']}>{each['content']}</>\n" for each in chat)


class _Plain:
    """Words of a model that knows no chats."""

    chat_template = None


ODD = ["\ue000", "\ue000\ue000", "a\ue000b", "\ue0000123456789abcdef\ue000"]


@pytest.mark.parametrize("words", [_Chat(), _Plain()])
@pytest.mark.parametrize("odd", ODD)
def test_whatever_is_told_stands_around_the_text(words: object, odd: str) -> None:
    task = Task.read(
        [(f"{odd}1", f"means {odd}"), ("two", None)],
        instructions=f"Say {odd}.",
        examples=[{"text": f"{odd} {odd}", "label": f"{odd}1"}],
    )
    before, after, _ = template(words, task)
    assert before.count(odd) == 6  # the label, its meaning, instructions, an example and its label
    assert odd not in after
    plain = Task.read([(f"{odd}1", None), ("two", None)])
    assert template(words, plain)[0].count(odd) == 1


@pytest.mark.parametrize("words", [_Chat(), _Plain()])
def test_of_any_number_each_label_is_asked_about(words: object) -> None:
    task = Task.read(
        ["one", "two", "three"],
        examples=[{"text": "both", "label": ["two", "one"]}, {"text": "neither", "label": []}],
        multi=True,
    )
    before, after, asked, _ = template(words, task)
    shown = [each.partition("Does it apply?")[0] for each in before.split("Text: ")[1:]]
    assert [(each.split()[0], each.split()[2]) for each in shown[:-1]] == [
        *(("both", name) for name in task.labels),
        ("neither", "one"),
    ]
    assert before.count("yes") == 1 + 2  # the instructions, and two of an example
    assert after.endswith("Label: ")
    assert "Does it apply?" in asked
