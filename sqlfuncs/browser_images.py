"""Which images browsers show, told by their first bytes. Imports nothing."""

from __future__ import annotations

_MAGIC = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


def browser_type(content: bytes) -> str:
    """The media type of an image that holds no script; empty for anything else.

    >>> browser_type(b"GIF89a..."), browser_type(b"<svg onload='...'>")
    ('image/gif', '')
    """
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC.items() if content.startswith(magic)), "")
