"""Rows judged: each one's given class and its out-of-sample class probabilities.

What `label_issues`, `audit` and `label_health` all start from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.errors import BadInput, BadOption, NoUsableRows, TooFewClasses
from sqlfuncs.learning.detection import data_warnings
from sqlfuncs.learning.labels import classes as class_order
from sqlfuncs.learning.labels.labels import TEXT, Labels, as_classes
from sqlfuncs.learning.models.class_target import ClassTarget
from sqlfuncs.learning.models.cross_fitted import CrossFitted
from sqlfuncs.learning.models.kernel import LinearKernel
from sqlfuncs.learning.models.resolve import resolve
from sqlfuncs.learning.models.whole_table import judge_table
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import Floats, Reasons, Rows, describe, is_usable
from sqlfuncs.learning.rows.probabilities import has_text_keys
from sqlfuncs.learning.rows.voters import Votes
from sqlfuncs.wording import Option, Snippet


@dataclass(frozen=True)
class Judged:
    """What is known of each row. Where `reasons` has one, the row was not judged.

    `kind` is what x is, `labels` the labels as named among the classes,
    `codes` (rows,) the given classes, `probs` (rows, classes). `as_given` are the rows whose `x` is
    the very map that `class_probs` would be, `unlabeled` those without a label that have
    probabilities all the same, `outvoted` those that surely most rows of the same text, vector or
    image call otherwise. `content` is what a linear model sees of the rows, if one does. `fitted`
    judges other rows in the same way, where that was asked for.
    """

    kind: type[Rows]
    labels: Labels
    classes: tuple[str, ...]
    codes: class_order.Codes
    probs: Floats
    as_given: npt.NDArray[np.bool_]
    reasons: Reasons
    unlabeled: npt.NDArray[np.bool_]
    outvoted: npt.NDArray[np.bool_]
    content: LinearKernel | None = None
    fitted: CrossFitted | None = None

    @property
    def rows(self) -> npt.NDArray[np.bool_]:
        """Which rows were judged."""
        return is_usable(self.reasons)

    @property
    def has_probs(self) -> npt.NDArray[np.bool_]:
        """Which rows have probabilities: the judged and the unlabeled."""
        return self.rows | self.unlabeled

    @property
    def evidence(self) -> tuple[class_order.Codes, Floats]:
        """Given classes and probabilities of the judged rows, not copied if those are all."""
        rows = self.rows
        if rows.all():
            return self.codes, self.probs
        return self.codes[rows], self.probs[rows]


def judge(
    x: pa.Array,
    labels: Labels,
    *,
    keys_kind: str = TEXT,
    votes: Votes | None = None,
    model: str,
    folds: int,
    seed: int,
    keeps: bool = False,
) -> Judged:
    """Judge the rows of a table by what they are, `x`, by `votes` on them, and by their labels.

    `keys_kind` is the kind of the classes that maps of probabilities name (`learning.labels`).
    With votes, x may be NULL without a type. `keeps` asks for what judges other rows, too.
    Raises NoUsableRows, TooFewClasses and TooManyClasses; BadInput for votes on probabilities.
    """
    if len(x) == 0:
        raise NoUsableRows("the table has no rows: there is nothing to judge.")
    rows, votes = rows_and_votes(x, votes)
    given = rows.probabilities
    if given is not None:
        labels = as_classes(labels, given.classes, keys_kind)
    reasons = rows.reasons.copy()
    no_label = np.asarray(labels.texts.is_null())
    unreasoned = no_label & is_usable(reasons)
    reasons[unreasoned] = labels.reasons[unreasoned]
    _refuse_unusable(labels, reasons)
    # What has an x but no label is not judged, but its label can be suggested.
    unlabeled = no_label & is_usable(rows.reasons)
    surely_other = np.zeros(len(x), dtype=bool)
    content, fitted = None, None
    if given is not None:
        if keeps:
            raise BadOption(
                f"{Option('judge', 'name')} keeps what was learned from a text or an embedding; "
                "x is class probabilities, from which nothing is learned."
            )
        classes = given.classes
        codes = labels.codes(classes)
        probs, as_given = given.values, given.complete & _holds_floats(x)
        named = (codes >= 0) & given.has[np.arange(len(codes)), codes]
        for row in np.flatnonzero(is_usable(reasons) & ~named).tolist():
            reasons[row] = f"the probabilities have no class '{labels.texts[row]}'"
    else:
        learnable = is_usable(rows.reasons)
        classes = class_order.in_order(labels.distinct(is_usable(reasons)))
        codes = labels.codes(classes)
        class_order.refuse_too_many(len(codes), len(classes), classes)
        data_warnings.about_probabilities_of_another_type(x, classes)
        if rows.texts is not None:
            data_warnings.about_paths(rows.texts)
        way = resolve(model)
        target = ClassTarget(codes, len(classes)).chosen(learnable)
        beside = None if votes is None else votes.take(learnable)
        told = judge_table(
            rows.take(learnable), target, way, beside, folds=folds, seed=seed, keeps_heads=keeps
        )
        probs, as_given = np.full((len(x), len(classes)), np.nan), np.zeros(len(x), bool)
        probs[learnable] = told.probs
        content, fitted = _spread_over(told.content, learnable), told.fitted
        no_reason = unlabeled[learnable]
        reasons[learnable] = np.where(no_reason, labels.reasons[learnable], told.reasons)
        data_warnings.about_copies(told.keys, told.labels)
        surely_other[learnable] = told.outvoted
    _refuse_unusable(labels, reasons)
    judged = Judged(
        type(rows),
        labels,
        classes,
        codes,
        probs,
        as_given,
        reasons,
        unlabeled,
        surely_other,
        content,
        fitted,
    )
    data_warnings.about_rows(reasons, classes)
    data_warnings.about_spelling(classes)
    data_warnings.about_agreement(*judged.evidence, is_given=given is not None)
    if given is not None and data_warnings.are_hard(judged.evidence[1]):
        data_warnings.about_hard_probabilities()
    return judged


def rows_and_votes(x: pa.Array, votes: Votes | None) -> tuple[Rows, Votes | None]:
    """The rows of a column and the votes beside them; the votes themselves where x is NULL.

    Raises BadInput for votes on class probabilities.
    """
    if votes is None:
        return registry.read_column(x), None
    if pa.types.is_null(x.type):
        return votes, None
    rows = registry.read_column(x)
    if not rows.needs_model:
        voting = Option("votes", Snippet("the fields a and b"))
        raise BadInput(
            f"x is {rows.called}, which is judged as it is, without a model that could learn what "
            f"votes are worth. Let it vote as well, and name NULL for x: {voting}."
        )
    return rows, votes


def _spread_over(
    kernel: LinearKernel | None, learnable: npt.NDArray[np.bool_]
) -> LinearKernel | None:
    """The kernel of some rows as one of all; the others' places are not to be used."""
    if kernel is None:
        return None
    places = np.full(len(learnable), -1)
    places[learnable] = kernel.places
    return replace(kernel, places=places)


def _holds_floats(x: pa.MapArray) -> bool:
    """Whether such a map, cast to DOUBLE by an engine, is what was read from it."""
    return has_text_keys(x) and pa.types.is_floating(x.type.item_type)


def _refuse_unusable(labels: Labels, reasons: Reasons) -> None:
    """Raise unless some rows can be judged, and those have two classes or more."""
    usable = labels.distinct(is_usable(reasons))
    if not usable:
        raise NoUsableRows(f"no row can be judged: {describe(reasons)}.")
    if len(usable) < 2:
        other = str(Snippet("how columns are named"))
        if len(labels.distinct()) > 1:
            other = f"Of the other rows: {describe(reasons)}."
        raise TooFewClasses(
            f"every row that can be judged has the label '{usable[0]}': it takes two classes "
            f"or more. {other}"
        )
