"""What predictions of a trained model say of labels: a class, tags, a number, those of words.

Kept beside the model.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.labels.labels import NUMBER, TEXT, canonical
from sqlfuncs.learning.labels.number_scale import Scale
from sqlfuncs.learning.labels.words import Sentences
from sqlfuncs.learning.models.sequences import Scheme, likeliest
from sqlfuncs.learning.models.target import Floats
from sqlfuncs.wording import Option

_LEAST = 1e-300


@dataclass(frozen=True)
class Said:
    """What a model says of a row: its `labels`, and how likely each is, None where it cannot.

    Of a row of words, `of_words` has how likely the labels of each are.
    """

    labels: tuple[str, ...]
    probabilities: Mapping[str, float] | None = None
    of_words: tuple[Mapping[str, float], ...] | None = None


class Decoder(ABC):
    """Reads the predictions of a model that was trained on some kind of labels."""

    gives: ClassVar[str]  # in messages: "the model gives ..."
    is_multi: ClassVar[bool] = False  # a row gets a list of labels, which may be empty
    has_probabilities: ClassVar[bool] = True

    @abstractmethod
    def said(
        self,
        predicted: Floats,
        labels: Sequence[str] | None = None,
        model: str = "",
        words: Sentences | None = None,
    ) -> Iterator[Said]:
        """Of predictions (rows, width) what they say, of some `labels` only if these are given.

        Where rows are of `words`, predictions are of these: (words, width). Raises
        BadOption for labels that `model`, by its name, does not have.
        """

    def to_files(self) -> dict[str, bytes]:
        """What has to be kept beside the model and its classes."""
        return {}


@dataclass(frozen=True)
class ClassDecoder(Decoder):
    """The likeliest of some classes, whose probabilities a prediction is."""

    classes: tuple[str, ...]
    gives = "one label"

    def said(
        self,
        predicted: Floats,
        labels: Sequence[str] | None = None,
        model: str = "",
        words: Sentences | None = None,
    ) -> Iterator[Said]:
        """See `Decoder.said`. The probabilities of the classes allowed sum to 1."""
        names, probs = _of_some(predicted, self.classes, labels, model)
        for best, each in zip(probs.argmax(axis=1).tolist(), probs.tolist(), strict=True):
            yield Said((names[best],), dict(zip(names, each, strict=True)))


@dataclass(frozen=True)
class TagDecoder(Decoder):
    """The tags that are as likely as `threshold` or more."""

    classes: tuple[str, ...]
    threshold: float
    FILE: ClassVar[str] = "tags.json"
    gives = "any number of tags"
    is_multi = True

    def said(
        self,
        predicted: Floats,
        labels: Sequence[str] | None = None,
        model: str = "",
        words: Sentences | None = None,
    ) -> Iterator[Said]:
        """See `Decoder.said`. Each tag has a probability of its own, whichever are allowed."""
        places = _allowed(model, self.classes, labels)
        names = [self.classes[place] for place in places]
        probs = predicted[:, places]
        for row, each in zip(probs >= self.threshold, probs.tolist(), strict=True):
            given = tuple(names[at] for at in np.flatnonzero(row))
            yield Said(given, dict(zip(names, each, strict=True)))

    def to_files(self) -> dict[str, bytes]:
        """The threshold."""
        return {self.FILE: json.dumps({"threshold": self.threshold}).encode()}

    @classmethod
    def from_files(cls, classes: tuple[str, ...], files: Mapping[str, bytes]) -> TagDecoder:
        """What `to_files` gave."""
        return cls(classes, json.loads(files[cls.FILE])["threshold"])


@dataclass(frozen=True)
class NumberDecoder(Decoder):
    """A number, which a prediction is on some `scale`, written so that it casts to DOUBLE."""

    scale: Scale
    FILE: ClassVar[str] = "numbers.json"
    gives = "a number"
    has_probabilities = False

    def said(
        self,
        predicted: Floats,
        labels: Sequence[str] | None = None,
        model: str = "",
        words: Sentences | None = None,
    ) -> Iterator[Said]:
        """See `Decoder.said`."""
        if labels is not None:
            raise BadOption(f"the model '{model}' gives a number: leave labels out.")
        for number in self.scale.unseen(predicted[:, 0]).tolist():
            yield Said((repr(number),))

    def to_files(self) -> dict[str, bytes]:
        """The scale."""
        return {self.FILE: json.dumps(asdict(self.scale)).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> NumberDecoder:
        """What `to_files` gave."""
        return cls(Scale(**json.loads(files[cls.FILE])))


@dataclass(frozen=True)
class WordDecoder(Decoder):
    """A label for each word, of `classes`: the likeliest that may follow each other by a `scheme`.

    Predictions are their probabilities for each word.
    """

    classes: tuple[str, ...]
    scheme: Scheme
    FILE: ClassVar[str] = "words.json"
    gives = "a label for each word"

    def said(
        self,
        predicted: Floats,
        labels: Sequence[str] | None = None,
        model: str = "",
        words: Sentences | None = None,
    ) -> Iterator[Said]:
        """See `Decoder.said`. The probabilities of each word's labels sum to 1."""
        names, probs = _of_some(predicted, self.classes, labels, model)
        if words is None:
            words = Sentences(np.zeros(0, dtype=np.int64))
        given = likeliest(probs, words, self.scheme.allowed(names)).tolist()
        starts = words.starts.tolist()
        for start, length in zip(starts, words.lengths.tolist(), strict=True):
            part = slice(start, start + length)
            likely = (dict(zip(names, each, strict=True)) for each in probs[part].tolist())
            yield Said(tuple(names[at] for at in given[part]), of_words=tuple(likely))

    def to_files(self) -> dict[str, bytes]:
        """The scheme."""
        return {self.FILE: json.dumps(asdict(self.scheme)).encode()}

    @classmethod
    def from_files(cls, classes: tuple[str, ...], files: Mapping[str, bytes]) -> WordDecoder:
        """What `to_files` gave."""
        return cls(classes, Scheme(**json.loads(files[cls.FILE])))


