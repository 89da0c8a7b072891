"""Vectors that one computation holds in memory: nothing is read from a disk, and nothing kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlfuncs.store.base import Vector


class HeldVectors:
    """See `store.base.Vectors`. What it was given it has; what is written is let go.

    >>> HeldVectors({("minilm", "a"): [1.0]}).read("minilm", ["a", "b"])
    {'a': [1.0]}
    """

    def __init__(self, by_model_and_text: Mapping[tuple[str, str], Vector] | None = None) -> None:
        """With the vectors there are, by the key of their encoder and by text."""
        self._held = by_model_and_text or {}

    def read(self, model: str, texts: Sequence[str]) -> dict[str, Vector]:
        """See `Vectors`."""
        return {text: self._held[model, text] for text in texts if (model, text) in self._held}

    def write(self, model: str, vectors: Mapping[str, Vector]) -> None:
        """Nothing: whoever wrote them has them."""
