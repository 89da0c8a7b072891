"""No secret is shown or stored: what looks like one is blacked out. Imports nothing of ours."""

from __future__ import annotations

import os
import re
import threading

_seen: set[str] = set()
_noting = threading.Lock()
_NAMES = ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "HF_TOKEN")
_SHORTEST = 4  # characters: a shorter key, as local servers take, is a word like any other
_LOOKS_SECRET = re.compile(r"\b(sk|hf|pk|key)[-_][A-Za-z0-9_*.\-]{6,}|(?<=Bearer )\S+|//[^/@\s]+@")


def redacted(text: str) -> str:
    """A text without keys.

    >>> redacted("Incorrect API key provided: sk-abc123DEF456")
    'Incorrect API key provided: [key]'
    """
    # A key that was set earlier in this process may still be in use.
    with _noting:
        _seen.update(os.environ.get(name, "").strip() for name in _NAMES)
        secrets = sorted(_seen, key=len, reverse=True)
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, "[key]")
    return _LOOKS_SECRET.sub(lambda found: "//" if found[0].startswith("//") else "[key]", text)
