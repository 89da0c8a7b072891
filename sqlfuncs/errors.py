"""What can go wrong, as one tree. Imports but the wording; raised everywhere.

    SqlfuncsError
    ├── BadInput             the call or its rows cannot be used as given
    │   ├── BadOption        an option's value is not one of those that exist
    │   ├── ColumnClash      the table already has a column that the result adds
    │   ├── NoUsableRows     not one row can be judged, trained on or evaluated
    │   ├── TooFewClasses    fewer than two different labels
    │   ├── TooManyClasses   more different labels than can be learned
    │   ├── UnknownModel     no model of that name
    │   ├── BadQueryFile     a query file, its header or its parameters
    │   ├── Conflict         somebody else has decided meanwhile
    │   └── DatabaseInUse    another process has the database open; says which
    ├── CannotRegister       this connection cannot take the functions now
    ├── CannotServe          a database cannot be served to a shell
    ├── MissingExtra         a part that is installed with an extra
    ├── CannotKeep           the disk does not take what is to be stored
    ├── DamagedModel         files of a stored model are not what was stored
    ├── DownloadFailed       public files could not be fetched or were altered
    ├── ModelUnusable        a provider's model cannot be asked: its key, its name, its server
    ├── BudgetExhausted      what may be spent is spent, or cannot be told
    ├── RowsFailed           rows have no answer, and on_error := 'fail' was asked for
    ├── StatementFailed      one of several statements; says what ran and what did not
    ├── Cancelled            stopped by the user; nothing half done remains
    │   ├── TimedOut         stopped because the time it was given is over
    │   └── StillRunning     stopped, but a computation that cannot be interrupted has not ended
    └── InternalError        a fault of ours; says where the traceback is

Every message says what was asked, what exists and what to type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlfuncs.wording import Option, Words


class SqlfuncsError(Exception):
    """The root: catch this to catch everything sqlfuncs raises on purpose."""


class BadInput(SqlfuncsError):
    """The call or its rows cannot be used as given."""


class BadOption(BadInput):
    """An option's value is not one of those that exist.

    >>> raise BadOption.among("cut", "prune", ["auto", "both"])
    Traceback (most recent call last):
    sqlfuncs.errors.BadOption: cut := 'prune' is not known. It may be 'auto', 'both'.
    """

    @classmethod
    def among(cls, option: str, given: object, known: Iterable[str]) -> BadOption:
        """The error for a value that is not in a closed list."""
        choices = ", ".join(f"'{k}'" for k in known)
        return cls(f"{Option(option, Words(repr(given)))} is not known. It may be {choices}.")


class ColumnClash(BadInput):
    """The table already has a column that the result adds."""


class NoUsableRows(BadInput):
    """Not one row can be judged, trained on or evaluated."""


class TooFewClasses(BadInput):
    """Fewer than two different labels."""


class TooManyClasses(BadInput):
    """More different labels than can be learned; perhaps the column is another."""


class UnknownModel(BadInput):
    """No model of that name."""


class BadQueryFile(BadInput):
    """A query file, its header or the parameters given to it."""


class Conflict(BadInput):
    """A decision that is not what somebody saw any longer: another one was made meanwhile."""


class DatabaseInUse(BadInput):
    """Another process has the database open, and DuckDB lets only one write to it."""


class CannotRegister(SqlfuncsError):
    """This connection cannot take the functions now."""


class CannotServe(SqlfuncsError):
    """A database cannot be served to a shell: an extension of DuckDB's is missing."""


class MissingExtra(SqlfuncsError):
    """A part of sqlfuncs that is installed with an extra.

    >>> raise MissingExtra.needed_for("embed()", "local")
    Traceback (most recent call last):
    sqlfuncs.errors.MissingExtra: embed() needs more packages. Type: pip install 'sqlfuncs[local]'
    """

    @classmethod
    def needed_for(cls, what: str, extra: str) -> MissingExtra:
        """The error that names the extra to install."""
        return cls(f"{what} needs more packages. Type: pip install 'sqlfuncs[{extra}]'")


class CannotKeep(SqlfuncsError):
    """The disk does not take what is to be stored: no right, no room, or a newer version's file."""


class DamagedModel(SqlfuncsError):
    """Files of a stored model are not what was stored."""


class DownloadFailed(SqlfuncsError):
    """Public files could not be fetched, or are not what they were."""


class ModelUnusable(SqlfuncsError):
    """A provider's model cannot be asked: no key, a wrong one, no such model, no server."""


class BudgetExhausted(SqlfuncsError):
    """What may be spent is spent, or cannot be told."""


class RowsFailed(SqlfuncsError):
    """Rows have no answer, and that was to be an error."""


class Cancelled(SqlfuncsError):
    """Stopped by the user; nothing half done remains."""

    KEPT = "nothing half done was kept, and answers of language models are not lost"

    def __init__(self, message: str = f"stopped; {KEPT}") -> None:
        super().__init__(message)


class TimedOut(Cancelled):
    """Stopped because the time it was given is over."""


class StillRunning(Cancelled):
    """Stopped, but a computation that cannot be interrupted has not ended yet.

    `reason` is why it was to stop; `wait(seconds)` waits for its end and tells whether it came.
    """

    def __init__(self, reason: Cancelled, wait: Callable[[float], bool]) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.wait = wait


class StatementFailed(SqlfuncsError):
    """One of several statements failed; says which, and what ran before it.

    `missing_name`: because of a table or column that does not exist.
    """

    def __init__(self, message: str, *, missing_name: bool = False) -> None:
        super().__init__(message)
        self.missing_name = missing_name


class InternalError(SqlfuncsError):
    """A fault of ours, not of the caller's."""
