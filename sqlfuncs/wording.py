"""What messages say in SQL, as parts that the engine puts into words in whose call they are made.

A part stands in a text as any value does:

>>> print(f"{Option('cut', 'prune')} is not known; {Call('models', is_table=True)} lists them")
cut := 'prune' is not known; FROM models() lists them

An engine says whose words they are with `speaking`, around each call. Whoever calls from Python
reads the default, DuckDB's. Imports nothing of ours.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from sqlfuncs.engines.base import Dialect

_spoken: ContextVar[Dialect | None] = ContextVar("dialect", default=None)
_default: Callable[[], Dialect] | None = None


@contextmanager
def speaking(dialect: Dialect) -> Iterator[None]:
    """Parts are put into the words of this dialect meanwhile, in this context."""
    before = _spoken.set(dialect)
    try:
        yield
    finally:
        _spoken.reset(before)


def by_default(dialect: Callable[[], Dialect]) -> None:
    """Say where the dialect comes from where no engine has called."""
    global _default
    _default = dialect


def spoken() -> Dialect:
    """The dialect that parts are put into here and now."""
    dialect = _spoken.get()
    if dialect is None:
        assert _default is not None, "sqlfuncs/__init__.py names a default"
        dialect = _default()
    return dialect


def some(texts: Sequence[str], most: int = 3, between: str = ", ") -> str:
    """The first of some texts, and how many there are beside them.

    >>> some(["a", "b"]), some([f"'{letter}'" for letter in "abcde"])
    ('a, b', "'a', 'b', 'c' and 2 more")
    """
    more = f" and {len(texts) - most:,} more" if len(texts) > most else ""
    return between.join(texts[:most]) + more


class Part(ABC):
    """Part of a message. As text it is what the dialect of the moment makes of it."""

    @abstractmethod
    def worded(self, dialect: Dialect) -> str:
        """The text in a dialect."""

    def __str__(self) -> str:
        return self.worded(spoken())


class Words(Part):
    """Texts and parts one after the other: a message to be worded later.

    Also what stands as it is where a value would become a literal: a name, or a value that a user
    gave, of which there need not be one.
    """

    def __init__(self, *pieces: object) -> None:
        self._pieces = pieces

    def worded(self, dialect: Dialect) -> str:
        """See `Part`."""
        return "".join(_worded(piece, dialect) for piece in self._pieces)


@dataclass(frozen=True)
class Given(Part):
    """A text that a user gave, in quotes and as it is, even one that is no literal."""

    text: str

    def worded(self, dialect: Dialect) -> str:
        """See `Part`."""
        return f"'{self.text}'"


@dataclass(frozen=True)
class Literal(Part):
    """None, a truth, a number, a text, an ellipsis, or a list or mapping of these.

    What has no literal stands as Python writes it: a message is not to fail by what it repeats.
    """

    value: object

    def worded(self, dialect: Dialect) -> str:
        """See `Part`."""
        try:
            return dialect.literal(self.value)
        except (TypeError, ValueError):
            return repr(self.value)


@dataclass(frozen=True)
class TypeName(Part):
    """An Arrow type; or a class of them, as `pa.MapType`, for maps of whatever."""

    of: pa.DataType | type[pa.DataType]

    def worded(self, dialect: Dialect) -> str:
        """See `Part`."""
        return dialect.type_name(self.of)


@dataclass(frozen=True)
class Option(Part):
    """An option of a call, as it is given there. Its value is a part, or becomes a literal."""

    name: str
    value: object

    def worded(self, dialect: Dialect) -> str:
        """See `Part`."""
        return dialect.option(self.name, _value(self.value, dialect))


class Call(Part):
    """A call of a function, of one that is asked for its rows if `is_table`.

    Arguments are parts, or texts that stand as they are: the names of tables and columns.
    """

    def __init__(self, function: str, *arguments: object, is_table: bool = False) -> None:
        self._function, self._arguments, self._is_table = function, arguments, is_table

    def worded(self, dialect: Dialect) -> str:
        """See `Part`."""
        arguments = [_worded(each, dialect) for each in self._arguments]
        return dialect.call(self._function, arguments, is_table=self._is_table)


@dataclass(frozen=True)
class Cast(Part):
    """An expression, a text, with its type changed."""

    expression: str
    to: pa.DataType

    def worded(self, dialect: Dialect) -> str:
        """See `Part`."""
        return dialect.cast(self.expression, self.to)


@dataclass(frozen=True)
class Variable(Part):
    """The statement that sets a variable of the session. Its value as an option's."""

    name: str
    value: object

    def worded(self, dialect: Dialect) -> str:
        """See `Part`."""
        return dialect.set_variable(self.name, _value(self.value, dialect))


@dataclass(frozen=True)
class Snippet(Part):
    """An expression or a statement that each engine writes as a whole, by its name."""

    name: str

    def worded(self, dialect: Dialect) -> str:
        """See `Part`."""
        return dialect.snippet(self.name)


def _worded(piece: object, dialect: Dialect) -> str:
    return piece.worded(dialect) if isinstance(piece, Part) else str(piece)


def _value(value: object, dialect: Dialect) -> str:
    return value.worded(dialect) if isinstance(value, Part) else Literal(value).worded(dialect)
