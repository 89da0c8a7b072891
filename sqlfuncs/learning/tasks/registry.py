"""Which tasks there are: ours, and those of other packages (entry points `sqlfuncs.tasks`).

An entry point names a class that is a `base.Task`. Those of others are asked first.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

import pyarrow as pa

from sqlfuncs.errors import CannotRegister
from sqlfuncs.learning.labels.labels import kind_of
from sqlfuncs.learning.tasks.base import Task
from sqlfuncs.learning.tasks.classification import Classification

GROUP = "sqlfuncs.tasks"
_OURS: tuple[type[Task], ...] = (Classification,)


@cache
def tasks() -> tuple[type[Task], ...]:
    """Every kind, in the order in which they are asked; the last one takes what is left."""
    return (*_of_others(), *_OURS)


def of(rows: pa.StructArray, name: str = "label") -> type[Task]:
    """What the labels in a field of a table are."""
    label, kind = rows.field(name), kind_of(rows, name)
    return next(task for task in tasks() if task.is_column(label, kind))


def _of_others() -> list[type[Task]]:
    found = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            task = point.load()
        except Exception as error:
            raise CannotRegister(f"the task '{point.name}' cannot be loaded: {error!r}") from error
        if not (isinstance(task, type) and issubclass(task, Task)):
            raise CannotRegister(f"'{point.name}' is no task: {point.value}.")
        found.append(task)
    return found
