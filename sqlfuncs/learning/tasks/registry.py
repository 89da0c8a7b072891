"""Which tasks there are: ours, and those of other packages (entry points `sqlfuncs.tasks`).

An entry point names a class that is a `base.Task`. Those of others are asked first.
"""

from __future__ import annotations

from functools import cache

import pyarrow as pa

from sqlfuncs.entry_points import classes
from sqlfuncs.errors import BadInput
from sqlfuncs.learning.detection import habits, voting
from sqlfuncs.learning.labels.labels import kind_of
from sqlfuncs.learning.tasks.base import Task
from sqlfuncs.learning.tasks.classification import Classification

GROUP = "sqlfuncs.tasks"
_OURS: tuple[type[Task], ...] = (Classification,)


@cache
def tasks() -> tuple[type[Task], ...]:
    """Every kind, in the order in which they are asked; the last one takes what is left."""
    others = classes(GROUP, Task, what="the task", none="no task")  # type: ignore[type-abstract]
    return (*others, *_OURS)


def of(rows: pa.StructArray, name: str = "label") -> type[Task]:
    """What the labels in a field of a table are.

    Raises BadInput for votes on labels of a kind that has none.
    """
    label, kind = rows.field(name), kind_of(rows, name)
    task = next(task for task in tasks() if task.is_column(label, kind))
    if voting.is_in(rows) and not task.takes_votes:
        raise BadInput(f"votes name classes, and these labels are none ({task.name}).")
    if habits.is_in(rows) and not task.takes_annotators:
        raise BadInput(f"annotators have habits with classes; these labels are none ({task.name}).")
    return task
