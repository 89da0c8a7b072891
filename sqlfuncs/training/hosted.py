"""Training at a service: started once, followed for as long as somebody waits, found again.

What is trained there is a name. The service goes on when this process ends; the same request
follows what it has started.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from sqlfuncs import work
from sqlfuncs.errors import BadOption, Cancelled, ModelUnusable
from sqlfuncs.learning.rows.base import Rows
from sqlfuncs.learning.tasks.taught import Taught
from sqlfuncs.llm import openai_tuning, prices
from sqlfuncs.llm.failures import Busy, Flaky, ProviderFailure
from sqlfuncs.llm.openai_calls import Client
from sqlfuncs.llm.openai_environment import api_key, checked_base_url
from sqlfuncs.llm.openai_tuning import Tuning
from sqlfuncs.llm.task import Task
from sqlfuncs.store import jobs
from sqlfuncs.store.jobs import Running
from sqlfuncs.training import readable
from sqlfuncs.training.expected import Expected
from sqlfuncs.training.outcome import Outcome
from sqlfuncs.training.request import Request
from sqlfuncs.wording import Given, Option, Words

IS_QUICK = TAKES_WEIGHTS = False
_EPOCHS = 3  # that services make of some hundreds of rows, unless they are told otherwise
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 20.0  # seconds between two looks
_UNREACHABLE_SECONDS = 600.0  # after which nobody waits any longer for a service that is silent
_HALF_SECONDS = 900.0  # after so long, half of the progress is shown: the service tells none
_HERE = Words(
    "A base on this machine would do: ", Option("base", "best"), ", 'minilm' or 'smollm2'."
)


def owns(base: str) -> bool:
    """Whether a base is trained at a service."""
    return base.startswith(openai_tuning.KIND)


def named(base: str, rows: Rows) -> tuple[str, str]:
    """The base. Raises BadOption for rows that are no texts."""
    readable.refuse_all_but_texts(base, rows)
    return base, "chats"


def refuse_labels(base: str, taught: Taught) -> None:
    """Numbers: a model that answers in words gives classes, or tags. And too many classes."""
    if taught.answers is None:
        raise BadOption(
            f"{Option('base', Given(base))} learns classes and tags, and these labels are none. "
            f"They may have {Option('base', 'fast')}, 'best' or an encoder."
        )
    openai_tuning.task_of(taught.classes, multi=taught.is_multi)


def check() -> None:
    """Raise ModelUnusable if no service can be asked: no key, a wrong address."""
    _client()


def judge(base: str) -> str:
    """One on this machine."""
    return "fast"


def expected(request: Request, seconds: float) -> Expected:
    """What a service would learn from and ask for it, by the length of what is sent."""
    tokens = _EPOCHS * openai_tuning.about_tokens(*_asked(request))
    return Expected(tokens=tokens, usd=prices.cost(request.base + prices.TRAINING, tokens, 0))


def train(request: Request, job: Running) -> Outcome:
    """Start it, unless it was started before, and wait. Raises ModelUnusable, Cancelled."""
    client = _client()
    remote = job.remote
    if remote is None:
        remote = _started(client, request)
        job.is_at(remote)
        work.say(f"{request.model}: {request.base} is being fine-tuned as {remote}")
    try:
        tuning = _followed(client, remote, job.report)
    except Cancelled:
        if job.is_stopping:  # else this process is not to wait; it was not said that none should
            raise
        raise jobs.LeftAlone(
            f"{remote} goes on at the service; the same fine_tune follows it, and "
            f"cancel_job('{request.job}') stops it"
        ) from None
    if tuning.status == openai_tuning.CANCELLED:
        raise Cancelled
    if tuning.status != openai_tuning.SUCCEEDED or not tuning.model:
        raise ModelUnusable(
            f"{request.base}: the service failed to train {remote}: {tuning.message}. {_HERE}"
        )
    return Outcome(openai_tuning.to_files(tuning, remote, multi=request.taught.is_multi), None)


def stop(remote: str) -> None:
    """Ask the service to stop. Raises ModelUnusable."""
    try:
        openai_tuning.cancel(_client(), remote)
    except ProviderFailure as failure:
        raise ModelUnusable(f"{remote}: {failure}") from None


def _client() -> Client:
    try:
        return Client(checked_base_url(), api_key())
    except ProviderFailure as failure:
        raise ModelUnusable(str(failure)) from None


def _asked(request: Request) -> tuple[Task, Iterable[tuple[str, Sequence[str]]]]:
    """What the model is asked, and texts with what it is to answer."""
    texts, taught = request.rows.texts, request.taught
    assert texts is not None and taught.answers is not None
    task = openai_tuning.task_of(taught.classes, multi=taught.is_multi)
    return task, zip(texts, taught.answers, strict=True)


def _started(client: Client, request: Request) -> str:
    chats = list(openai_tuning.lines(*_asked(request)))
    base = request.base.removeprefix(openai_tuning.KIND)
    try:
        return work.interruptible(
            partial(openai_tuning.start, client, base, chats, request.model, request.seed)
        )
    except ProviderFailure as failure:
        raise ModelUnusable(
            f"{request.base}: the service does not fine-tune this: {failure}. {_HERE}"
        ) from None


def _followed(client: Client, remote: str, report: Callable[[float], None]) -> Tuning:
    """Where it stands when it is over. Raises `jobs.LeftAlone` if it cannot be followed."""
    begun = last_seen = time.monotonic()
    wait, last = _FIRST_WAIT, ""
    with work.task(f"waiting for {remote}", 1) as task:
        while True:
            try:
                tuning = work.interruptible(partial(openai_tuning.look, client, remote))
                last_seen = time.monotonic()
                if tuning.is_over:
                    task.advance()
                    return tuning
                event = work.interruptible(partial(openai_tuning.latest_event, client, remote))
                if event and event != last:
                    work.say(f"{remote}: {event}")
                last = event
            except (Busy, Flaky) as failure:
                if time.monotonic() - last_seen > _UNREACHABLE_SECONDS:
                    raise jobs.LeftAlone(
                        f"the service cannot be reached: {failure}. {remote} goes on there; the "
                        "same fine_tune follows it"
                    ) from None
            except ProviderFailure as failure:
                raise ModelUnusable(f"{remote}: {failure}") from None
            until = time.monotonic() + wait
            while time.monotonic() < until:
                passed = time.monotonic() - begun
                report(passed / (passed + _HALF_SECONDS))
                time.sleep(0.1)
            wait = min(_LONGEST_WAIT, wait * 1.5)
