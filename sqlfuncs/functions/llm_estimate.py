"""`llm_estimate(tbl, text, labels, model := ...)`: what llm_classify would cost, before it does."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.functions.spec import Column, TableFunction
from sqlfuncs.learning.rows.base import is_usable
from sqlfuncs.llm import asking, estimates
from sqlfuncs.llm.rows import Question, texts_of


def llm_estimate(
    rows: pa.StructArray,
    *,
    labels: list[str] | None = None,
    model: str | None = None,
    instructions: str | None = None,
    examples: list[object] | None = None,
    multi: bool = False,
    rows_per_request: int | None = None,
    batch: bool = False,
    retry: bool = False,
) -> pa.StructArray:
    """What llm_classify would ask and cost, asking nothing: one row.

    `rows` of the table; `distinct_rows` of them with different text; `cached` of those whose
    answer is kept, with retry := true those with a label; `requests` to be made; `input_tokens`
    and `output_tokens` they take, by the length of what is sent, four characters a token;
    `cost_usd` by the table of prices, NULL
    where it does not know the model. Options are those of llm_classify; errors, too, but no
    server is asked whether it knows the key and the model.
    """
    question = Question.read(
        "llm_estimate",
        labels,
        model,
        instructions=instructions,
        examples=examples,
        multi=multi,
        rows_per_request=rows_per_request,
        batch=batch,
    )
    by, task = estimates.asked(question)
    texts = texts_of(rows.field("text"), question.model)
    usable = is_usable(texts.reasons).nonzero()[0].tolist()
    distinct = dict.fromkeys(texts.values[row] for row in usable)
    missing = asking.missing(by, task, distinct, retry=retry)
    estimate = estimates.estimate(question, by, task, missing)
    found = {
        "model": question.model,
        "rows": len(texts.values),
        "distinct_rows": len(distinct),
        "cached": len(distinct) - len(missing),
        "requests": estimate.requests,
        "input_tokens": estimate.input_tokens,
        "output_tokens": estimate.output_tokens,
        "cost_usd": estimate.cost_usd,
    }
    return pa.array([found], pa.struct([(c.name, c.computed_type) for c in FUNCTION.returns]))


FUNCTION = TableFunction(
    name="llm_estimate",
    compute=llm_estimate,
    inputs=("text",),
    keeps_rows=False,
    session={"model": "sqlfuncs_model"},
    returns=(
        Column("model", pa.string(), "provider:name"),
        Column("rows", pa.int64(), "of the table"),
        Column("distinct_rows", pa.int64(), "with different text"),
        Column("cached", pa.int64(), "of those, answered before"),
        Column("requests", pa.int64(), "to be made"),
        Column("input_tokens", pa.int64(), "about"),
        Column("output_tokens", pa.int64(), "about"),
        Column("cost_usd", pa.float64(), "by the table of prices"),
    ),
)
