"""What asking about texts would take and cost, by the length of what would be sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlfuncs.errors import BadOption
from sqlfuncs.llm import batches, prices, prompt
from sqlfuncs.llm.providers import Provider, is_provided, provider
from sqlfuncs.llm.rows import Question
from sqlfuncs.llm.task import Task
from sqlfuncs.wording import Given, Option


@dataclass(frozen=True)
class Estimate:
    """Of requests about some texts; `cost_usd` is None where the price is not known."""

    texts: int
    requests: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


def estimate(question: Question, by: Provider, task: Task, texts: Iterable[str]) -> Estimate:
    """What a question about texts takes that no answer is kept of. They need not fit in memory."""
    count = requests = read = written = 0
    for part in _in_requests(texts, question.rows_per_request or by.texts_at_once):
        tokens = prompt.about_tokens(task, part)
        count, requests = count + len(part), requests + 1
        read, written = read + tokens[0], written + tokens[1]
    priced = batches.priced_as(question.model) if question.batch else question.model
    return Estimate(count, requests, read, written, prices.cost(priced, read, written))


def asked(question: Question) -> tuple[Provider, Task]:
    """Who a question is put to, and as what. Raises BadOption for a model that costs nothing."""
    if not is_provided(question.model):
        raise BadOption(
            f"{Option('model', Given(question.model))} is a model trained by fine_tune, which "
            "costs nothing. A provider's is named as 'openai:...'."
        )
    task = Task.read(
        question.labels,
        instructions=question.instructions,
        examples=question.examples,
        multi=question.multi,
    )
    return provider(question.model), task


def _in_requests(texts: Iterable[str], at_once: int) -> Iterator[list[str]]:
    """Texts, so many to a request.

    >>> list(_in_requests("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    part: list[str] = []
    for text in texts:
        part.append(text)
        if len(part) == at_once:
            yield part
            part = []
    if part:
        yield part
