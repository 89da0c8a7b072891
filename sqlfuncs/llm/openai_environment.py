"""What the environment says about servers of OpenAI's language: address, key, time limit."""

from __future__ import annotations

import math
import os
from urllib.parse import urlsplit

from sqlfuncs.errors import BadOption
from sqlfuncs.llm.failures import Unusable

OPENAI = "https://api.openai.com/v1"
_TIMEOUT_SECONDS = 60.0  # SQLFUNCS_TIMEOUT_SECONDS says otherwise


def base_url() -> str:
    """The server's address: OPENAI_BASE_URL, else OpenAI's own."""
    return os.environ.get("OPENAI_BASE_URL", "").strip() or OPENAI


def checked_base_url() -> str:
    """The same. Raises Unusable for what is no address."""
    url = base_url()
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or not url.isprintable():
        raise Unusable(
            "OPENAI_BASE_URL is no address of a server. It looks like http://127.0.0.1:8000/v1."
        )
    return url


def where(url: str, *, scheme: bool = True) -> str:
    """A server's address without the name and password that may stand in it.

    >>> where("https://me:secret@example.org:8000/v1")
    'https://example.org:8000/v1'
    """
    parts = urlsplit(url)
    place = f"{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
    return f"{parts.scheme}://{place}" if scheme else place


def identity(name: str, url: str) -> str:
    """What answers of a model are kept under: it, and its server if that is not OpenAI's.

    >>> identity("gpt", "http://me:secret@127.0.0.1:8000/v1"), identity("gpt", OPENAI)
    ('openai:gpt@127.0.0.1:8000/v1', 'openai:gpt')
    """
    at = "" if url == OPENAI else f"@{where(url, scheme=False)}"
    return f"openai:{name}{at}"


def api_key() -> str:
    """OPENAI_API_KEY, without the blanks and line ends that a copied one may have.

    Raises Unusable where there is none, and for one that cannot be sent.
    """
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not key:
        raise Unusable(
            "OPENAI_API_KEY is not set. Set it in the environment, before Python starts or by "
            "os.environ; a server that needs no key takes any text."
        )
    if not (key.isascii() and key.isprintable()):
        raise Unusable(
            "OPENAI_API_KEY holds a character that no key has: a letter outside of ASCII, or a "
            "control character. Nothing was sent."
        )
    return key


def timeout() -> float:
    """How many seconds a request may take. Raises BadOption."""
    given = os.environ.get("SQLFUNCS_TIMEOUT_SECONDS", "") or str(_TIMEOUT_SECONDS)
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise BadOption(f"SQLFUNCS_TIMEOUT_SECONDS is '{given}'; it has to be a number above 0.")
    return seconds
