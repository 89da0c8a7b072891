"""A call of a function of a table, checked against the table's columns.

Arrow and texts only: the same on the driver and in a worker, whatever has brought the call there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from sqlfuncs.engines.duckdb import embedded, embedded_calls
from sqlfuncs.engines.duckdb.embedded_calls import Named
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.engines.spark.labels import any_kind_of
from sqlfuncs.engines.spark.signatures import Signature
from sqlfuncs.errors import BadInput, BadOption, ColumnClash
from sqlfuncs.functions.spec import AUTO


@dataclass(frozen=True)
class Call:
    """A function, and what it is called with: see `Signature`.

    `columns` are the names that were given for its columns, as the table writes them; `tables`
    the further tables, by the names of their parameters.
    """

    signature: Signature
    columns: Mapping[str, Named]
    options: Mapping[str, object] = field(default_factory=dict)
    arguments: Sequence[object] = ()
    tables: Mapping[str, pa.Table] = field(default_factory=dict)

    @property
    def read(self) -> list[str]:
        """The columns of the table that are read, each once."""
        named: list[str] = []
        for given in self.columns.values():
            named += [given] if isinstance(given, str) else list(given or [])
        return list(dict.fromkeys(named))

    def refuse_mistakes(self, columns: Sequence[str], schema: pa.Schema) -> pa.Schema:
        """What the result's own columns are, on a table that has these columns.

        `schema` is that of the columns that DuckDB gets. Raises what is wrong with the call,
        whatever the rows are, and ColumnClash.
        """
        added = self.added(schema)
        clash = {each.casefold() for each in added}
        taken = [DIALECT.identifier(name) for name in columns if name.casefold() in clash]
        if taken:
            listed = ", ".join(taken)
            raise ColumnClash(
                f"the table already has the column {listed}, which {self.signature.name} adds. "
                f"Leave it out or rename it first: SELECT * EXCEPT ({listed}) FROM ..."
            )
        # Of a table without rows no decision can be: the log is read with the table's rows.
        views = {
            name: table.schema.empty_table() if name == embedded_calls.view("log") else table
            for name, table in self._views().items()
        }
        tables = {embedded_calls.TABLE: schema.empty_table(), **views}
        embedded.refuse_call(self._query(added), tables, DIALECT)
        return embedded.schema(self._query(added), tables, DIALECT)

    def added(self, schema: pa.Schema) -> tuple[str, ...]:
        """The columns that come after those of a table, by the types of the columns it has."""
        own = self.signature
        if not own.adds or not own.only:
            return own.adds
        label, x = (self.type_of(name, schema) for name in ("label", "x"))
        kind = any_kind_of(label, x) or ""
        task = str(self.options.get("task") or AUTO)
        return tuple(n for n in own.adds if n not in own.only or own.only[n].is_of(kind, task))

    def type_of(self, name: str, schema: pa.Schema) -> pa.DataType:
        """The type of what was given for a column of the function's; null where several were."""
        given = self.columns.get(name)
        return schema.field(given).type if isinstance(given, str) else pa.null()

    def rows(self, table: pa.Table) -> pa.Table:
        """The function's rows; of one that adds columns, those alone, in the order of the table."""
        added = self.added(table.schema)
        if added:
            numbers = pa.array(range(len(table)), pa.int64())
            table = table.append_column(embedded_calls.NUMBER, numbers)
        tables = {embedded_calls.TABLE: table, **self._views()}
        return embedded.rows(self._query(added, in_order=bool(added)), tables, DIALECT)

    def _views(self) -> dict[str, pa.Table]:
        return {embedded_calls.view(name): table for name, table in self.tables.items()}

    def _query(self, added: Sequence[str], *, in_order: bool = False) -> str:
        own = self.signature
        optional = {name: self.columns.get(name) for name in own.optional_columns}
        return embedded_calls.query(
            own.name,
            arguments=self.arguments,
            tables=own.tables,
            columns=[self.columns[name] for name in own.columns],
            named_columns={name: given for name, given in optional.items() if given is not None},
            named_tables=[name for name in own.optional_tables if name in self.tables],
            options=self.options,
            selected=added,
            in_order=in_order,
        )


def checked_names(own: Signature, given: Mapping[str, object]) -> None:
    """Raise BadOption for an option that a function does not have."""
    known = (*own.optional_columns, *own.optional_tables, *own.options)
    for name in given:
        if name not in known:
            listed = ", ".join(known) or "none"
            raise BadOption(f"{own.name} has no option {name}. It has: {listed}.")


def column(given: str, columns: Sequence[str]) -> str:
    """A column by its name, as the table writes it. Spark does not tell cases apart.

    >>> column("Text", ["id", "text"])
    'text'

    Raises BadInput for one that is not there, and for one of several that are called so.
    """
    if not isinstance(given, str):
        raise BadInput(f"{given!r} is no column: a column is named by a text, such as 'text'.")
    alike = [name for name in columns if name.casefold() == given.casefold()]
    if not alike:
        raise BadInput(f"the table has no column {given!r}. It has {', '.join(columns) or 'none'}.")
    if len(alike) > 1 and given not in alike:
        raise BadInput(f"the table has several columns {given!r}: {', '.join(alike)}.")
    if columns.count(given) > 1:
        raise BadInput(f"the table has the column {given!r} more than once.")
    return given if given in alike else alike[0]


def refuse_ambiguous(read: Sequence[str], there: Sequence[str]) -> None:
    """Raise BadInput for a column that another differs from in its case alone.

    A DataFrame's columns are asked for by name, and to Spark these have the same.
    """
    for each in read:
        alike = [name for name in there if name.casefold() == each.casefold()]
        if len(alike) > 1:
            raise BadInput(
                f"the table has the columns {' and '.join(alike)}, which Spark does not tell "
                "apart. Rename or drop one of them first."
            )


def columns(own: Signature, given: Mapping[str, object], there: Sequence[str]) -> dict[str, Named]:
    """What was given for a function's columns, as the table writes them. Raises BadInput."""
    found: dict[str, Named] = {}
    for name in (*own.columns, *own.optional_columns):
        value = given.get(name)
        if value is None:
            if name in own.columns and name != "x":
                raise BadInput(f"{own.name} needs {name}: the name of a column of the table.")
            found[name] = None
        elif isinstance(value, list | tuple):
            found[name] = [column(each, there) for each in value]
        else:
            found[name] = column(value, there)  # type: ignore[arg-type]
    return found


def all_read(call: Call, there: Sequence[str]) -> list[str]:
    """The columns that a call reads, each once: those named in it, and those always read."""
    further = call.signature.reads
    if further is None:
        return list(there)
    return list(dict.fromkeys([*call.read, *(column(each, there) for each in further)]))
