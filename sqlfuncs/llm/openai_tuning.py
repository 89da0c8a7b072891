"""Fine-tuning at a service of OpenAI's language: chats in, a model's name out, hours later."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlfuncs.llm import prompt
from sqlfuncs.llm.openai_calls import Client, upload_seconds
from sqlfuncs.llm.redaction import redacted
from sqlfuncs.llm.task import Task

KIND = "openai:"
_MODEL = "hosted.json"  # the file of the registry that names what the service has made
SUCCEEDED, FAILED, CANCELLED = "succeeded", "failed", "cancelled"
_NAME = "sqlfuncs.jsonl"
_SUFFIX = 18  # characters of a model's name that the service takes


@dataclass(frozen=True)
class Tuning:
    """Where a fine-tuning stands: `status` in the service's words, the `model` once it is done."""

    status: str
    message: str
    model: str | None = None
    tokens: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in (SUCCEEDED, FAILED, CANCELLED)


def task_of(classes: Sequence[str], *, multi: bool = False) -> Task:
    """What a model is asked, in training and ever after; with `multi` for any number of classes."""
    return Task.read(list(classes), multi=multi)


def to_files(tuning: Tuning, job: str, *, multi: bool = False) -> dict[str, bytes]:
    """What the registry keeps of a model that the service has made."""
    about: dict[str, object] = {"model": f"{KIND}{tuning.model}", "job": job}
    about |= {"tokens": tuning.tokens, "multi": multi}
    return {_MODEL: json.dumps(about).encode()}


def served(files: Mapping[str, bytes]) -> tuple[str, bool]:
    """The name of that model, for a provider, and whether it gives any number of classes."""
    about = json.loads(files[_MODEL])
    return str(about["model"]), bool(about.get("multi", False))


def lines(task: Task, rows: Iterable[tuple[str, Sequence[str]]]) -> Iterator[str]:
    """Chats as the service learns from them, in the words of `llm_classify`: JSON, one a row."""
    for text, labels in rows:
        chat = [
            *prompt.messages(task, [text], None),
            {"role": "assistant", "content": prompt.answer(task, labels)},
        ]
        yield json.dumps({"messages": chat}, ensure_ascii=False)


def about_tokens(task: Task, rows: Iterable[tuple[str, Sequence[str]]]) -> int:
    """About how many tokens such chats have, by their length."""
    asked, _ = prompt.about_tokens(task, [""])
    return sum(
        asked + prompt.tokens_in(text) + prompt.tokens_in(prompt.answer(task, labels))
        for text, labels in rows
    )


def start(client: Client, base: str, chats: Iterable[str], name: str, seed: int) -> str:
    """The service's name for a new fine-tuning. Raises ProviderFailure."""
    content = "\n".join(chats).encode()
    file = client.call(
        lambda openai: openai.files.create(file=(_NAME, content), purpose="fine-tune"),
        within=upload_seconds(content),
    )
    suffix = "".join(c if c.isascii() and c.isalnum() else "-" for c in name)[:_SUFFIX]
    job = client.call(
        lambda openai: openai.fine_tuning.jobs.create(
            model=base, training_file=file.id, suffix=suffix.strip("-") or "sqlfuncs", seed=seed
        )
    )
    return str(job.id)


def look(client: Client, job: str) -> Tuning:
    """Where it stands. Raises ProviderFailure."""
    found = client.call(lambda openai: openai.fine_tuning.jobs.retrieve(job))
    message = str(found.status).replace("_", " ")
    if found.error is not None and found.error.message:
        message = redacted(f"{found.error.message} ({found.error.code})")[:300]
    return Tuning(str(found.status), message, found.fine_tuned_model, found.trained_tokens or 0)


def latest_event(client: Client, job: str) -> str:
    """What the service said last about it, perhaps nothing. Raises ProviderFailure."""
    page = client.call(lambda openai: openai.fine_tuning.jobs.list_events(job, limit=1))
    return redacted(str(page.data[0].message))[:200] if page.data else ""


def cancel(client: Client, job: str) -> None:
    """Ask the service to stop. Raises ProviderFailure."""
    client.call(lambda openai: openai.fine_tuning.jobs.cancel(job))