def refuse_multi(model: str, multi: bool, *, is_multi: bool, gives: str = "one label") -> None:
    """Raise BadOption where a list of labels is asked of a model that gives one, or one of one
    that gives a list.
    """
    if multi and not is_multi:
        raise BadOption(
            f"'{model}' was trained to give {gives}; {Option('multi', True)} is not it."
        )
    if is_multi and not multi:
        raise BadOption(
            f"'{model}' was trained on tags, and gives any number of them: say "
            f"{Option('multi', True)}."
        )


def _of_some(
    probs: Floats, classes: Sequence[str], labels: Sequence[str] | None, model: str
) -> tuple[list[str], Floats]:
    """The classes that are allowed, and their probabilities, which sum to 1 again."""
    if labels is not None and len(set(labels)) < 2:
        raise BadOption(f"labels has to hold two different labels or more, not {list(labels)!r}.")
    places = _allowed(model, classes, labels)
    some = probs[:, places]
    total = some.sum(axis=1, keepdims=True)
    some = np.where(total > 0, some / np.maximum(total, _LEAST), 1 / len(places))
    return [classes[place] for place in places], some


def _allowed(name: str, classes: Sequence[str], labels: Sequence[str] | None) -> list[int]:
    """The places of the labels that are allowed among the classes."""
    if labels is None:
        return list(range(len(classes)))
    found = [_class_of(classes, label) for label in labels]
    unknown = [label for label in found if label not in classes]
    if unknown:
        raise BadOption(
            f"the model '{name}' has no class {', '.join(map(repr, unknown))}. Its classes "
            f"are {', '.join(map(repr, classes))}."
        )
    return [classes.index(label) for label in found]


def _class_of(classes: Sequence[str], label: str) -> str:
    """The class that a label stands for: 1 is 1.0, whichever a model was trained on."""
    if label in classes:
        return label
    wanted = canonical(label, TEXT, NUMBER)
    same = [name for name in classes if canonical(name, TEXT, NUMBER) == wanted]
    return same[0] if len(same) == 1 else label
