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
        self._brought: dict[str, tuple[ModelRecord, Mapping[str, bytes]]] = {}
        self._models: OrderedDict[tuple[str, int, str], M] = OrderedDict()
        self._loading = Lock()

    def bring(self, record: ModelRecord, files: Mapping[str, bytes]) -> str:
        """Have a model at hand that no registry here has; what it is found under afterwards."""
        reference = f"{record.name}@{record.version}"
        self._brought[reference] = record, files
        return reference

    def find(self, reference: str) -> ModelRecord:
        """The record that a reference means. Raises UnknownModel, DamagedModel."""
        if reference in self._brought:
            return self._brought[reference][0]
        return stores.models().find(reference)

    def get(self, reference: str) -> tuple[ModelRecord, M]:
        """A model's newest version, or the one that `name@version` pins, read once.

        Raises UnknownModel, DamagedModel, and what `restore` raises.
        """
        record = self.find(reference)
        key = (record.name, record.version, record.fingerprint)
        with self._loading:
            if key not in self._models:
                self._models[key] = self._restore(record, self._files(reference, record))
            self._models.move_to_end(key)
            while len(self._models) > _MOST:
                self._models.popitem(last=False)
            return record, self._models[key]

    def _files(self, reference: str, record: ModelRecord) -> Mapping[str, bytes]:
        if reference in self._brought:
            return self._brought[reference][1]
        return stores.models().load(f"{record.name}@{record.version}")[1]
