"""Which tasks there are: ours, and those of other packages (entry points `sqlfuncs.tasks`).

An entry point names a class that is a `base.Task`. Those of others are asked first.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.entry_points import classes
from sqlfuncs.errors import BadInput, BadOption
from sqlfuncs.learning.detection import habits, voting
from sqlfuncs.learning.labels.compared import COUNT
from sqlfuncs.learning.labels.labels import DECIMAL, FLOAT, INTEGER, kind_of
from sqlfuncs.learning.tasks.base import Task
from sqlfuncs.learning.tasks.classification import Classification
from sqlfuncs.learning.tasks.multilabel import MultiLabel
from sqlfuncs.learning.tasks.regression import Regression
from sqlfuncs.learning.tasks.token_classification import TokenClassification
from sqlfuncs.wording import Option

GROUP = "sqlfuncs.tasks"
AUTO = "auto"
_MANY_WHOLE = 20  # different whole numbers: more may be amounts
_OFTEN = 100  # rows of a combination of labels that are looked at
_OURS: tuple[type[Task], ...] = (
    TokenClassification,
    MultiLabel,
    Regression,
    Classification,
)


@cache
def tasks() -> tuple[type[Task], ...]:
    """Every kind, in the order in which they are asked; the last one takes what is left."""
    others = classes(GROUP, Task, what="the task", none="no task")  # type: ignore[type-abstract]
    return (*others, *_OURS)


def of(rows: pa.StructArray, name: str = "label", task: str = AUTO) -> type[Task]:
    """What the labels in a field of a table are: by their type, or the task that is named.

    Raises BadOption for a task that is not known, BadInput for votes on labels of a kind that has
    none.
    """
    found = of_labels(rows, name, task)
    if voting.is_in(rows) and not found.takes_votes:
        raise BadInput(f"votes name classes, and these labels are none ({found.name}).")
    if habits.is_in(rows) and not found.takes_annotators:
        raise BadInput(
            f"annotators have habits with classes; these labels are none ({found.name})."
        )
    return found


def of_labels(rows: pa.StructArray, name: str = "label", task: str = AUTO) -> type[Task]:
    """The same where the fields beside the labels are no votes of others."""
    kind = kind_of(rows, name)
    if task != AUTO:
        return _named(task, kind, name)
    found = next(each for each in tasks() if each.is_of(rows, name))
    _tell_of_numbers(found, rows.field(name), kind, name)
    found.refuse_likely_others(rows, [name])
    return found


def of_counts(counts: pa.StructArray, task: str = AUTO, name: str = "actual") -> type[Task]:
    """What the labels are that an engine has counted (`labels.compared`): as `of`."""
    kind = kind_of(counts, name)
    if task != AUTO:
        return _named(task, kind, name)
    rows = _counted(counts, name)
    found = next(each for each in tasks() if each.is_column(rows, kind))
    _tell_of_numbers(found, rows, kind, name)
    found.refuse_likely_others(counts, [each.name for each in counts.type if each.name != COUNT])
    return found


def of_counts_alone(counts: pa.StructArray, task: str = AUTO, name: str = "label") -> type[Task]:
    """The same of labels that stand alone: their own text tells all that is known, none is refused.

    Raises BadOption for a task that is not known.
    """
    if task != AUTO:
        return named(task)
    rows, kind = _counted(counts, name), kind_of(counts, name)
    return next(each for each in tasks() if each.is_alone(rows, kind))


def _counted(counts: pa.StructArray, name: str) -> pa.Array:
    """As if a row at a time: how often a number comes says whether it is an amount."""
    count = counts.field(COUNT).cast(pa.int64())
    often = np.minimum(count.to_numpy(zero_copy_only=False), _OFTEN)
    return counts.field(name).take(pa.array(np.repeat(np.arange(len(count)), often)))


def named(name: str) -> type[Task]:
    """The task of a name. Raises BadOption for one that is not known."""
    known = [each for each in tasks() if each.name == name]
    if not known:
        raise BadOption.among("task", name, (AUTO, *dict.fromkeys(each.name for each in tasks())))
    return known[0]


def _named(name: str, kind: str, field: str) -> type[Task]:
    found = named(name)
    found.refuse_kind(kind, field)
    return found


def _tell_of_numbers(found: type[Task], label: pa.Array, kind: str, name: str) -> None:
    if found is Classification and kind in (INTEGER, FLOAT, DECIMAL) and len(label):
        count = len(label.unique().drop_null())
        if kind != INTEGER or count > _MANY_WHOLE:
            work.say_once(
                f"{name} holds numbers, {count:,} different ones, which are taken for classes. "
                f"Where they are amounts: {Option('task', Regression.name)}"
            )
