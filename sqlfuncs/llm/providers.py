"""Providers of models, by name: `openai:gpt-5`, `local:smollm2`, `fake:`.

A package offers one by naming, in its `pyproject.toml`, a callable that takes what stands
after the colon and gives a `Provider`. The built-in ones come in the same way:

    [project.entry-points."sqlfuncs.providers"]
    ours = "our_package:OurProvider"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, runtime_checkable

from sqlfuncs.errors import ModelUnusable, UnknownModel
from sqlfuncs.llm.failures import ProviderFailure
from sqlfuncs.llm.task import Task
from sqlfuncs.store.answer_rows import Answer
from sqlfuncs.wording import Given, Option

GROUP = "sqlfuncs.providers"


class Provider(Protocol):
    """A model that can be asked. Its methods are called from several threads at once."""

    @property
    def identity(self) -> str:
        """What its answers are kept under: changes whenever other answers may come.

        It is stored and shown, so it holds no secret.
        """

    @property
    def requests_at_once(self) -> int:
        """How many calls of `ask` may run at the same time."""

    @property
    def texts_at_once(self) -> int:
        """How many texts one call of `ask` should get, unless the user asks for another number."""

    def check(self) -> None:
        """Raise Unusable, before anything is paid for, if no request can come to any good."""

    def ask(self, task: Task, texts: Sequence[str], *, again: bool = False) -> list[Answer]:
        """An answer for each text, in order.

        One without a label is asked for once more, alone, with `again`: the same words would
        bring the same answer. Raises ProviderFailure; then no text of the call has an answer.
        """


@runtime_checkable
class Reading(Provider, Protocol):
    """A provider whose answers are read from what a model wrote, at a server that may change."""

    @property
    def reader(self) -> str:
        """The version of reading, a colon, and what tells the server from another, if known.

        A kept answer without a label is asked for once more when either is another one.
        """


@dataclass(frozen=True)
class Batch:
    """How far a batch is, in words, and once it is over what came of its texts, by name.

    A text without an outcome has no answer, and costs nothing.
    """

    is_over: bool
    progress: str
    outcomes: Mapping[str, Answer | ProviderFailure] = field(default_factory=dict)


@runtime_checkable
class BatchProvider(Provider, Protocol):
    """A provider that also takes texts to be answered later, for less."""

    def hand_in(self, task: Task, texts: Mapping[str, str], mark: str) -> str:
        """Hand in texts, each under a name that is unlike all others; the batch's own name.

        Raises ProviderFailure.
        """

    def find(self, mark: str) -> str | None:
        """The name of the batch that was handed in under this mark. Raises ProviderFailure."""

    def collect(self, task: Task, batch: str) -> Batch:
        """How far it is. Raises ProviderFailure."""


def is_provided(model: str) -> bool:
    """Whether a name is that of a provider's model rather than of a trained one."""
    return ":" in model


@cache
def provider(model: str) -> Provider:
    """The model that `provider:name` means. Raises UnknownModel and ModelUnusable."""
    kind, _, name = model.partition(":")
    known = _known()
    if kind not in known:
        raise UnknownModel(
            f"there is no provider '{kind}' for {Option('model', Given(model))}. There are: "
            f"{', '.join(f'{k}:...' for k in known)}. A model trained by fine_tune has no colon."
        )
    try:
        make: Callable[[str], Provider] = known[kind].load()
        return make(name)
    except ProviderFailure as failure:
        raise ModelUnusable(f"{model}: {failure}") from None
    except ImportError as error:
        raise UnknownModel(f"the provider of '{model}' cannot be loaded: {error}.") from error


@cache
def _known() -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda p: p.name)}
