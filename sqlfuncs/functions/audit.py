"""`audit(tbl, x, label)`: all that is known of each row, of its label and of itself."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.functions import label_issues, near_duplicates, outliers
from sqlfuncs.functions.spec import ANNOTATOR, AUTO, LABEL_OR_WORDS, VOTES, Column, TableFunction
from sqlfuncs.learning.similarity.neighbourhood import neighbourhood
from sqlfuncs.learning.tasks import registry
from sqlfuncs.learning.tasks.base import Options


def audit(
    rows: pa.StructArray,
    *,
    model: str = "fast",
    cut: str = "auto",
    method: str = "auto",
    folds: int = 5,
    seed: int = 0,
    task: str = AUTO,
    ordered: list[str] | None = None,
    k: int = 10,
    outlier_threshold: float = 0.5,
    near_duplicate_threshold: float = 0.95,
    false_flags: float | None = None,
    risk: float | None = None,
) -> pa.StructArray:
    """All that is known of each row: of its label, and of itself among the others.

    Every row of the table comes back with the columns of `label_issues`, those of `outliers` and
    `near_duplicates` (NULL for a row that could not be compared, and where x is a STRUCT, images
    or class probabilities, which are not compared yet), and with

    - `ambiguity`: how likely the second likeliest class is for the row beside the likeliest, 0 to
      1, whatever its label;
    - `is_ambiguous`: that is at least four fifths. A row may be flagged and ambiguous: then the
      doubt is about the row as much as about its label, and the suggestion is rarely safe;
    - `is_well_labeled`: the label is surely right: it is the likeliest, with at least the mean
      probability that it has among the rows given it (Northcutt et al. 2021, section 3.1), and
      the row is neither flagged nor ambiguous;
    - `is_unlabeled`: the label is NULL and x can be used; then a label is suggested.

    `not_judged` is that of `label_issues`: a row whose label could not be judged may still be an
    outlier. Options are those of the three functions; the two thresholds are
    `outlier_threshold` and `near_duplicate_threshold`. A decision log and votes, named as for
    `label_issues`, sharpen what is said of labels.

    Errors: those of `label_issues`.
    """
    outliers.check(k, outlier_threshold, "outlier_threshold")
    near_duplicates.check(k, near_duplicate_threshold, "near_duplicate_threshold")
    options = Options(
        model=model,
        cut=cut,
        method=method,
        folds=folds,
        seed=seed,
        false_flags=false_flags,
        risk=risk,
        ordered=ordered,
    )
    prediction = registry.of(rows, task=task).judge(rows, options)
    if prediction.rows.is_compared:
        near = neighbourhood(rows.field("x"), k)
        of_row = [
            *outliers.columns(near, outlier_threshold),
            *near_duplicates.columns(near, near_duplicate_threshold),
        ]
    else:
        work.say_once(
            f"rows are not compared by {prediction.rows.called} yet: the columns of outliers "
            "and near duplicates are NULL"
        )
        of_row = [pa.nulls(len(rows), column.computed_type) for column in _OF_ROW]
    names = [column.name for column in _OF_ROW]
    return FUNCTION.result(
        {
            **prediction.issues(),
            **dict(zip(names, of_row, strict=True)),
            **prediction.certainty(),
        }
    )


*_OF_LABEL, _NOT_JUDGED = label_issues.FUNCTION.returns
_OF_ROW = (*outliers.FUNCTION.returns[:-1], *near_duplicates.FUNCTION.returns[:-1])

FUNCTION = TableFunction(
    name="audit",
    compute=audit,
    inputs=("x", LABEL_OR_WORDS, VOTES, ANNOTATOR),
    reviews=True,
    returns=(
        *_OF_LABEL,
        *_OF_ROW,
        Column(
            "ambiguity", pa.float64(), "the second likeliest class beside the likeliest; 0 .. 1"
        ),
        Column("is_ambiguous", pa.bool_(), "whether two classes are about as likely"),
        Column("is_well_labeled", pa.bool_(), "whether the label is surely right"),
        Column("is_unlabeled", pa.bool_(), "whether the label is NULL, and one is suggested"),
        _NOT_JUDGED,
    ),
)
