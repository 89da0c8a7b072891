"""Spark SQL in which functions of a table are called as in DuckDB: `sqlfuncs.spark.sql`."""

from __future__ import annotations

import secrets
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlfuncs import plugins, wording
from sqlfuncs.engines.spark import functions, internal, lexis, running, sql_functions, written
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.engines.spark.scalars import JUDGE
from sqlfuncs.engines.spark.signatures import Signature, signature, signatures
from sqlfuncs.engines.spark.views import View, view_of
from sqlfuncs.engines.spark.written import Argument, WrittenCall
from sqlfuncs.errors import BadInput, BadOption, SqlfuncsError
from sqlfuncs.functions.spec import ScalarFunction
from sqlfuncs.queries.pieces import Kind
from sqlfuncs.wording import Option, Words

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_TRUTHS = {"TRUE": True, "FALSE": False, "NULL": None}


def sql(session: Any, text: str) -> DataFrame:
    """The rows of a statement, lazily; one that writes has run.

    `FROM label_issues(my_table, text, label, cut => 'auto')` stands wherever a table may: the
    table is named, or is a common table of the statement, columns are named bare. Each such call
    is made by the function of DataFrames of that name, and Spark runs the rest.

    Raises BadInput for several statements and for what is unclear, and what the functions raise.
    """
    if not (isinstance(text, str) and hasattr(session, "sql")):
        raise BadInput(
            "sql takes a session of Spark's and a text: sqlfuncs.spark.sql(spark, '...')."
        )
    with wording.speaking(DIALECT), running.in_our_words():
        found = written.statements(text)
        if len(found) != 1:
            raise BadInput(f"sql takes one statement, and this text has {len(found)}.")
        return Statement(session, found[0]).frame()


class Statement:
    """A statement, and the calls of it that were made."""

    def __init__(self, session: Any, text: str) -> None:
        """Nothing is made yet."""
        self._session = session
        self._text = written.plain_calls(text, _scalars())
        self._made: dict[str, DataFrame] = {}

    def frame(self) -> DataFrame:
        """What Spark makes of it, once its calls are made. What writes has run then."""
        known = {*signatures(), *internal.NAMES}
        if written.first_call(self._text, known) is not None:
            view = view_of(self._text)
            if view is not None:
                return self._viewed(view)
        while (call := written.first_call(self._text, known)) is not None:
            name = f"sqlfuncs_{secrets.token_hex(6)}"
            self._made[name] = self._called(call)
            self._text = f"{self._text[: call.at]}{name}{self._text[call.end :]}"
        try:
            return running.run(self._session, lambda: self._run(self._text))
        except BadInput as error:
            raise written.with_likely_name(error, self._text, known) from None

    def _viewed(self, view: View) -> DataFrame:
        """A temporary view of a query with calls of ours. Raises BadInput for one that is kept."""
        if not view.is_temporary:
            raise BadInput(
                f"{view.name} would be a view in other sessions, too, which do not know our "
                f"functions. Make a table: CREATE TABLE {view.name} AS ..."
            )
        frame = Statement(self._session, view.query).frame()
        name = DIALECT.identifier(view.name)
        with running.in_our_words():
            if view.replaces:
                frame.createOrReplaceTempView(name)
            else:
                frame.createTempView(name)
            return self._session.createDataFrame([], "viewed string").drop("viewed")

    def _run(self, text: str) -> DataFrame:
        """Spark puts our tables in: they are views on classic, part of the plan on Connect."""
        if not self._made:
            return self._session.sql(text)
        formatted = text.replace("{", "{{").replace("}", "}}")
        there = {name: made for name, made in self._made.items() if name in text}
        for name in there:
            formatted = formatted.replace(name, "{" + name + "}")
        return self._session.sql(formatted, **there)

    def _called(self, call: WrittenCall) -> DataFrame:
        if call.name in internal.NAMES:
            return self._called_within(call)
        own = signature(call.name)
        given, named = _apart(own, call)
        plain, rest = given[: len(own.arguments)], given[len(own.arguments) :]
        tables, columns = rest[: 1 + len(own.tables)], rest[1 + len(own.tables) :]
        options: dict[str, Any] = {}
        for name, argument in named.items():
            if name in own.optional_columns:
                options[name] = _column(name, argument)
            elif name in own.optional_tables:
                options[name] = None if _is_null(argument) else self._table(argument, call)
            else:
                options[name] = self._value(name, argument)
        return functions.function(own.name)(
            *(self._value(name, each) for name, each in zip(own.arguments, plain, strict=True)),
            *(self._table(each, call) for each in tables),
            *(_column(name, each) for name, each in zip(own.columns, columns, strict=True)),
            **options,
        )

    def _called_within(self, call: WrittenCall) -> DataFrame:
        """A function of ours that query files call: tables, then columns."""
        tables = [self._table(each, call) for each in call.arguments[: internal.NAMES[call.name]]]
        columns = [_column("column", each) for each in call.arguments[len(tables) :]]
        return internal.made(call.name, tables, [str(each) for each in columns])

    def _table(self, argument: Argument, call: WrittenCall) -> DataFrame:
        path = argument.path
        if path is None:
            raise BadInput(
                f"{call.name} takes a table by its name, not {argument.text}: WITH t AS "
                f"({argument.text.strip('()')}) SELECT * FROM {call.name}(t, ...)."
            )
        common = dict[str, str]()
        for name, definition in call.common:
            if name.casefold() in common:
                raise BadInput(f"two common tables are called {name}: call one of them otherwise.")
            common[name.casefold()] = definition
        if len(path) == 1 and path[0].casefold() in common:
            return self._run(f"WITH {', '.join(common.values())} SELECT * FROM {argument.text}")
        return self._session.table(".".join(map(DIALECT.identifier, path)))

    def _value(self, name: str, argument: Argument) -> Any:
        """A value that is written in a call. Spark reads what is more than a plain literal."""
        first, text = argument.pieces[0], argument.text
        if len(argument.pieces) == 1:
            if text.upper() in _TRUTHS:
                return _TRUTHS[text.upper()]
            if text.isdecimal():
                return int(text)
            if text[0] == "'" and "\\" not in text and "${" not in text:
                return text[1:-1].replace("''", "'")
        if any(p.kind is Kind.WORD and p.text.upper() == "SELECT" for p in argument.pieces):
            raise BadOption(f"{Option(name, Words(text))} takes a value, and no query.")
        try:
            with running.in_our_words():
                frame = self._session.sql(f"SELECT {text} AS value")
                (value,) = running.collected(frame).to_pylist()
        except SqlfuncsError:
            if first.kind is Kind.WORD and not first.text[0].isdigit():
                raise BadOption(
                    f"{Option(name, Words(text))} takes a value that is written in the call; text "
                    f"stands in quotes: {Option(name, text)}."
                ) from None
            raise
        value = value["value"]
        return float(value) if isinstance(value, Decimal) else value


