"""Answers for the rows of a batch, from whatever a model's name means: Arrow in, answers out.

A name with a colon is a provider's (`openai:...`, `local:...`), any other a model trained by
fine_tune. What the functions `llm_classify`, `llm_class_probs` and `llm_classify_result` share.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from sqlfuncs.errors import BadInput, BadOption, RowsFailed, UnknownModel
from sqlfuncs.learning.models.decoding import refuse_multi
from sqlfuncs.learning.rows.base import is_usable
from sqlfuncs.learning.rows.text import Texts
from sqlfuncs.learning.rows.types import is_text
from sqlfuncs.learning.tasks import trained
from sqlfuncs.llm import asking, openai_tuning
from sqlfuncs.llm.budget import Limits
from sqlfuncs.llm.providers import is_provided, provider
from sqlfuncs.llm.task import Task
from sqlfuncs.store import stores
from sqlfuncs.store.answer_rows import Answer
from sqlfuncs.wording import Call, Cast, Given, Literal, Option, TypeName, Variable, Words

_ON_ERROR = ("null", "fail")


@dataclass(frozen=True)
class Question:
    """What a call asks about every row; `of_probabilities` if it is how likely labels are."""

    labels: object
    model: str
    instructions: str | None = None
    examples: object = None
    multi: bool = False
    of_probabilities: bool = False
    rows_per_request: int | None = None
    batch: bool = False
    retry_in: Hashable = None
    on_error: str = "null"
    budget: Limits = field(default_factory=Limits)

    @classmethod
    def read(
        cls,
        function: str,
        labels: object,
        model: str | None,
        *,
        budget_usd: float | None = None,
        budget_tokens: int | None = None,
        on_error: str = "null",
        rows_per_request: int | None = None,
        batch: bool = False,
        retry: bool = False,
        query: Hashable = None,
        **more: object,
    ) -> Question:
        """From the options of a function, in a `query`. Raises BadOption and UnknownModel."""
        if isinstance(labels, str):
            raise BadOption(
                f"the second argument of {function} is a list of labels, "
                f"{Literal([labels, '...'])}, not '{labels}'. A model is named: "
                f"{Call(function, 'text', Literal([...]), Option('model', Given(labels)))}."
            )
        if model is None:
            raise UnknownModel(
                f"{function} needs a model: {Option('model', 'openai:gpt-5-mini')} (or one that "
                "your server has), 'local:smollm2', or the name of one that you trained "
                f"({Call('models', is_table=True)} lists them); or once a session "
                f"{Variable('sqlfuncs_model', '...')}."
            )
        if on_error not in _ON_ERROR:
            raise BadOption.among("on_error", on_error, _ON_ERROR)
        if rows_per_request is not None and rows_per_request < 1:
            raise BadOption(f"{Option('rows_per_request', rows_per_request)} has to be 1 or more.")
        if batch and rows_per_request not in (None, 1):
            raise BadOption(
                f"{Option('batch', True)} sends each text in a request of its own: leave out batch "
                "or rows_per_request."
            )
        for name, budget in (("budget_usd", budget_usd), ("budget_tokens", budget_tokens)):
            if budget is not None and not 0 <= budget < math.inf:
                raise BadOption(
                    f"{Option(name, Words(budget))}: a budget has to be 0 or more; NULL, or none, "
                    "is no limit."
                )
        return cls(
            labels,
            model,
            on_error=on_error,
            rows_per_request=rows_per_request,
            batch=batch,
            retry_in=(query or object()) if retry else None,
            budget=Limits(budget_usd, budget_tokens),
            **more,  # type: ignore[arg-type]
        )


@dataclass(frozen=True)
class RowAnswer:
    """What a row got: NULL input gets no answer and no error.

    Where the row is of words, `of_words` has how likely the labels of each are.
    """

    answer: Answer | None
    cached: bool = False
    of_words: tuple[Mapping[str, float], ...] | None = None


def answers(text: pa.Array, question: Question) -> list[RowAnswer]:
    """What the model says of each row, in order."""
    asked = as_served(question)
    ask = _of_provider if is_provided(asked.model) else _of_trained
    results = ask(text, asked)
    if question.on_error == "fail":
        _raise_errors(results)
    return results


def as_served(question: Question) -> Question:
    """What is asked of the service that trained a model of ours; else what was asked."""
    if is_provided(question.model):
        return question
    record = trained.find(question.model)
    if not is_provided(record.base):
        return question
    given = None if question.labels is None else set(Task.read(question.labels).labels)
    if given not in (None, set(record.classes)) or question.instructions or question.examples:
        raise BadOption(
            f"'{question.model}' was trained to tell {', '.join(map(repr, record.classes))}: leave "
            "labels, instructions and examples out."
        )
    _, files = stores.models().load(f"{record.name}@{record.version}")
    served, multi = openai_tuning.served(files)
    refuse_multi(question.model, question.multi, is_multi=multi)
    return replace(question, labels=list(record.classes), model=served)


def _of_provider(text: pa.Array, question: Question) -> list[RowAnswer]:
    by = provider(question.model)
    task = Task.read(
        question.labels,
        instructions=question.instructions,
        examples=question.examples,
        multi=question.multi,
    )
    rows = texts_of(text, question.model)
    places = is_usable(rows.reasons).nonzero()[0].tolist()
    found = asking.ask(
        by,
        question.model,
        task,
        [rows.values[place] for place in places],
        budget=question.budget,
        texts_at_once=question.rows_per_request,
        batch=question.batch,
        retry_in=question.retry_in,
    )
    return _spread(len(text), places, (RowAnswer(answer, cached) for answer, cached in found))


def texts_of(column: pa.Array, model: str) -> Texts:
    """The texts of a column. Raises BadInput for a column of another type."""
    if not (pa.types.is_null(column.type) or is_text(column.type)):
        raise BadInput(
            f"'{model}' reads {Texts.example}, and the first argument is of type "
            f"{TypeName(column.type)}. Write it as text: {Cast('(...)', pa.string())}."
        )
    return Texts.read(column)


def _of_trained(text: pa.Array, question: Question) -> list[RowAnswer]:
    if question.of_probabilities:
        trained.refuse_without_probabilities(question.model)
    if question.batch:
        raise BadOption(
            f"'{question.model}' is on this machine; {Option('batch', True)} is for providers."
        )
    labels = question.labels
    if labels is not None:
        labels = Task.read(labels).labels
    said, usable = trained.said(text, question.model, labels, multi=question.multi)
    results = (
        RowAnswer(Answer(each.labels, probabilities=each.probabilities), of_words=each.of_words)
        for each in said
    )
    return _spread(len(text), usable.nonzero()[0].tolist(), results)


def _spread(rows: int, places: Sequence[int], results: Iterable[RowAnswer]) -> list[RowAnswer]:
    spread = [RowAnswer(None)] * rows
    for place, each in zip(places, results, strict=True):
        spread[place] = each
    return spread


def _raise_errors(results: Sequence[RowAnswer]) -> None:
    reasons = Counter(each.answer.error for each in results if each.answer and each.answer.error)
    if reasons:
        why, count = reasons.most_common(1)[0]
        raise RowsFailed(
            f"{reasons.total():,} of {len(results):,} rows have no answer: {why} ({count:,}). What "
            f"was answered is kept. With {Option('on_error', 'null')} those rows are NULL."
        )
