"""Models from disk that stay in memory: the few that were used last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Generic, TypeVar

from sqlfuncs.store import stores
from sqlfuncs.store.manifests import ModelRecord

_MOST = 4
M = TypeVar("M")


class Loaded(Generic[M]):
    """Models by name, each as `restore` makes it of its record and files. Safe for threads."""

    def __init__(self, restore: Callable[[ModelRecord, Mapping[str, bytes]], M]) -> None:
        """Nothing is loaded yet."""
        self._restore = restore
        self._models: OrderedDict[tuple[str, int, str], M] = OrderedDict()
        self._loading = Lock()

    def get(self, reference: str) -> tuple[ModelRecord, M]:
        """A model's newest version, or the one that `name@version` pins, read once.

        Raises UnknownModel, DamagedModel, and what `restore` raises.
        """
        record = stores.models().find(reference)
        key = (record.name, record.version, record.fingerprint)
        with self._loading:
            if key not in self._models:
                _, files = stores.models().load(f"{record.name}@{record.version}")
                self._models[key] = self._restore(record, files)
            self._models.move_to_end(key)
            while len(self._models) > _MOST:
                self._models.popitem(last=False)
            return record, self._models[key]