def _apart(own: Signature, call: WrittenCall) -> tuple[list[Argument], dict[str, Argument]]:
    """What was given by its place, and what by its name. Raises BadInput."""
    given: list[Argument] = []
    named: dict[str, Argument] = {}
    for argument in call.arguments:
        if argument.name is None:
            if named:
                raise BadInput(f"{own.name}: {argument.text} has no name; options come last.")
            given.append(argument)
        elif argument.name in named:
            raise BadInput(f"{own.name}: {argument.name} was given twice.")
        else:
            named[argument.name] = argument
    known = (*own.optional_columns, *own.optional_tables, *own.options)
    for name in named:
        if name not in known:
            listed = ", ".join(known) or "none"
            raise BadOption(f"{own.name} has no option {name}. It has: {listed}.")
    places = (*own.arguments, "my_table", *own.tables, *own.columns)
    if len(given) != len(places):
        raise BadInput(
            f"{own.name} takes {own.name}({', '.join(places)}), and then options by their names; "
            f"{len(given)} were given by their places."
        )
    return given, named


def _column(name: str, argument: Argument) -> str | list[str] | None:
    """A column by its name, several in brackets, or none."""
    if _is_null(argument):
        return None
    path = argument.path
    if path is not None and len(path) == 1:
        return path[0]
    inner = argument.pieces
    if inner[0].text == "[" or [p.text.casefold() for p in inner[:2]] == ["array", "("]:
        names = inner[1:-1] if inner[0].text == "[" else inner[2:-1]
        commas = {each.text for each in names[1::2]}
        if commas <= {","} and all(p.kind in (Kind.WORD, Kind.NAME) for p in names[::2]):
            return [lexis.unquoted(each) for each in names[::2]]
    if len(inner) == 1 and inner[0].text[0] in "'\"":
        bare = inner[0].text[1:-1]
        raise BadInput(
            f"{name} is a column of the table, and {argument.text} is a text to Spark. Write "
            f"{bare if bare.isidentifier() else DIALECT.identifier(bare or '_')}."
        )
    raise BadInput(
        f"{name} is a column of the table, named bare, not {argument.text}. What is computed is "
        f"made a column first: WITH t AS (SELECT *, {argument.text} AS {name}_ FROM ...) ..."
    )


def _is_null(argument: Argument) -> bool:
    return len(argument.pieces) == 1 and argument.text.upper() == "NULL"


@cache
def _scalars() -> frozenset[str]:
    """The functions of a row."""
    own = {f.name for f in plugins.functions() if isinstance(f, ScalarFunction)}
    return frozenset({*own, JUDGE, *(name for name, _ in sql_functions.texts())})
