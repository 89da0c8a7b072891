"""`llm_class_probs(text, labels, model := 'name')`: how likely each label is."""

from __future__ import annotations

from collections.abc import Hashable

import pyarrow as pa

from sqlfuncs.functions.llm_classify import SESSION
from sqlfuncs.functions.spec import ScalarFunction
from sqlfuncs.llm.rows import Question, answers, as_served
from sqlfuncs.llm.task import Task

RETURNS = pa.map_(pa.string(), pa.float64())


def llm_class_probs(
    text: pa.Array,
    query: Hashable = None,
    *,
    labels: list[str] | None = None,
    model: str | None = None,
    instructions: str | None = None,
    examples: list[object] | None = None,
    multi: bool = False,
    on_error: str = "null",
    rows_per_request: int | None = None,
    batch: bool = False,
    retry: bool = False,
    budget_usd: float | None = None,
    budget_tokens: int | None = None,
) -> pa.Array:
    """How likely each label is by a model, MAP(VARCHAR, DOUBLE): what label_issues audits.

    FROM label_issues(tbl, llm_class_probs(text, [...]), label) finds wrong labels with no
    training at all. Those of a hosted model are of the tokens that it chose among; where it tells
    none, it has 1 for its answer and 0 for the rest. They sum to 1; with multi := true each label
    has one of its own, for label_issues(tbl, llm_class_probs(...), tags). Of words, VARCHAR[], a
    list of maps, one for each, for label_issues(tbl, probs, labels). NULL where llm_classify
    would be. Options and errors are those of llm_classify.
    """
    question = Question.read(
        "llm_class_probs",
        labels,
        model,
        instructions=instructions,
        examples=examples,
        multi=multi,
        of_probabilities=True,
        on_error=on_error,
        rows_per_request=rows_per_request,
        batch=batch,
        retry=retry,
        query=query,
        budget_usd=budget_usd,
        budget_tokens=budget_tokens,
    )
    if FUNCTION.is_by_word(text.type):
        of_words = [each.of_words for each in answers(text, question)]
        return pa.array(
            [each and [list(word.items()) for word in each] for each in of_words],
            pa.list_(RETURNS),
        )
    known = as_served(question).labels  # those of a model trained at a service are left out
    names = [] if known is None else Task.read(known).labels
    maps: list[list[tuple[str, float]] | None] = []
    for each in answers(text, question):
        answer = each.answer
        if answer is None or answer.labels is None:
            maps.append(None)
        elif answer.probabilities is not None:
            maps.append(list(answer.probabilities.items()))
        else:
            maps.append([(name, float(name in answer.labels)) for name in names])
    return pa.array(maps, RETURNS)


FUNCTION = ScalarFunction(
    name="llm_class_probs",
    compute=llm_class_probs,
    inputs=("text",),
    returns=RETURNS,
    session=SESSION,
    per_query=True,
    word_by_word=True,
)
