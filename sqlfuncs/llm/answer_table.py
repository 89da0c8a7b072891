"""Answers in a table that several machines read: what its rows are, and asking for those it lacks.

The store of a machine (`store.answers`) sees to it that this machine pays once; such a table does
that for all who read it. An engine keeps it, and finds the texts that it has no answer for.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import pyarrow as pa

from sqlfuncs.errors import BudgetExhausted, RowsFailed, SqlfuncsError
from sqlfuncs.learning.tasks import trained
from sqlfuncs.llm import asking, batches, prices, prompt
from sqlfuncs.llm.providers import Provider, is_provided, provider
from sqlfuncs.llm.rows import Question, as_served
from sqlfuncs.llm.task import Task
from sqlfuncs.store.answer_rows import Answer
from sqlfuncs.wording import Option

_MANY_FAILURES = 20  # texts of one chunk, none of them answered: the next would fare the same

SCHEMA = pa.schema(
    [
        ("digest", pa.string()),  # of the whole question: model, task and text, in hexadecimal
        ("question", pa.string()),  # of model and task alone
        ("text", pa.string()),
        ("answer", pa.list_(pa.string())),  # labels; NULL where there is none
        ("probabilities", pa.map_(pa.string(), pa.float64())),  # NULL where the model tells none
        ("error", pa.string()),  # why there is no answer that was paid for
        ("note", pa.string()),  # what was done to the text
        ("model", pa.string()),  # with its server
        ("asked_at", pa.timestamp("us", "UTC")),  # when the row was written
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("usd", pa.float64()),  # NULL where the price is not known
    ]
)


@dataclass
class Asking:
    """A call's question about texts of any number, and what has come of it so far."""

    question: Question
    provider: Provider
    task: Task
    failures: Counter[str] = field(default_factory=Counter)  # reasons; batches that wait, too
    has_asked: bool = False
    is_over: bool = False  # whether asking about more texts is of no use

    @classmethod
    def read(cls, function: str, options: Mapping[str, object]) -> Asking:
        """Of a call's options. Raises BadOption, UnknownModel and ModelUnusable."""
        question = as_served(Question.read(function, **options))  # type: ignore[arg-type]
        task = Task.read(
            question.labels,
            instructions=question.instructions,
            examples=question.examples,
            multi=question.multi,
        )
        return cls(question, provider(question.model), task)

    @property
    def before_text(self) -> str:
        """What stands before a text in what its digest is of (`answer_rows.key`).

        A digest is the SHA-256 of both, in UTF-8, in hexadecimal.
        """
        return f"{self.provider.identity}\0{self.task.canonical}\0"

    @property
    def digest(self) -> str:
        """Of the question, whatever the text is."""
        return sha256(self.before_text.encode("utf-8", "replace")).hexdigest()[:16]

    def ask(self, texts: Mapping[str, str]) -> pa.Table:
        """Ask about texts, by their digests: the rows of those answers that are to be kept.

        Those that this machine has kept are among them. Blank texts are not asked about. Raises as
        `asking.ask`; BudgetExhausted only where nothing was asked in the whole call.
        """
        usable = {digest: text for digest, text in texts.items() if text.strip()}
        question = self.question
        try:
            found = asking.ask(
                self.provider,
                question.model,
                self.task,
                list(usable.values()),
                budget=question.budget,
                texts_at_once=question.rows_per_request,
                batch=question.batch,
                retry_in=question.retry_in,
            )
        except BudgetExhausted as error:
            if not self.has_asked:
                raise
            found = [(Answer(None, str(error)), False)] * len(usable)
        self._note(found)
        kept = {
            digest: answer
            for digest, (answer, _) in zip(usable, found, strict=True)
            if answer.labels is not None or answer.input_tokens > 0
        }
        return self._rows(usable, kept)

    def _note(self, found: Sequence[tuple[Answer, bool]]) -> None:
        self.has_asked |= any(not is_kept for _, is_kept in found)
        self.failures.update(answer.error for answer, _ in found if answer.error)
        fresh = [answer for answer, is_kept in found if not is_kept and not answer.waits]
        answered = sum(answer.labels is not None for answer in fresh)
        self.is_over |= not answered and len(fresh) >= _MANY_FAILURES

    def _rows(self, texts: Mapping[str, str], answers: Mapping[str, Answer]) -> pa.Table:
        model = self.question.model
        priced = batches.priced_as(model) if self.question.batch else model
        now = int(time.time() * 1_000_000)
        rows = [
            {
                "digest": digest,
                "question": self.digest,
                "text": texts[digest],
                "answer": None if answer.labels is None else list(answer.labels),
                "probabilities": answer.probabilities and list(answer.probabilities.items()),
                "error": answer.error,
                "note": answer.note,
                "model": self.provider.identity,
                "asked_at": now,
                "input_tokens": answer.input_tokens,
                "output_tokens": answer.output_tokens,
                "usd": prices.cost(priced, answer.input_tokens, answer.output_tokens),
            }
            for digest, answer in answers.items()
        ]
        return pa.Table.from_pylist(rows, schema=SCHEMA)

    def refuse_failures(self) -> None:
        """Raise RowsFailed where texts have no answer and the call says on_error => 'fail'."""
        if self.question.on_error != "fail" or not self.failures:
            return
        why, count = self.failures.most_common(1)[0]
        raise RowsFailed(
            f"{self.failures.total():,} different texts have no answer: {why} ({count:,}). What "
            f"was answered is kept. With {Option('on_error', 'null')} their rows are NULL."
        )

    def expected(self, texts: int, characters: int) -> str:
        """What so many texts, of so many characters in all, will take: about, and in words."""
        read, written = prompt.about_tokens(self.task, [""])
        tokens = texts * read + round(characters / prompt.CHARACTERS_PER_TOKEN), texts * written
        priced = self.question.model
        usd = prices.cost(batches.priced_as(priced) if self.question.batch else priced, *tokens)
        cost = "" if usd is None else f", ${usd:,.2f}"
        return f"about {sum(tokens):,} tokens{cost}"


def is_hosted(model: object) -> bool:
    """Whether answers of a model are asked for elsewhere, and may have to be paid for.

    One that fine_tune trained is if a service did that. Raises nothing: what is no name of a model
    is none of a hosted one.
    """
    if not isinstance(model, str):
        return False
    if is_provided(model):
        return not model.startswith("local:")
    try:
        return is_provided(trained.find(model).base)
    except SqlfuncsError:
        return False
