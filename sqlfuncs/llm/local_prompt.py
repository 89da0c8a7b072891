"""What a local model is told around a text: which label, or for each of them yes or no.

Imports only the task.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from sqlfuncs.llm.task import Example, Task

YES, NO = "yes", "no"


def template(model_tokenizer: Any, task: Task) -> tuple[str, ...]:
    """What stands before a text, after it, and what ends an answer.

    With `multi` a label's name follows what stands after the text, and what stands between that
    and the answer is one piece more.
    """
    mark = _mark(task)
    chat = [{"role": "system", "content": _instructions(task)}]
    for example in task.examples:
        for asked, answer in _turns(task, example):
            chat.append({"role": "user", "content": asked})
            chat.append({"role": "assistant", "content": answer})
    chat.append({"role": "user", "content": _asked(task, mark, mark)})
    if getattr(model_tokenizer, "chat_template", None):
        whole = model_tokenizer.apply_chat_template(
            [*chat, {"role": "assistant", "content": mark}], tokenize=False
        )
        *around, end = whole.split(mark)
        return *around, end.rstrip("\n")
    *around, last = "\n\n".join(message["content"] for message in chat).split(mark)
    return *around, f"{last} ", "\n"


def _asked(task: Task, text: str, label: str) -> str:
    return f"Text: {text}\n\n" + (f"Label: {label}\n\nDoes it apply?" if task.multi else "Label:")


def _turns(task: Task, example: Example) -> Iterator[tuple[str, str]]:
    """An example as questions and answers: of several labels as many that do not apply."""
    if not task.multi:
        yield _asked(task, example.text, ""), example.labels[0]
        return
    others = [name for name in task.labels if name not in example.labels]
    for name in task.labels:
        if name in example.labels or name in others[: max(1, len(example.labels))]:
            yield _asked(task, example.text, name), YES if name in example.labels else NO


def _mark(task: Task) -> str:
    """What stands for the text in a template, and is in nothing else that the model is told."""
    mark = "\ue000"
    while mark in task.canonical:
        mark = f"\ue000{secrets.token_hex(8)}\ue000"
    return mark


def _instructions(task: Task) -> str:
    labels = "\n".join(
        f"- {name}" + (f": {meaning}" if meaning else "")
        for name, meaning in zip(task.labels, task.meanings, strict=True)
    )
    about = f"{task.instructions}\n" if task.instructions else ""
    how = "Answer with one of these labels, and nothing else."
    if task.multi:
        how = f"Any number of these labels may apply. Answer whether one does: {YES} or {NO}."
    return f"You label texts. {how}\n{about}{labels}"
