"""How a provider says that a request failed, and what is to be done about it.

    ProviderFailure
    ├── Unusable    nothing will come of any request: no key, no such model; the query ends
    ├── Busy        too many requests: wait, then ask again
    │   └── LeftAlone   ... for longer than a query waits: none of it is asked any more
    ├── Flaky       the server or the line failed: ask again
    ├── TooLong     the texts do not fit: fewer at once, or cut
    └── Declined    the model will not answer this text; asking again would change nothing
        └── Filtered    ... because of what the text says

Whoever asks turns them into answers with an error, or into `sqlfuncs.errors`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

_LONGEST_NAMED = timedelta(days=365)


class ProviderFailure(Exception):
    """A request failed. The message is for the analyst and holds no secret.

    The tokens are what it took all the same; `was_received` if it may have taken some that were
    not reported.
    """

    input_tokens = 0
    output_tokens = 0
    was_received = False


class Unusable(ProviderFailure):
    """Nothing will come of any request."""


class Busy(ProviderFailure):
    """Too many requests. `after` is how many seconds the server asks to be left alone."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class LeftAlone(Busy):
    """The server asks for a longer wait than a query has patience for."""

    @classmethod
    def asked(cls, failure: Busy) -> LeftAlone:
        """The failure that says until when."""
        wait = failure.after or 0.0
        if wait > _LONGEST_NAMED.total_seconds():
            until = "for more than a year"
        else:
            now = datetime.now().astimezone()
            at = now + timedelta(seconds=wait)
            until = f"until {at:%H:%M}" if at.date() == now.date() else f"until {at:%Y-%m-%d %H:%M}"
        return cls(f"the server asks to be left alone {until}: {failure}", failure.after)


class Flaky(ProviderFailure):
    """The server or the line failed."""

    def __init__(self, message: str, *, was_received: bool = False) -> None:
        super().__init__(message)
        self.was_received = was_received


class TooLong(ProviderFailure):
    """The texts of the request do not fit."""


class Declined(ProviderFailure):
    """The model will not answer. The tokens are what was paid for to learn that."""

    def __init__(self, message: str, input_tokens: int = 0, output_tokens: int = 0) -> None:
        super().__init__(message)
        self.input_tokens = input_tokens
        self.output_tokens = output_tokens


class Filtered(Declined):
    """The server's content filter: it is about the text and not about the request."""
