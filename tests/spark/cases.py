"""The cases of tests/sql on Spark: what is written in DuckDB's SQL around a call runs in DuckDB.

A call of a function of a table is made on Spark, on the table as a DataFrame, and what it gives
takes its place in the statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import duckdb
import pyarrow as pa

import sqlfuncs.spark
from sqlfuncs.engines.spark import frames
from sqlfuncs.engines.spark.signatures import Signature, signatures
from sqlfuncs.queries.pieces import Kind, pieces
from tests.spark import sessions

_MADE = "made_by_spark_"
_OF_ROWS = ("label_quality", "suggest_label", "label_set", "judge_labels")


class SparkSession:
    """See `tests.sql.engines.Session`."""

    error: tuple[type[Exception], ...] = (sqlfuncs.SqlfuncsError, duckdb.Error)

    def __init__(self, spark: Any, con: duckdb.DuckDBPyConnection) -> None:
        self._spark, self._con, self._made = spark, con, 0

    def statements(self, sql: str) -> list[str]:
        return [statement.query for statement in self._con.extract_statements(sql)]

    def run(self, statement: str) -> None:
        self._con.execute(self._on_spark(statement))

    def worded(self, message: str) -> str:
        """Options are given by `=>`, and names stand in backticks."""
        return re.sub(r'"(\w+)"', r"`\1`", message.replace(" := ", " => "))

    def rows(self, statement: str) -> tuple[str, ...]:
        statement = self._on_spark(statement)
        at_home = [name for name in _OF_ROWS if re.search(rf"\b{name}\(", statement)]
        if at_home:
            raise sqlfuncs.SqlfuncsError(f"{at_home[0]} would be DuckDB's own")
        result = self._con.query(statement)
        if result is None:
            return ()
        shown = result.project("coalesce(CAST(COLUMNS(*) AS VARCHAR), 'NULL')").fetchall()
        return tuple(" | ".join(row).replace("\n", "\\n").strip() for row in shown)

    def _on_spark(self, statement: str) -> str:
        """A statement whose calls of functions of a table were made on Spark."""
        while (found := _last_call(statement)) is not None:
            at, end, own, arguments = found
            before = _common_tables(statement[:at])
            made = self._called(own, arguments, before)
            statement = f"{statement[:at]}{made}{statement[end:]}"
        return statement

    def _called(self, own: Signature, arguments: Sequence[str], before: str) -> str:
        positional = [each for each in arguments if not _OPTION.match(each)]
        options = {}
        for each in arguments:
            if found := _OPTION.match(each):
                options[found["name"].strip('"')] = found["value"]
        plain, rest = positional[: len(own.arguments)], positional[len(own.arguments) :]
        rest, made_of = _made_columns(rest)
        table = self._table(rest[0], before, made_of)
        others, columns = rest[1 : 1 + len(own.tables)], rest[1 + len(own.tables) :]
        df = self._frame(table)
        given = [
            *(self._value(each) for each in plain),
            df,
            *(self._frame(self._table(each, before)) for each in others),
            *(_column(each) for each in columns),
        ]
        named: dict[str, Any] = {}
        for name, value in options.items():
            if name in own.optional_columns:
                named[name] = _column(value)
            elif name in own.optional_tables:
                named[name] = self._frame(self._table(value, before))
            else:
                named[name] = self._value(value)
        made = getattr(sqlfuncs.spark, own.name)(*given, **named)
        from sqlfuncs.engines.spark import running

        self._made += 1
        name = f"{_MADE}{self._made}"
        self._con.register(name, running.collected(made))
        return name

    def _table(self, name: str, before: str, made_of: Sequence[str] = ()) -> pa.Table:
        more = "".join(f", {each} AS made_{at}" for at, each in enumerate(made_of))
        return self._con.sql(f"{before} SELECT *{more} FROM {name}").to_arrow_table()

    def _frame(self, table: pa.Table) -> Any:
        for at, field in enumerate(table.schema):
            if pa.types.is_dictionary(field.type):
                values = table.column(at).combine_chunks().cast(field.type.value_type)
                table = table.set_column(at, field.name, values)
        return frames.from_arrow(self._spark, table)

    def _value(self, sql: str) -> Any:
        (value,) = self._con.sql(f"SELECT {sql}").fetchall()[0]
        return value


_OPTION = re.compile(r'(?s)\s*(?P<name>"?\w+"?)\s*:=\s*(?P<value>.*\S)\s*$')


def _last_call(statement: str) -> tuple[int, int, Signature, list[str]] | None:
    """Where the last call of a function of a table begins and ends, and its arguments."""
    known = signatures()
    words = [p for p in pieces(statement) if p.kind is not Kind.COMMENT]
    for number in range(len(words) - 2, -1, -1):
        if words[number].text in known and words[number + 1].text == "(":
            depth, arguments, begun = 0, list[str](), words[number + 1].at + 1
            for piece in words[number + 1 :]:
                depth += piece.text in ("(", "[", "{")
                depth -= piece.text in (")", "]", "}")
                if (depth == 1 and piece.text == ",") or depth == 0:
                    arguments.append(statement[begun : piece.at].strip())
                    begun = piece.at + 1
                if depth == 0:
                    end = piece.at + 1
                    return words[number].at, end, known[words[number].text], arguments
    return None


def _common_tables(before: str) -> str:
    """The WITH clause that a statement begins with, which names tables of the call."""
    found = re.match(r"(?is)\s*WITH\b", before)
    if not found:
        return ""
    depth, end = 0, found.end()
    for piece in pieces(before):
        depth += piece.text == "("
        depth -= piece.text == ")"
        if depth == 0 and piece.text == ")":
            end = piece.at + 1
        if depth == 0 and piece.text.upper() in ("SELECT", "FROM"):
            break
    return before[:end]


def _made_columns(written: Sequence[str]) -> tuple[list[str], list[str]]:
    """Arguments in which columns stand for structs that are written in the call, and these."""
    structs = [each for each in written if each.startswith("{")]
    return [f"made_{structs.index(e)}" if e in structs else e for e in written], structs


def _column(written: str) -> Any:
    if written.upper() == "NULL":
        return None
    if written.startswith("["):
        return [_column(each.strip()) for each in written[1:-1].split(",")]
    return written[1:-1].replace('""', '"') if written.startswith('"') else written


@contextmanager
def opened() -> Iterator[SparkSession]:
    """The session of this process, beside a new DuckDB."""
    with sqlfuncs.connect() as con:
        yield SparkSession(sessions.session(Path(mkdtemp())), con)
