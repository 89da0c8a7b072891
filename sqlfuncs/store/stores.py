"""The stores in use: those of this machine, in its home. No caller names another module of them.

What `SQLFUNCS_HOME` says is looked up at each call.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlfuncs.store import answers as local_answers
from sqlfuncs.store import embeddings as local_vectors
from sqlfuncs.store import models as local_models
from sqlfuncs.store.base import Answers, Models, Vectors

_vectors: ContextVar[Vectors | None] = ContextVar("vectors", default=None)


@contextmanager
def keeping_vectors(in_store: Vectors) -> Iterator[None]:
    """Vectors are kept in another store meanwhile, in this context."""
    before = _vectors.set(in_store)
    try:
        yield
    finally:
        _vectors.reset(before)


def answers() -> Answers:
    """Answers that were paid for. Raises CannotKeep for a file of a newer sqlfuncs."""
    return local_answers.store()


def vectors() -> Vectors:
    """Vectors of texts, by encoder."""
    return _vectors.get() or local_vectors


def models() -> Models:
    """Models that fine_tune has trained."""
    return local_models
