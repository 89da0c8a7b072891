"""What hosted models cost, in US dollars: the file that the user names, else published lists.

The lists are those of the package genai-prices as it is installed: nothing is downloaded. They
are of servers by their address, so that a server of one's own has no price but one that is
stated. What has no known price is said to have none, never guessed.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

from sqlfuncs.errors import BadInput
from sqlfuncs.llm.openai_environment import base_url
from sqlfuncs.llm.openai_environment import identity as own_identity

BATCH = " batch"  # after the name of a model, where its batch endpoint is meant
TRAINING = " training"  # where tokens are learned from; no published list has such prices
_OF_A_BATCH = 0.5  # of the price of single requests, at OpenAI and at Azure
_MILLION = 1_000_000
_FREE = ("fake:", "local:")
_A_REQUEST = 1_000  # tokens: above some number of them, some models cost more a token


def is_free(model: str) -> bool:
    """Whether nobody is paid for what a model reads and writes."""
    return model.startswith(_FREE)


def cost(model: str, input_tokens: int, output_tokens: int) -> float | None:
    """Dollars, or None where the price is not known.

    >>> cost("local:smollm2", 1000, 10)
    0.0
    """
    if is_free(model):
        return 0.0
    price = _price(model)
    if price is None:
        return None
    return (input_tokens * price[0] + output_tokens * price[1]) / _MILLION


def cost_of_kept(identity: str, input_tokens: int, output_tokens: int) -> float | None:
    """Dollars of answers by what they are kept under, a provider's identity.

    A list knows servers by their address: of one that is not in use today, only a stated price.
    """
    kind, _, rest = identity.partition(":")
    name = rest.partition("@")[0]
    model = f"{kind}:{name}"
    stated = _table(os.environ.get("SQLFUNCS_PRICES", ""))
    if kind == "openai" and model not in stated and identity != own_identity(name, base_url()):
        return None
    return cost(model, input_tokens, output_tokens)


def _price(model: str) -> tuple[float, float] | None:
    """Dollars per million input tokens, and per million output tokens."""
    stated = _table(os.environ.get("SQLFUNCS_PRICES", "")).get(model)
    if stated is not None or model.endswith(TRAINING):
        return stated
    if model.endswith(BATCH):
        singly = _price(model.removesuffix(BATCH))
        return None if singly is None else (singly[0] * _OF_A_BATCH, singly[1] * _OF_A_BATCH)
    kind, _, name = model.partition(":")
    return _listed(name, base_url()) if kind == "openai" else None


@cache
def _listed(name: str, server: str) -> tuple[float, float] | None:
    from genai_prices import Usage, calc_price

    some = Usage(input_tokens=_A_REQUEST, output_tokens=_A_REQUEST)
    try:
        found = calc_price(some, name, provider_api_url=server)
    except LookupError:
        return None
    of_each = _MILLION / _A_REQUEST
    return float(found.input_price) * of_each, float(found.output_price) * of_each


@cache
def _table(file: str) -> dict[str, tuple[float, float]]:
    if not file:
        return {}
    try:
        given = json.loads(Path(file).read_text(encoding="utf-8"))
        return {str(model): (float(paid[0]), float(paid[1])) for model, paid in given.items()}
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise BadInput(
            f"SQLFUNCS_PRICES names {file}, which cannot be used: "
            f"{type(error).__name__} {error}. It has to hold "
            '{"openai:model": [dollars per million input tokens, and per million output tokens]}.'
        ) from None
