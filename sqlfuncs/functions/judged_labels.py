"""Internal: what a judge says of labels, for the macro `judge_labels`."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.errors import BadOption
from sqlfuncs.functions.label_issues import FUNCTION as LABEL_ISSUES
from sqlfuncs.functions.spec import ScalarFunction
from sqlfuncs.learning.detection import judges
from sqlfuncs.learning.labels import labels
from sqlfuncs.learning.tasks.class_prediction import ClassPrediction
from sqlfuncs.wording import Option

RETURNS = pa.struct(
    [(each.name, each.computed_type) for each in LABEL_ISSUES.returns if each.only is None]
)


def judged_labels(
    x: pa.Array, label: pa.Array, kind: pa.Array, *, judge: str | None = None
) -> pa.StructArray:
    """The columns of label_issues for rows that a judge has not seen, as one STRUCT a row."""
    if judge is None:
        raise BadOption(
            f"judge_labels takes the name of a judge ({Option('judge', 'name')}), which "
            "label_issues keeps under the same option."
        )
    if not len(x):
        return pa.array([], RETURNS)
    field = pa.field("label", pa.string(), metadata={labels.KIND: kind[0].as_py()})
    rows = pa.StructArray.from_arrays([label.cast(pa.string())], fields=[field])
    known = judges.get(judge)
    judged, found = known.judge(x, labels.read_known(rows))
    columns = ClassPrediction(judged, found, known.rule.cut).issues()
    return pa.StructArray.from_arrays(
        [
            columns[column.name].cast(column.type)
            if pa.types.is_dictionary(columns[column.name].type)
            else columns[column.name]
            for column in RETURNS
        ],
        fields=list(RETURNS),
    )


FUNCTION = ScalarFunction(
    name="_judged_labels",
    compute=judged_labels,
    inputs=("x", "label", "kind"),
    returns=RETURNS,
)
