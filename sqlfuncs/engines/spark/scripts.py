"""Running texts of statements on Spark: query files, which are written for DuckDB's SQL too.

What Spark has not is done here: CREATE OR REPLACE TABLE of a format that cannot be replaced,
tables that last as long as the text runs (CREATE TEMP TABLE), and PIVOT over whatever values there
are. Everything else is `statements.sql`.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sqlfuncs import wording
from sqlfuncs.engines.duckdb import embedded
from sqlfuncs.engines.interrupting import Deadline, interruptibly
from sqlfuncs.engines.results import Result, Rows, short_floats, which
from sqlfuncs.engines.spark import frames, lexis, running, written
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.engines.spark.statements import Statement
from sqlfuncs.errors import BadInput, Cancelled, SqlfuncsError, StatementFailed
from sqlfuncs.queries.pieces import Kind, Piece

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_MISSING_NAME = re.compile(r"cannot be (?:found|resolved)")
_CANNOT_REPLACE = "does not support REPLACE TABLE AS SELECT"
_CHANGES = ("INSERT", "UPDATE", "DELETE", "MERGE")
Done = tuple[list[str], int | None, Rows]  # columns, how many rows were written, rows


def run(session: Any, sql: str, timeout: float | None = None) -> Iterator[Result[Rows]]:
    """Run a text of statements and yield each one's rows as it ends.

    Raises BadInput for what is unclear, before anything has run; StatementFailed; Cancelled;
    TimedOut if all of them together take longer than `timeout` seconds.
    """
    ends = None if timeout is None else Deadline(timeout)
    texts = written.statements(sql)
    script = Script(session)
    try:
        for number, text in enumerate(texts, 1):
            begun = time.perf_counter()
            try:
                interrupt = partial(_interrupt, session)
                columns, changed, rows = interruptibly(interrupt, partial(script.run, text), ends)
            except Cancelled:
                raise
            except SqlfuncsError as error:
                message = which(number, len(texts), str(error))
                missing = _MISSING_NAME.search(message) is not None
                raise StatementFailed(message, missing_name=missing) from None
            seconds = time.perf_counter() - begun
            yield Result(number, len(texts), seconds, rows, columns, changed)
    finally:
        script.close()


def _interrupt(session: Any) -> None:
    """Tell Spark to end what it does. Whoever waits for us does not wait for its answer."""

    def interrupt() -> None:
        with suppress(Exception):
            session.interruptAll()

    threading.Thread(target=interrupt, daemon=True, name="sqlfuncs-interrupt").start()


class Script:
    """Statements that run one after the other, and the tables that last as long."""

    def __init__(self, session: Any) -> None:
        """There are none yet."""
        self._session = session
        self._temporary: set[str] = set()

    def run(self, text: str) -> Done:
        """One statement."""
        with wording.speaking(DIALECT), running.in_our_words():
            words = written.words_of(text)
            for act in (self._replaced, self._kept, self._dropped, self._pivoted):
                done = act(text, words)
                if done is not None:
                    return done
            frame = Statement(self._session, text).frame()
            return _done(frame, is_change=words[0].text.upper() in _CHANGES)

    def close(self) -> None:
        """Drop the tables that last as long as the text runs."""
        for name in self._temporary:
            with suppress(Exception):
                self._session.catalog.dropTempView(name)
        self._temporary.clear()

    def _replaced(self, text: str, words: list[Piece]) -> Done | None:
        """CREATE OR REPLACE TABLE name AS query."""
        found = _after(words, "CREATE OR REPLACE TABLE")
        if found is None:
            return None
        name, query = _name_and_query(text, words[found:])
        if not self._tried(f"CREATE OR REPLACE TABLE {_quoted(name)} AS {query}"):
            self._replace_by_name(name, query)
        return [], self._count(name), []

    def _tried(self, text: str) -> bool:
        """Whether the catalog can replace a table; then it is done."""
        try:
            Statement(self._session, text).frame()
        except BadInput as error:
            if _CANNOT_REPLACE not in str(error):
                raise
            return False
        return True

    def _replace_by_name(self, name: list[str], query: str) -> None:
        """Under another name first: the query may read the table, and may fail."""
        other = [*name[:-1], f"{name[-1]}_sqlfuncs_{secrets.token_hex(4)}"]
        made, table = _quoted(other), _quoted(name)
        try:
            Statement(self._session, f"CREATE TABLE {made} AS {query}").frame()
            self._session.sql(f"DROP TABLE IF EXISTS {table}")
            # A catalog that cannot replace takes no name of its own here.
            self._session.sql(f"ALTER TABLE {made} RENAME TO {_quoted(name[-2:])}")
        except BaseException:
            with suppress(Exception):
                self._session.sql(f"DROP TABLE IF EXISTS {made}")
            raise

    def _count(self, name: list[str]) -> int:
        return int(running.run(self._session, self._session.table(_quoted(name)).count))

    def _kept(self, text: str, words: list[Piece]) -> Done | None:
        """CREATE TEMP TABLE name AS query: its rows come here, and stay as they are."""
        found = _after(words, "CREATE OR REPLACE TEMP TABLE") or _after(words, "CREATE TEMP TABLE")
        if found is None:
            return None
        name, query = _name_and_query(text, words[found:])
        frame = Statement(self._session, query).frame()
        table = running.collected(frame.limit(frames.MOST_ROWS + 1))
        if table.num_rows > frames.MOST_ROWS:
            raise BadInput(
                f"{name[-1]} would have more than {frames.MOST_ROWS:,} rows, which is more than "
                "travels to the driver. Decide on fewer rows at once."
            )
        made = self._session.createDataFrame(table, frame.schema)
        made.createOrReplaceTempView(DIALECT.identifier(name[-1]))
        self._temporary.add(name[-1])
        return [], table.num_rows, []

    def _dropped(self, text: str, words: list[Piece]) -> Done | None:
        """DROP TABLE of a table that was to last as long."""
        found = _after(words, "DROP TABLE")
        if found is None or len(words) != found + 1:
            return None
        name = lexis.unquoted(words[found])
        if name not in self._temporary:
            return None
        self._session.catalog.dropTempView(name)
        self._temporary.discard(name)
        return [], None, []

    def _pivoted(self, text: str, words: list[Piece]) -> Done | None:
        """PIVOT (query) ON ..., of few rows, as DuckDB does it: its columns are values."""
        outer = [n for n, depth in enumerate(written.depths(words)) if depth == 0]
        begins = next((n for n in outer if words[n].text.upper() == "PIVOT"), None)
        closed = next((n for n in outer if begins is not None and n > begins), len(words))
        if begins is None or closed == len(words) or words[closed].text.upper() != "ON":
            return None
        query = text[words[begins + 1].at + 1 : words[closed - 1].at]
        frame = Statement(self._session, f"{text[: words[begins].at]} {query}").frame()
        clauses = [
            (lexis.unquoted(p), True) if p.kind is Kind.NAME else (p.text, False)
            for p in lexis.pieces(text[words[closed].at :])
        ]
        table = embedded.pivoted(running.collected(frame), clauses, DIALECT)
        whole = pa.decimal128(38, 0)  # what DuckDB's HUGEINT, a sum of counts, is in Arrow
        types = [pa.int64() if of == whole else of for of in table.schema.types]
        return _shown(table.cast(pa.schema(zip(table.column_names, types, strict=True))))


def _after(words: list[Piece], begins: str) -> int | None:
    """How many words a statement begins with, if it does with these."""
    wanted = begins.split()
    given = [word.text.upper() for word in words[: len(wanted)]]
    return len(wanted) if given == wanted else None


def _name_and_query(text: str, words: list[Piece]) -> tuple[list[str], str]:
    """The name of a table, and the query that follows its AS."""
    name = [lexis.unquoted(words[0])]
    rest = words[1:]
    while len(rest) > 1 and rest[0].text == ".":
        name.append(lexis.unquoted(rest[1]))
        rest = rest[2:]
    if len(rest) < 2 or rest[0].kind is not Kind.WORD or rest[0].text.upper() != "AS":
        raise BadInput(f"CREATE TABLE {'.'.join(name)} needs AS and a query.")
    return name, text[rest[1].at :]


def _quoted(name: list[str]) -> str:
    return ".".join(map(DIALECT.identifier, name))


def _done(frame: DataFrame, *, is_change: bool) -> Done:
    columns = list(frame.columns)
    if not columns:
        return [], None, []
    table = running.collected(frame)
    if is_change:
        counted = table.num_columns and pa.types.is_integer(table.schema.types[0])
        return [], int(table.column(0)[0].as_py()) if counted and table.num_rows else None, []
    return _shown(table)


def _shown(table: pa.Table) -> Done:
    values = [_values(column) for column in table.columns]
    return table.column_names, None, list(zip(*values, strict=True))


def _values(column: pa.ChunkedArray) -> list[Any]:
    values: list[Any] = column.to_pylist(maps_as_pydicts="lossy")
    has_floats = "float" in str(column.type).replace("double", "")
    return [short_floats(value) for value in values] if has_floats else values
