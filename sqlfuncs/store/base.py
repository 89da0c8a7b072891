"""What callers need of a store of answers, of vectors and of models, wherever these are kept.

A module may be one, like those of this machine; `stores` says which are in use.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sqlfuncs.store.answer_rows import Answer, Paid
from sqlfuncs.store.manifests import ModelRecord

Vector = npt.NDArray[np.float32]


class Answers(Protocol):
    """Answers of language models, by key (`answer_rows.key`). Safe for threads.

    What was paid for is not lost: where it cannot be kept, it lasts for the process, and this is
    said.
    """

    @property
    def is_on_disk(self) -> bool:
        """Whether what is written is kept when the process ends."""

    def check_keeps(self) -> None:
        """Raise CannotKeep if no answer could be kept now, unless that was asked for."""

    def read(
        self, keys: Sequence[bytes], labels: Collection[str] | None = None
    ) -> dict[bytes, Answer]:
        """The answers there are. One that gives none of the task's labels is not there."""

    def write(self, model: str, answers: Mapping[bytes, Answer]) -> None:
        """Keep answers; they are kept when this returns, and their claims are gone."""

    def paid(self) -> list[Paid]:
        """What is kept of each model, in order of name."""

    def claim(self, keys: Sequence[bytes]) -> list[bytes]:
        """Those of the keys that this process may ask now; another is asking the others.

        A claim ends with its answer, when it is released, or with its process.
        """

    def release(self, keys: Iterable[bytes]) -> None:
        """Give up claims of this process that came to no answer."""

    def hand_in(self, batch: str, keys: Iterable[bytes]) -> None:
        """Note that questions are in a provider's batch. They stay claimed. Raises CannotKeep."""

    def rename_batch(self, batch: str, name: str) -> None:
        """A batch has another name, and claims on what is in it are gone."""

    def batches(self, keys: Sequence[bytes]) -> dict[str, list[bytes]]:
        """The batches that hold some of these questions, and which."""

    def close_batch(self, batch: str) -> None:
        """A batch is over, and its answers are written."""


class Vectors(Protocol):
    """Vectors of texts, by encoder. Nothing is lost for good: they can be computed again."""

    def read(self, model: str, texts: Sequence[str]) -> dict[str, Vector]:
        """Those that are kept, by text; all have one length."""

    def write(self, model: str, vectors: Mapping[str, Vector]) -> None:
        """Keep vectors, by text. Where that cannot be done it is said, and nothing is raised."""


class Models(Protocol):
    """Trained models: versions of names, each of them complete or not there at all.

    A reference is a name, which means its newest version, or `name@version`.
    """

    def check_home(self) -> None:
        """Raise CannotKeep, before any work is done, if no model can be stored."""

    def save(self, record: ModelRecord, files: Mapping[str, bytes]) -> ModelRecord:
        """Store a model as the next version of its name. Raises CannotKeep."""

    def load(self, reference: str) -> tuple[ModelRecord, dict[str, bytes]]:
        """A model with its files. Raises UnknownModel, listing what there is, and DamagedModel."""

    def exists(self, name: str) -> bool:
        """Whether a model has this name."""

    def find(self, reference: str) -> ModelRecord:
        """The record that a reference means. Raises UnknownModel, DamagedModel."""

    def records(self) -> list[ModelRecord]:
        """Every version of every model, in order of name and version. Raises CannotKeep."""

    def drop(self, name: str) -> list[ModelRecord]:
        """Remove all versions of a model and return what they were. Raises UnknownModel."""
