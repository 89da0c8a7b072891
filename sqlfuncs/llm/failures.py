"""How a provider says that a request failed, and what is to be done about it.

    ProviderFailure
    ├── Unusable    nothing will come of any request: no key, no such model; the query ends
    ├── Busy        too many requests: wait, then ask again
    ├── Flaky       the server or the line failed: ask again
    ├── TooLong     the texts do not fit: fewer at once, or cut
    └── Declined    the model will not answer this text; asking again would change nothing
        └── Filtered    ... because of what the text says

Whoever asks turns them into answers with an error, or into `sqlfuncs.errors`.
"""

from __future__ import annotations


class ProviderFailure(Exception):
    """A request failed. The message is for the analyst and holds no secret."""


class Unusable(ProviderFailure):
    """Nothing will come of any request."""


class Busy(ProviderFailure):
    """Too many requests. `after` is how many seconds the server asks to be left alone."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Flaky(ProviderFailure):
    """The server or the line failed."""


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
