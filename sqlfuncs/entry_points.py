"""Classes of other packages, found by the entry points that these name. Imports the errors only."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TypeVar

from sqlfuncs.errors import CannotRegister

T = TypeVar("T")


def classes(group: str, base: type[T], *, what: str, none: str) -> tuple[type[T], ...]:
    """The classes under a group of entry points that are a `base`, in order of their names.

    In messages an entry point is `what`, and something else is `none`. Raises CannotRegister.
    """
    found = []
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        try:
            loaded = point.load()
        except Exception as error:
            raise CannotRegister(f"{what} '{point.name}' cannot be loaded: {error!r}") from error
        if not (isinstance(loaded, type) and issubclass(loaded, base)):
            raise CannotRegister(f"'{point.name}' is {none}: {point.value}.")
        found.append(loaded)
    return tuple(found)
