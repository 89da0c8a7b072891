"""What a model is asked about each text: the labels, what they mean, examples. Imports only errors.

A task has a canonical form, in which it is part of the key that an answer is kept under.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlfuncs.errors import BadOption
from sqlfuncs.wording import Call, Literal, Option, Snippet

MOST_LABELS = 500
_LABELS = Literal(["polite", "impolite"])  # for example


@dataclass(frozen=True)
class Example:
    """A text and the labels it is to have: one, or with `multi` any number."""

    text: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """Labels in the order given; `meanings` has a description, or None, for each.

    With `multi` an answer is any number of the labels, else exactly one.
    """

    labels: tuple[str, ...]
    meanings: tuple[str | None, ...]
    instructions: str = ""
    examples: tuple[Example, ...] = ()
    multi: bool = False

    @classmethod
    def read(
        cls,
        labels: object,
        *,
        instructions: str | None = None,
        examples: object = None,
        multi: bool = False,
    ) -> Task:
        """A task from SQL values: a list of labels, or a map of labels to what they mean.

        >>> Task.read(["spam", "ham"]).labels
        ('spam', 'ham')
        >>> Task.read([("spam", "unwanted"), ("ham", None)]).meanings
        ('unwanted', None)

        Raises BadOption for fewer than 2 or more than 500 labels, a label that is NULL, blank or
        there twice, and examples whose label is not among them.
        """
        names, meanings = _names_and_meanings(labels)
        if not 2 <= len(names) <= MOST_LABELS:
            raise BadOption(
                f"labels has to hold 2 to {MOST_LABELS} different labels, not {len(names)}: "
                f"{Call('llm_classify', 'text', _LABELS, Option('model', ...))}."
            )
        task = cls(names, meanings, (instructions or "").strip(), (), bool(multi))
        return cls(names, meanings, task.instructions, _examples(examples, task), task.multi)

    @cached_property
    def canonical(self) -> str:
        """The same for equal tasks only."""
        return json.dumps(
            [
                self.labels,
                self.meanings,
                self.instructions,
                [[example.text, example.labels] for example in self.examples],
                self.multi,
            ],
            ensure_ascii=False,
        )


def _names_and_meanings(labels: object) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
    if isinstance(labels, Mapping):
        labels = list(labels.items())
    if not isinstance(labels, Sequence) or isinstance(labels, str):
        raise BadOption(
            f"labels has to be a list, {_LABELS}, or a map of labels to what they "
            f"mean, {Literal({'polite': '...'})}; it is {_shown(labels)}."
        )
    pairs = [entry if isinstance(entry, tuple) else (entry, None) for entry in labels]
    for name, _ in pairs:
        if not isinstance(name, str) or not name.strip():
            raise BadOption(
                f"each of the labels has to be a text that is not blank, not {_shown(name)}."
            )
    names = tuple(name for name, _ in pairs)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadOption(f"labels has {', '.join(map(repr, twice))} more than once.")
    return names, tuple(str(meaning) if meaning is not None else None for _, meaning in pairs)


def _shown(value: object) -> str:
    return "NULL" if value is None else repr(value)


def _examples(given: object, task: Task) -> tuple[Example, ...]:
    if given is None:
        return ()
    shape = f"examples has to be a list of {Snippet('a text with its label')}"
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise BadOption(f"{shape}, not {given!r}.")
    read = []
    for example in given:
        if not isinstance(example, Mapping) or not {"text", "label"} <= example.keys():
            raise BadOption(f"{shape}; one of them is {example!r}.")
        text, label = example["text"], example["label"]
        labels = tuple(label) if isinstance(label, list) else (label,)
        unknown = [name for name in labels if name not in task.labels]
        if unknown or not isinstance(text, str) or (len(labels) != 1 and not task.multi):
            raise BadOption(
                f"an example has the label {label!r}; the labels are "
                f"{', '.join(map(repr, task.labels))}."
            )
        read.append(Example(text, labels))
    return tuple(read)
