"""`openai:MODEL`: OpenAI, or any server that speaks its language, by its official client.

The key and the server are read from the environment (`openai_environment`); neither is stored or
shown. Servers understand different options: what one refuses is left out from then on.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from sqlfuncs.llm import logprobs, openai_batches, prompt
from sqlfuncs.llm.failures import Busy, Declined, Flaky, ProviderFailure, TooLong, Unusable
from sqlfuncs.llm.openai_calls import Client, NotFound, OptionRefused
from sqlfuncs.llm.openai_environment import api_key, checked_base_url, identity, timeout
from sqlfuncs.llm.providers import Batch
from sqlfuncs.llm.redaction import redacted
from sqlfuncs.llm.task import Task
from sqlfuncs.store.answers import Answer

_MODELS_SHOWN = 12
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
        body = self._request(task, texts, names)
        if again:  # a server that heeds the format would have given a label
            body.pop("response_format", None)
            body["messages"] = prompt.messages_again(task, texts[0])
        return self._read(task, self._reply(body), names)

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
            self._client, batch, lambda reply: self._read(task, reply, None)[0]
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
                    "schema": prompt.schema(task, several),
                },
            },
        }
        if not several and not task.multi:
            options["logprobs"] = True
            options["top_logprobs"] = min(_MOST_ALTERNATIVES, 2 * len(task.labels) + 2)
        return {
            "model": self._name,
            "messages": prompt.messages(task, texts, names),
            **{name: value for name, value in options.items() if name not in self._refused},
        }

    def _read(
        self, task: Task, reply: Mapping[str, Any], names: Sequence[str] | None
    ) -> list[Answer]:
        """The answers in a chat completion. Raises Declined and Flaky."""
        choice = _first_choice(reply)
        message = choice.get("message") or {}
        tokens = _tokens(reply.get("usage") or {})
        if message.get("refusal") or choice.get("finish_reason") == "content_filter":
            why = message.get("refusal") or "the server's content filter"
            raise Declined(f"the model declined to answer: {redacted(str(why))[:200]}", *tokens)
        answers = prompt.read(task, str(message.get("content") or ""), names)
        if names is None and not task.multi and answers[0].label is not None:
            answers = [_with_probabilities(task, answers[0], choice)]
        return _with_tokens(answers, *tokens)

    def _reply(self, body: dict[str, Any]) -> dict[str, Any]:
        """The server's reply as JSON; options that it refuses are left out."""
        while True:
            try:
                # The client's own typed reply takes twice the time.
                reply = self._client.call(
                    lambda client: client.post("/chat/completions", cast_to=object, body=body)
                )
            except OptionRefused as refused:
                if refused.option not in body:
                    raise Declined(str(refused)) from None
                body.pop(refused.option)
                self._refused.add(refused.option)
                continue
            except NotFound as error:
                raise Unusable(str(error)) from None
            except ValueError:  # it is called JSON, but is none
                reply = None
            return cast("dict[str, Any]", reply)

    def _look_up(self) -> None:
        """Raise Unusable unless the server knows the key and the model."""
        try:
            soon = min(timeout(), _LOOK_UP_SECONDS)
            self._client.call(lambda client: client.models.retrieve(self._name), within=soon)
        except (Flaky, Busy) as failure:
            if "cannot be reached" in str(failure):
                raise Unusable(str(failure)) from None
        except NotFound:
            known = self._known_models()
            if known and self._name not in known:
                more = ", ..." if len(known) > _MODELS_SHOWN else ""
                raise Unusable(
                    f"the server has no model '{self._name}'. It has: "
                    f"{', '.join(known[:_MODELS_SHOWN])}{more}."
                ) from None
        except (OptionRefused, TooLong, Declined):
            pass  # a server that does not tell about its models

    def _known_models(self) -> list[str]:
        try:
            page = self._client.call(lambda client: client.models.list())
        except ProviderFailure:
            return []
        return sorted(model.id for model in page.data or [])

    @property
    def _client(self) -> Client:
        """The client for the key that is set now."""
        key = os.getpid(), api_key()
        with self._making:
            if key not in self._clients:
                self._clients[key] = Client(self._base_url, key[1])
            return self._clients[key]


def _first_choice(reply: Any) -> Mapping[str, Any]:
    with contextlib.suppress(LookupError, TypeError):
        choice = reply["choices"][0]
        if isinstance(choice, dict):
            return choice
    raise Flaky("the server's reply is not what a chat completion looks like", was_heard=True)


def _with_probabilities(task: Task, answer: Answer, choice: Mapping[str, Any]) -> Answer:
    tokens = (choice.get("logprobs") or {}).get("content")
    if not tokens or answer.label is None:
        return answer
    with contextlib.suppress(LookupError, TypeError, ValueError):  # another form: without them
        found = logprobs.of_labels(task.labels, answer.label, tokens)
        return replace(answer, probabilities=found)
    return answer


def _tokens(usage: Mapping[str, Any]) -> tuple[int, int]:
    return int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)


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
