"""No secret is shown or stored: what looks like one is blacked out. Imports nothing of ours."""

from __future__ import annotations

import base64
import os
import re
import threading
from collections.abc import Iterator
from functools import lru_cache

_seen: set[str] = set()
_noting = threading.Lock()
_NAMES = ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "HF_TOKEN")
_SHORTEST = 4  # characters: a shorter key, as local servers take, is a word like any other
_SHORTEST_ENCODED = 8  # characters of a key that is looked for in other forms: nobody's word
_LOOKS_SECRET = re.compile(r"\b(sk|hf|pk|key)[-_][A-Za-z0-9_*.\-]{6,}|(?<=Bearer )\S+|//[^/@\s]+@")
_PREFIX = re.compile(
    r"^[A-Za-z]{1,8}[-_](?:(?:proj|svcacct|admin|ant|or|v\d|api\d*|live|test)[-_])*"
)
_MOST_SHOWN = 20_000  # characters of what others said that are looked at


def redacted(text: str) -> str:
    """A text without keys, in whatever form.

    >>> redacted("Incorrect API key provided: sk-abc123DEF456")
    'Incorrect API key provided: [key]'
    """
    with _noting:
        # A key that was set earlier in this process may still be in use.
        _seen.update(os.environ.get(name, "").strip() for name in _NAMES)
        secrets = sorted(_seen, key=len, reverse=True)
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, "[key]")
        if len(secret) >= _SHORTEST_ENCODED:
            text = _forms(secret).sub("[key]", text)
            for core in _cores(secret):
                text = _without_spaced(text, core)
    return _LOOKS_SECRET.sub(lambda found: "//" if found[0].startswith("//") else "[key]", text)


def shown(text: str, most: int) -> str:
    """What a server or a model said, fit to be shown and stored: redacted, on one line, cut.

    >>> print(shown("a\\n\\x1b[31m" + "b" * 100, 12))
    a \\x1b[31mb…
    """
    text = " ".join(redacted(text[:_MOST_SHOWN]).split())
    if not text.isprintable():
        text = "".join(
            each if each.isprintable() else each.encode("unicode_escape").decode()
            for each in text[: 2 * most]
        )
    return text if len(text) <= most else text[: most - 1] + "…"


def _cores(secret: str) -> list[str]:
    """A key, and what of it stands behind a prefix that all keys of its kind have."""
    bare = _PREFIX.sub("", secret)
    return [secret, bare] if _SHORTEST_ENCODED <= len(bare) < len(secret) else [secret]


@lru_cache(maxsize=16)
def _forms(secret: str) -> re.Pattern[str]:
    """A key as it may be echoed: escaped, spaced out, encoded, with or without its prefix."""
    cores = _cores(secret)
    forms = ["".join(map(_escaped, core)) for core in cores]
    for core in cores:
        forms += [re.escape(each) for each in _in_base64(core)]
        forms.append("(?i:" + r"[\s:]?".join(f"{byte:02x}" for byte in core.encode()) + ")")
        forms.append(re.escape(core[::-1]))
    return re.compile("|".join(forms))


def _without_spaced(text: str, core: str) -> str:
    """A text without a key whose letters and digits have anything else in between."""
    wanted = "".join(filter(str.isalnum, core))
    places = [at for at, each in enumerate(text) if each.isalnum()]
    plain = "".join(text[at] for at in places)
    if len(wanted) < _SHORTEST_ENCODED or wanted not in plain:
        return text
    kept, done, at = [], 0, plain.find(wanted)
    while at >= 0:
        kept += [text[done : places[at]], "[key]"]
        done = places[at + len(wanted) - 1] + 1
        at = plain.find(wanted, at + len(wanted))
    return "".join([*kept, text[done:]])


def _escaped(character: str) -> str:
    code = ord(character)
    return (
        rf"(?:\\?{re.escape(character)}|%(?:25)?(?i:{code:02x})|\\+(?:u00|x)(?i:{code:02x})"
        rf"|&#0*{code};|&#[xX]0*(?i:{code:x});)"
    )


def _in_base64(core: str) -> Iterator[str]:
    """The characters of it that are the same whatever stands before and after."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + core.encode()).decode().rstrip("=")
        first, last = (0, 2, 3)[before], (before + len(core.encode())) % 3
        inner = encoded[first : len(encoded) - (1 if last else 0)]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")
