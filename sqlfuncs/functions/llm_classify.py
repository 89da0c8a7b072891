"""`llm_classify(text, labels, model := 'name')`: the label a model gives a text."""

from __future__ import annotations

from collections.abc import Hashable

import pyarrow as pa

from sqlfuncs.functions.spec import ScalarFunction
from sqlfuncs.llm.rows import Question, answers

LABEL = pa.string()
SESSION = {
    "model": "sqlfuncs_model",
    "budget_usd": "sqlfuncs_budget_usd",
    "budget_tokens": "sqlfuncs_budget_tokens",
}


def llm_classify(
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
    """The label a model gives a text: exactly one of the labels, or NULL; with `multi` a list.

    `model` is the name of a model trained by fine_tune (`name@2` pins a version), or of a
    provider's: 'openai:MODEL' (OpenAI or any server that speaks its language, by
    OPENAI_BASE_URL), 'local:smollm2' (a language model in this process), 'fake:' (a script).
    Without it, the session's: SET VARIABLE sqlfuncs_model = 'name'.

    `labels` is a list, or a map of labels to what they mean. A trained model knows its own; if
    given, they are the only answers allowed. `instructions` says in a sentence how to judge,
    `examples` is a list of {text: ..., label: ...}. With multi := true, which is the same for every
    row since the type of the result depends on it, a text gets any number of the labels: VARCHAR[],
    [] for none, NULL where there is no answer; the label of an example is then a list, too. For a
    model trained on embeddings, `text` is an embedding. NULL and blank text gives NULL. For one
    trained on labels of words, `text` is words, VARCHAR[], and the result a label for each, [] for
    none; a word that is NULL is read as one without letters.

    Each distinct text is asked once and its answer kept on disk, as it arrives. A row that gets
    no answer is NULL, and why is said; `llm_classify_result` has it row by row, and
    on_error := 'fail' makes it an error. `rows_per_request` asks about several texts at once.
    With batch := true they are handed to the provider's batch endpoint, for less: their rows are
    NULL until the query is run again after the batch has ended.
    A text whose answer was none of the labels is asked again with retry := true, once a query, and
    by itself when the server has changed.
    Spending stops at `budget_usd` or `budget_tokens`, or at the session's sqlfuncs_budget_usd
    and sqlfuncs_budget_tokens.

    Errors, before anything is spent: no model named, a model or a label that does not exist,
    fewer than two labels, no key or a wrong one, a budget that is spent.
    """
    question = Question.read(
        "llm_classify",
        labels,
        model,
        instructions=instructions,
        examples=examples,
        multi=multi,
        on_error=on_error,
        rows_per_request=rows_per_request,
        batch=batch,
        retry=retry,
        query=query,
        budget_usd=budget_usd,
        budget_tokens=budget_tokens,
    )
    said = [each.answer for each in answers(text, question)]
    if FUNCTION.returned({"multi": multi}, text.type) != LABEL:
        return pa.array([answer.labels if answer else None for answer in said], pa.list_(LABEL))
    return pa.array([answer.label if answer else None for answer in said], LABEL)


FUNCTION = ScalarFunction(
    name="llm_classify",
    compute=llm_classify,
    inputs=("text",),
    returns=LABEL,
    session=SESSION,
    per_query=True,
    lists="multi",
    word_by_word=True,
)
