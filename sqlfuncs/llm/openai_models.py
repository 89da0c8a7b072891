"""What a server tells of its models: which it has, and what tells one server from another."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any

from sqlfuncs.llm.failures import Flaky
from sqlfuncs.llm.openai_calls import Client
from sqlfuncs.llm.openai_errors import is_error
from sqlfuncs.llm.openai_failures import failure
from sqlfuncs.llm.openai_json import parsed

# What servers tell of a model that is another once it is another model, or runs in another way.
_OF_A_MODEL = (
    "owned_by",
    "root",
    "parent",
    "max_model_len",
    "context_length",
    "max_context_length",
    "loaded_context_length",
    "quantization",
    "digest",
)
_JUST_NOW = 3600.0  # seconds: vLLM, SGLang and llama.cpp say that a model was made when asked for
_LATEST = 10**11  # seconds since 1970
_DIGITS = 12


@dataclass(frozen=True)
class Models:
    """The names that are listed, and a digest of the server and of the model in use."""

    names: frozenset[str] = field(default_factory=frozenset)
    server: str = ""


def looked_up(client: Client, name: str, seconds: float) -> Models:
    """What the server says of one model. Raises ProviderFailure."""
    raw = client.call(
        lambda openai: openai.models.with_raw_response.retrieve(name), within=seconds
    ).http_response
    body = _checked(raw.content)
    return Models(frozenset([name]), _server(body, raw.headers))


def known_models(client: Client, name: str) -> Models:
    """All models that the server tells of, and the one of this name. Raises ProviderFailure."""
    raw = client.call(lambda openai: openai.models.with_raw_response.list()).http_response
    body = _checked(raw.content)
    listed = body.get("data", body.get("models"))
    models = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    names = {each["id"]: each for each in models if isinstance(each.get("id"), str)}
    return Models(frozenset(names), _server(names.get(name, {}), raw.headers))


def _checked(content: bytes) -> Mapping[str, Any]:
    """A reply that is an object. Raises ProviderFailure."""
    body = parsed(content)
    if isinstance(body, dict) and not (is_error(body) and "id" not in body and "data" not in body):
        return body
    if is_error(body):
        raise failure(None, body)
    raise Flaky("the server's reply about its models is none")


def _server(model: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    metadata: dict[str, Any] = {name: model.get(name) for name in _OF_A_MODEL}
    metadata = {name: value for name, value in metadata.items() if isinstance(value, str | int)}
    created = model.get("created")
    if type(created) is int and 0 < created < _LATEST and _now(headers) - created > _JUST_NOW:
        metadata["created"] = created
    metadata["server"] = headers.get("server", "")
    return sha256(json.dumps(metadata, sort_keys=True).encode()).hexdigest()[:_DIGITS]


def _now(headers: Mapping[str, str]) -> float:
    """By the server's own clock, if it tells."""
    try:
        return parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return time.time()
