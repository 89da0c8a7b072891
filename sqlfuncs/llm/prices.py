"""What hosted models cost, in US dollars per million tokens. Prices change: this is a table.

A file named by SQLFUNCS_PRICES (JSON: {"openai:model": [input, output]}) adds to it and
overrules it. What is not in it has no known price, which is said, never guessed.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

from sqlfuncs.errors import BadInput

_MILLION = 1_000_000
_FREE = ("fake:", "local:")


def cost(model: str, input_tokens: int, output_tokens: int) -> float | None:
    """Dollars, or None where the price is not known.

    >>> cost("local:smollm2", 1000, 10)
    0.0
    """
    if model.startswith(_FREE):
        return 0.0
    price = _table(os.environ.get("SQLFUNCS_PRICES", "")).get(model)
    if price is None:
        return None
    return (input_tokens * price[0] + output_tokens * price[1]) / _MILLION


@cache
def _table(file: str) -> dict[str, tuple[float, float]]:
    if not file:
        return {}
    try:
        given = json.loads(Path(file).read_text(encoding="utf-8"))
        return {str(model): (float(paid[0]), float(paid[1])) for model, paid in given.items()}
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise BadInput(
            f"SQLFUNCS_PRICES names {file}, which cannot be used: {error}. It has to hold "
            '{"openai:model": [dollars per million input tokens, and per million output tokens]}.'
        ) from None
