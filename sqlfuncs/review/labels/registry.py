"""Which kinds of labels there are on the page, by the tasks that they are."""

from __future__ import annotations

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.tasks.base import Task
from sqlfuncs.learning.tasks.classification import Classification
from sqlfuncs.learning.tasks.multilabel import MultiLabel
from sqlfuncs.learning.tasks.regression import Regression
from sqlfuncs.learning.tasks.token_classification import TokenClassification
from sqlfuncs.review.labels.base import Labels
from sqlfuncs.review.labels.classes import Classes
from sqlfuncs.review.labels.numbers import Numbers
from sqlfuncs.review.labels.tags import Tags
from sqlfuncs.review.labels.words import Words

KINDS: dict[str, type[Labels]] = {
    Classification.name: Classes,
    MultiLabel.name: Tags,
    Regression.name: Numbers,
    TokenClassification.name: Words,
}


def of(task: type[Task]) -> type[Labels]:
    """How the page shows labels of a task. Raises BadInput for those that it does not know."""
    if task.name not in KINDS:
        raise BadInput(
            f"the review page does not know labels of this kind yet ({task.name}). It knows "
            f"{', '.join(KINDS)}; in SQL review_queue and apply_corrections may take them."
        )
    return KINDS[task.name]
