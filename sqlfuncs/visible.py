"""What a text holds that nobody would see: what moves a cursor, hides or turns what follows.

Imports nothing; used by everything that writes to a terminal.
"""

from __future__ import annotations

import re

_UNSEEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but for tab and line feed
    # What turns or hides what stands beside it, and ends of lines that are none of ours.
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff"  # bytes that were no UTF-8
    "\U000e0000-\U000e007f"
    "]"
)


def visible(text: str) -> str:
    r"""A text as a terminal may get it: what could not be seen stands there as it is written.

    >>> print(visible("a\x1b]0;owned\x07b\u202ec"))
    a\x1b]0;owned\x07b\u202ec
    """
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
