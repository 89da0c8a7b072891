"""What an SQL engine is to the rest of the house. Types only: no engine is known here.

An engine is a folder of its own beside this file, or a package of somebody else's, which names an
`Engine` under the entry points `sqlfuncs.engines` (`sqlfuncs.plugins.engines`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa


class Kind(Enum):
    """What the values of a column are, as far as somebody outside an engine asks."""

    TEXT = "text"
    BYTES = "bytes"
    LIST = "list"
    OTHER = "other"


@dataclass(frozen=True)
class ColumnType:
    """The type of a column: its kind, and the engine's own name for it, for messages."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return self.name


class Dialect(Protocol):
    """How an engine words things. Texts in, texts out; `sqlfuncs.wording` has the parts."""

    def identifier(self, name: str) -> str:
        """A name, so written that it is nothing but a name. Raises ValueError if it cannot be."""

    def literal(self, value: object) -> str:
        """None, a truth, a number, a text, an ellipsis, or a list or mapping of these.

        Raises TypeError or ValueError for what has no literal.
        """

    def type_name(self, of: pa.DataType | type[pa.DataType]) -> str:
        """The type that holds an Arrow type, or what all of a class (`pa.MapType`) are called."""

    def option(self, name: str, value: str) -> str:
        """An option of a call with its value, a literal."""

    def call(self, function: str, arguments: Sequence[str], *, is_table: bool) -> str:
        """A call; of a function that gives rows a statement that asks for them."""

    def cast(self, expression: str, to: pa.DataType) -> str:
        """An expression with its type changed."""

    def set_variable(self, name: str, value: str) -> str:
        """The statement that sets a variable of the session to a literal."""

    def snippet(self, name: str) -> str:
        """What is written as a whole. Raises LookupError for a name that is not known."""


class Engine(Protocol):
    """An engine in which the functions can be called.

    `con` is a connection of its own client. `connect` and `register` may raise BadInput and
    CannotRegister.
    """

    name: str
    dialect: Dialect

    def owns(self, con: object) -> bool:
        """Whether a connection is one of this engine's."""

    def connect(self, path: str | Path, *, read_only: bool) -> Any:
        """Open a database in which the functions are called by their bare names."""

    def register(self, con: Any) -> None:
        """Give a connection the functions; nothing happens the second time."""

    def columns(self, con: Any, table: str) -> Mapping[str, ColumnType]:
        """The columns of a table, in their order. Raises BadInput if there is no such table."""
