"""JSON that a server sent, whatever it is. Imports nothing of ours."""

from __future__ import annotations

import json
import math
from typing import Any

_MOST_DIGITS = 300  # of a whole number; a longer one is none that counts anything


def parsed(body: bytes | str) -> Any:
    """A body as JSON; as text if it is none that can be read.

    >>> parsed(b'\\xef\\xbb\\xbf{"a": 1}'), parsed("no JSON")
    ({'a': 1}, 'no JSON')
    """
    text = body if isinstance(body, str) else _decoded(body)
    text = text.lstrip("\ufeff")
    try:
        return json.loads(text)
    except RecursionError:
        return text
    except ValueError:
        pass
    try:
        return json.loads(text, parse_int=_whole)  # Python reads 4,300 digits at most
    except (ValueError, RecursionError):
        return text


def _decoded(body: bytes) -> str:
    try:
        return body.decode(json.detect_encoding(body))
    except ValueError:
        return body.decode("utf-8", "replace")


def _whole(digits: str) -> float | int:
    return int(digits) if len(digits) <= _MOST_DIGITS else math.inf
