"""`llm_classify_result(text, labels, model := 'name')`: the label, or why there is none."""

from __future__ import annotations

from collections.abc import Hashable
from math import prod

import pyarrow as pa

from sqlfuncs.functions.llm_classify import SESSION
from sqlfuncs.functions.spec import ScalarFunction, of_words
from sqlfuncs.llm.rows import Question, RowAnswer, answers
from sqlfuncs.store.answer_rows import Answer

RETURNS = pa.struct(
    [
        ("label", pa.string()),
        ("labels", pa.list_(pa.string())),
        ("confidence", pa.float64()),
        ("error", pa.string()),
        ("model", pa.string()),
        ("cached", pa.bool_()),
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("note", pa.string()),
    ]
)


def llm_classify_result(
    text: pa.Array,
    query: Hashable = None,
    *,
    labels: list[str] | None = None,
    model: str | None = None,
    instructions: str | None = None,
    examples: list[object] | None = None,
    multi: bool = False,
    rows_per_request: int | None = None,
    batch: bool = False,
    retry: bool = False,
    budget_usd: float | None = None,
    budget_tokens: int | None = None,
) -> pa.Array:
    """The label a model gives a text and all that is known of it, one STRUCT a row.

    `label` as of llm_classify, and `labels`, with multi := true any number, of words one for each,
    where `label` is NULL; `confidence` 0..1 where the model gives probabilities, else NULL: of the
    label, or that all of the labels are those given and no other;
    `error` why there is no label, else NULL; `model`; `cached` whether the answer was kept
    before; `input_tokens` and `output_tokens` what this text's answer cost when it was asked;
    `note` what was done to the text, as that only its beginning was read. NULL and blank text
    gives NULL. Options and errors are those of llm_classify.
    """
    question = Question.read(
        "llm_classify_result",
        labels,
        model,
        instructions=instructions,
        examples=examples,
        multi=multi,
        rows_per_request=rows_per_request,
        batch=batch,
        retry=retry,
        query=query,
        budget_usd=budget_usd,
        budget_tokens=budget_tokens,
    )
    return pa.array(
        [
            _result(each, question.model, is_list=multi or of_words(text.type))
            for each in answers(text, question)
        ],
        RETURNS,
    )


def _result(said: RowAnswer, model: str, *, is_list: bool) -> dict[str, object] | None:
    answer = said.answer
    if answer is None:
        return None
    return {
        "label": None if is_list else answer.label,
        "labels": answer.labels,
        "confidence": _confidence(said, answer, is_list=is_list),
        "error": answer.error,
        "model": model,
        "cached": said.cached,
        "input_tokens": answer.input_tokens,
        "output_tokens": answer.output_tokens,
        "note": answer.note,
    }


def _confidence(said: RowAnswer, answer: Answer, *, is_list: bool) -> float | None:
    if answer.labels is None:
        return None
    if said.of_words is not None:
        pairs = zip(answer.labels, said.of_words, strict=True)
        return prod(likely[label] for label, likely in pairs)
    if answer.probabilities is None:
        return None
    if not is_list:
        return answer.probabilities.get(*answer.labels)
    of_each = answer.probabilities.items()
    return prod(likely if name in answer.labels else 1 - likely for name, likely in of_each)


FUNCTION = ScalarFunction(
    name="llm_classify_result",
    compute=llm_classify_result,
    inputs=("text",),
    returns=RETURNS,
    session=SESSION,
    per_query=True,
)
