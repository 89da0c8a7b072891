"""Which kinds of labels a report knows."""

from __future__ import annotations

from sqlfuncs.errors import BadInput
from sqlfuncs.report.kinds.base import LabelKind
from sqlfuncs.report.kinds.classes import Classes
from sqlfuncs.report.kinds.numbers import Numbers
from sqlfuncs.report.kinds.tags import Tags
from sqlfuncs.report.kinds.words import Words

_KINDS: dict[str, type[LabelKind]] = {kind.task: kind for kind in (Classes, Tags, Numbers, Words)}


def of(task: str) -> LabelKind:
    """That of a task. Raises BadInput for one of another package's."""
    if task not in _KINDS:
        raise BadInput(
            f"a report knows labels of the tasks {', '.join(_KINDS)}; these are of another one "
            f"({task}). In SQL label_issues takes them."
        )
    return _KINDS[task]()
