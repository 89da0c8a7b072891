"""`openai:MODEL`: OpenAI, or any server that speaks its language, by its official client.

The key and the server are read from the environment (`openai_environment`); neither is stored or
shown. Servers understand different options: what one refuses is left out from then on.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlfuncs.llm import list_logprobs, logprobs, openai_batches, prompt, reading
from sqlfuncs.llm.failures import Busy, Declined, Flaky, ProviderFailure, TooLong, Unusable
from sqlfuncs.llm.openai_calls import Client
from sqlfuncs.llm.openai_environment import api_key, checked_base_url, identity, timeout
from sqlfuncs.llm.openai_failures import NotFound, OptionRefused
from sqlfuncs.llm.openai_models import Models, known_models, looked_up
from sqlfuncs.llm.openai_replies import Reply, reply
from sqlfuncs.llm.providers import Batch
from sqlfuncs.llm.redaction import redacted, shown
from sqlfuncs.llm.task import Task
from sqlfuncs.store.answer_rows import Answer

_MODELS_SHOWN = 12
_NAME_SHOWN = 100  # characters of a model's name that the server tells
_REFUSAL_SHOWN = 200
_LOOK_UP_SECONDS = 10.0  # for the first question, whether all is right
_MOST_ALTERNATIVES = 20  # tokens that servers list at most


class OpenAIProvider:
    """A model behind the chat completions of an OpenAI-compatible server."""

    texts_at_once = 1

    def __init__(self, name: str) -> None:
        """`name` as the server calls the model. Raises Unusable for none."""
        if not name:
            raise Unusable("name the model: 'openai:MODEL', for example 'openai:gpt-5-mini'")
        self._name = name
        self._base_url = checked_base_url()
        self._server = ""
        self._refused: set[str] = set()
        self._checked: set[str] = set()
        self._clients: dict[tuple[int, str], Client] = {}
        self._lock, self._making = threading.Lock(), threading.Lock()

    @property
    def requests_at_once(self) -> int:
        """32, as hosted servers bear; SQLFUNCS_REQUESTS_AT_ONCE says otherwise."""
        return 32

    @property
    def identity(self) -> str:
        """The model, and the server if it is not OpenAI's."""
        return identity(self._name, self._base_url)

    @property
    def reader(self) -> str:
        """Our version of reading, and what the server tells of itself, once it was looked up."""
        return f"{reading.READER}:{self._server}"

    def check(self) -> None:
        """The server is there, takes the key and knows the model. Asked once a key."""
        redacted("")  # which takes note of the key
        key = api_key()
        with self._lock:
            if key not in self._checked:
                self._look_up()
                self._checked.add(key)

    def ask(self, task: Task, texts: Sequence[str], *, again: bool = False) -> list[Answer]:
        """One request for all of the texts."""
        names = prompt.ids(len(texts)) if len(texts) > 1 else None

        def request() -> dict[str, Any]:
            body = self._request(task, texts, names)
            if again:  # a server that heeds the format would have given a label
                body.pop("response_format", None)
                body["messages"] = prompt.messages_again(task, texts[0])
            return body

        return self._read(task, self._answered(request), names)

    def hand_in(self, task: Task, texts: Mapping[str, str], mark: str) -> str:
        """A batch with a request for each text, under its name."""
        requests = {name: self._request(task, [text], None) for name, text in texts.items()}
        return openai_batches.hand_in(self._client, requests, mark)

    def find(self, mark: str) -> str | None:
        """The batch that was handed in under this mark."""
        return openai_batches.find(self._client, mark)

    def collect(self, task: Task, batch: str) -> Batch:
        """How far a batch is and, once it is over, what came of each of its texts."""
        return openai_batches.collect(
            self._client, batch, lambda body: self._read(task, reply(body), None)[0]
        )

    def _request(
        self, task: Task, texts: Sequence[str], names: Sequence[str] | None
    ) -> dict[str, Any]:
        several = names is not None
        options: dict[str, Any] = {
            "temperature": 0,
            "seed": 0,
            "response_format": {
                "type": "json_schema",
                "json_schema": {
                    "name": "labels",
                    "strict": True,
                    "schema": prompt.schema(task, several, self._unlimited),
                },
            },
        }
        if not several:
            options["logprobs"] = True
            options["top_logprobs"] = min(_MOST_ALTERNATIVES, 2 * len(task.labels) + 2)
        return {
            "model": self._name,
            "messages": prompt.messages(task, texts, names),
            **{name: value for name, value in options.items() if name not in self._refused},
        }

    def _read(self, task: Task, completion: Reply, names: Sequence[str] | None) -> list[Answer]:
        """The answers in a chat completion. Raises Declined."""
        tokens = tokens_used(completion)
        if completion.refusal or completion.finish_reason == "content_filter":
            why = completion.refusal or "the server's content filter"
            raise Declined(f"the model declined to answer: {shown(why, _REFUSAL_SHOWN)}", *tokens)
        if task.multi and completion.finish_reason == "length" and "]" not in completion.content:
            why = f"the answer was cut short: '{shown(completion.content, _REFUSAL_SHOWN)}'"
            return _with_tokens([Answer(None, why)] * len(names or [""]), *tokens)
        answers = reading.read(task, completion.content, names)
        if names is None and answers[0].labels is not None:
            answers = [_with_probabilities(task, answers[0], completion)]
        return _with_tokens(answers, *tokens)

    @property
    def _unlimited(self) -> frozenset[str]:
        """The limits of a list that the server does not know."""
        return frozenset(self._refused.intersection(prompt.LIMITS))

    def _answered(self, request: Callable[[], dict[str, Any]]) -> Reply:
        """The server's reply; options that it refuses are left out."""
        while True:
            known, body = frozenset(self._refused), request()
            try:
                return self._completion(body)
            except OptionRefused as refused:
                is_sent = refused.option in body or refused.option in prompt.LIMITS
                if refused.option in known or not is_sent:
                    raise Declined(str(refused)) from None
                self._refused.add(refused.option)
            except NotFound as error:
                raise Unusable(str(error)) from None

    def _completion(self, body: dict[str, Any]) -> Reply:
        from openai import HttpxBinaryResponseContent as Raw

        # The client's own typed reply takes twice the time, and breaks on what is odd.
        raw = self._client.call(
            lambda client: client.post("/chat/completions", cast_to=Raw, body=body)
        )
        return reply(raw.content)

    def _look_up(self) -> None:
        """Raise Unusable unless the server knows the key and the model."""
        try:
            found = looked_up(self._client, self._name, min(timeout(), _LOOK_UP_SECONDS))
            self._server = found.server
        except (Flaky, Busy) as failure:
            if "cannot be reached" in str(failure):
                raise Unusable(str(failure)) from None
        except NotFound:
            self._server = self._among(self._known_models()).server
        except (OptionRefused, TooLong, Declined):
            pass  # a server that does not tell about its models

    def _among(self, known: Models) -> Models:
        """What the server reports of our model, which is one of those; Unusable if it is not."""
        names = sorted(known.names)
        if names and self._name not in names:
            more = ", ..." if len(names) > _MODELS_SHOWN else ""
            listed = ", ".join(shown(name, _NAME_SHOWN) for name in names[:_MODELS_SHOWN])
            raise Unusable(f"the server has no model '{self._name}'. It has: {listed}{more}.")
        return known

    def _known_models(self) -> Models:
        try:
            return known_models(self._client, self._name)
        except ProviderFailure:
            return Models()

    @property
    def _client(self) -> Client:
        """The client for the key that is set now."""
        key = os.getpid(), api_key()
        with self._making:
            if key not in self._clients:
                self._clients[key] = Client(self._base_url, key[1])
            return self._clients[key]


def tokens_used(completion: Reply) -> tuple[int, int]:
    """Tokens of a request and of its answer as the server reports them; 0 and 0 if it does not.

    One count without the other, or an impossible one, counts as not reported.
    """
    if completion.input_tokens is None or completion.output_tokens is None:
        return 0, 0
    return completion.input_tokens, completion.output_tokens


def _with_probabilities(task: Task, answer: Answer, completion: Reply) -> Answer:
    if not completion.logprobs or answer.labels is None:
        return answer
    if task.multi:
        found = list_logprobs.of_labels(task.labels, answer.labels, completion.logprobs)
    else:
        found = logprobs.of_labels(task.labels, answer.labels[0], completion.logprobs)
    return replace(answer, probabilities=found)


def _with_tokens(answers: Sequence[Answer], read: int, written: int) -> list[Answer]:
    """The tokens of a request, shared evenly; the first gets what is left over."""
    count = len(answers)
    return [
        replace(
            answer,
            input_tokens=read // count + (0 if at else read % count),
            output_tokens=written // count + (0 if at else written % count),
        )
        for at, answer in enumerate(answers)
    ]
