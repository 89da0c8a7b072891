"""A table under review in DuckDB, and its decision log. Writes to nothing but the log."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import duckdb
import pyarrow as pa

from sqlfuncs.engines.duckdb import catalog, list_text
from sqlfuncs.engines.duckdb.builtins import Qualifying
from sqlfuncs.engines.duckdb.labelled import task_of
from sqlfuncs.engines.duckdb.names import identifier, literal, qualified, split_qualified
from sqlfuncs.engines.duckdb.statements import plain_message
from sqlfuncs.engines.duckdb.watched import Watched
from sqlfuncs.errors import BadInput, CannotKeep
from sqlfuncs.learning.tasks import registry as tasks
from sqlfuncs.review.decisions import COLUMNS, MACHINE, Decision, check_log
from sqlfuncs.review.labels import registry
from sqlfuncs.review.source import Point

_MEMORY = "_sf_review"  # a database that every cursor sees, and that is gone with the process
_JUDGED = f"{_MEMORY}.main.judged"
_CONVERTED = {  # where the plain ALTER would not do, or would take the local time
    "TIMESTAMP WITH TIME ZONE": " USING decided_at AT TIME ZONE 'UTC'",
    "VARCHAR": " USING strptime(decided_at, '%m/%d/%Y %H:%M') (or USING decided_at::TIMESTAMP, "
    "for text such as 2026-09-28 10:00)",
}
_MODEL = "label_quality, is_label_issue, class_probs"


class ReviewedTable:
    """A table whose labels are reviewed. Raises BadInput for keys and logs that do not fit."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        *,
        table: str,
        text: str,
        label: str,
        key: str,
        x: str | None = None,
        log: str = "decisions",
        model: str = "fast",
        task: str = tasks.AUTO,
    ) -> None:
        """`text` is shown, `x` what the model reads (else `text`): columns, as they are spelt."""
        self.title = table
        self._con, self.model = Qualifying(con), model
        self._table, self._log = (qualified(split_qualified(name)) for name in (table, log))
        types = catalog.columns(con, table)
        x = x or text
        self._label, self._key, self._x = map(identifier, (label, key, x))
        self._has_content = types[x] != "BLOB" and not types[x].startswith("MAP")
        self._writing = threading.Lock()
        catalog.check_keys(con, table, key)
        self._called, self._task = label, literal(task)
        self.labels = registry.of(task_of(con, table, label, x, task))
        self._told = ", ".join([_MODEL, *self.labels.columns])
        shown = x if self.labels.of_parts and self._has_content else text
        self._text, self.shows_images = identifier(shown), types[shown] == "BLOB"
        self._others = [identifier(name) for name in types if name not in (shown, label, key, x)]
        # Rows whose parts have labels are compared as the texts that these are of.
        self._whole = f"array_to_string({self._x}, ' ')" if self.labels.of_parts else self._x
        if not con.execute(f"FROM {self._table} LIMIT 1").fetchall():
            raise BadInput(f"{table} has no rows: there is nothing to review.")
        self._make_log(log)
        # READ_WRITE, because an instance opened read-only refuses a plain in-memory database.
        con.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {_MEMORY} (READ_WRITE)")
        self._file = Watched(con, catalog.database_of(con, log))

    def _make_log(self, log: str) -> None:
        try:
            self._con.execute(f"""
                CREATE TABLE IF NOT EXISTS {self._log} (
                    key VARCHAR, action VARCHAR, old_label VARCHAR, new_label VARCHAR,
                    decided_by VARCHAR, reason VARCHAR, decided_at TIMESTAMP
                )
            """)
        except duckdb.Error as error:
            raise BadInput(f"the log {log} cannot be made: {plain_message(error)}") from None
        found = catalog.columns(self._con.plain, log)
        check_log(log, found)
        columns = {name.lower(): kind for name, kind in found.items()}
        if columns["decided_at"] != "TIMESTAMP":
            raise BadInput(
                f"decided_at of {log} is {columns['decided_at']}, and has to be TIMESTAMP, to "
                f"tell steps apart: ALTER TABLE {log} ALTER decided_at TYPE TIMESTAMP"
                f"{_CONVERTED.get(columns['decided_at'], '')}."
            )
        try:  # what does not fit the table is said now, and not after an hour of reviewing
            self._con.execute(
                f"WITH input AS (FROM {self._table}), log AS (FROM {self._log}) SELECT count(*) "
                f"FROM sqlfuncs.main._sf_decisions(input, log, {self._key}, {self._label}, NULL)"
            )
        except duckdb.Error as error:
            raise BadInput(f"the log {log}: {plain_message(error)}") from None

    def rows(self) -> pa.Table:
        """See `Source`."""
        text = "NULL::VARCHAR" if self.shows_images else self._text
        return self._fetched(f"""
            SELECT {self._key}::VARCHAR AS key, {self._label}::VARCHAR AS label, {text} AS text
            FROM {self._table}
        """)

    def judged(self) -> pa.Table:
        """See `Source`."""
        try:
            self._con.cursor().execute(f"""
                CREATE OR REPLACE TABLE {_JUDGED} AS
                WITH input AS (FROM {self._table})
                SELECT {self._key}::VARCHAR AS key, {self._label} AS label, {self._told},
                    suggested_label, suggested_confidence, not_judged
                FROM sqlfuncs.main.label_issues(
                    input, {self._x}, {self._label}, model := {literal(self.model)},
                    task := {self._task}
                )
            """)
        except duckdb.Error as error:
            raise BadInput(plain_message(error)) from None
        return self._fetched(
            f"SELECT * EXCLUDE (label) REPLACE (suggested_label::VARCHAR AS suggested_label) "
            f"FROM {_JUDGED}"
        )

    def learned(self) -> pa.Table:
        """See `Source`."""
        return self._fetched(f"""
            WITH input AS (FROM {self._table}), log AS ({self._by_people()})
            SELECT {self._key}::VARCHAR AS key, review_rank, {self._told},
                suggested_label::VARCHAR AS suggested_label
            FROM sqlfuncs.main.review_queue(
                input, {self._x}, {self._label}, {self._key}, log := log,
                budget := (SELECT count(*) FROM {self._table}), model := {literal(self.model)},
                task := {self._task}
            )
        """)

    def content(self) -> pa.Table | None:
        """See `Source`."""
        if not self._has_content:
            return None
        return self._fetched(
            f"SELECT {self._key}::VARCHAR AS key, {self._whole} AS x FROM {self._table}"
        )

    def alike(self) -> pa.Table:
        """See `Source`."""
        return self._fetched(f"""
            WITH input AS (
                SELECT {self._key}::VARCHAR AS key, {self._whole} AS x FROM {self._table}
            ), found AS (
                SELECT * EXCLUDE (not_judged) FROM sqlfuncs.main.near_duplicates(input, x)
            )
            SELECT key, outlier_score, is_outlier, near_duplicate_group
            FROM sqlfuncs.main.outliers(found, x)
        """)

    def in_words(self, label: str) -> str:
        """See `Source`."""
        rows = self._con.cursor().execute(
            "SELECT sqlfuncs.main._sf_unrounded("
            "given, 'text', label, sqlfuncs.main._sf_decided_kind(typeof(label))), "
            "sqlfuncs.main._sf_cast(given, label), typeof(label) "
            f"FROM (SELECT {self._label} AS label, "
            f"sqlfuncs.main._sf_label_text($1, {self._label}) AS given FROM {self._table} LIMIT 1)",
            [label],
        )
        ((words, cast, type_),) = rows.fetchall()
        if cast is None:
            raise BadInput(f"{label} is no value of {self._called}, which is {type_}.")
        if words is None:
            raise BadInput(
                f"{label} would be rounded to {cast}: {self._called} is {type_}. Type a value that "
                "it can hold."
            )
        return str(words)

    def parts(self, label: str) -> list[str] | None:
        """See `Source`."""
        return list_text.parts(label)

    def log(self) -> list[Decision]:
        """See `Source`."""
        rows = self._con.cursor().execute(
            f"WITH input AS (FROM {self._table}), log AS (FROM {self._log}) "
            f"SELECT {', '.join(f'{name}::VARCHAR' for name in COLUMNS)} "
            f"FROM sqlfuncs.main._sf_log_of(input, log, {self._key}, {self._label}) "
            "ORDER BY decided_at, key"
        )
        return [Decision(*row) for row in rows.fetchall()]

    def append(self, decisions: Sequence[Decision]) -> list[Decision]:
        """See `Source`. Raises CannotKeep."""
        values = [
            [getattr(each, name) for each in decisions] for name in COLUMNS if name != "decided_at"
        ]
        with self._writing:
            con = self._con.cursor()
            try:
                self._file.check()
                ((moment,),) = con.execute(
                    f"WITH log AS (FROM {self._log}) "
                    "SELECT decided_at::VARCHAR FROM sqlfuncs.main._sf_now(log)"
                ).fetchall()
                con.execute(
                    f"INSERT INTO {self._log} BY NAME SELECT unnest($1) AS key, unnest($2) AS "
                    "action, unnest($3) AS old_label, unnest($4) AS new_label, unnest($5) AS "
                    "decided_by, unnest($6) AS reason, $7::TIMESTAMP AS decided_at",
                    [*values, moment],
                )
                self._file.settled()
            except duckdb.Error as error:
                raise CannotKeep(f"nothing was decided: {plain_message(error)}") from None
            except CannotKeep as error:
                raise CannotKeep(f"nothing was decided: {error}") from None
        return [replace(each, decided_at=moment) for each in decisions]

    def settle(self) -> None:
        """Put what is in DuckDB's journal into the file, where copies of it find it.

        Raises CannotKeep if the file is gone.
        """
        # Where something still runs it stays in the journal, which the next program reads.
        with suppress(duckdb.Error):
            self._file.checkpoint()

    def proposed(self) -> list[Decision]:
        """See `Source`."""
        columns = ", ".join(f"{name}::VARCHAR AS {name}" for name in COLUMNS[:-1])
        con = self._con.cursor()
        try:
            con.execute(f"""
                WITH log AS (FROM {self._log})
                SELECT {columns}
                FROM sqlfuncs.main.auto_corrections(
                    {_JUDGED}, key, label, log := log, task := {self._task}
                )
            """)
            return [Decision(*row) for row in con.fetchall()]
        except duckdb.Error as error:
            raise BadInput(plain_message(error)) from None

    def curve(self, sample: Sequence[str]) -> list[Point]:
        """See `Source`."""
        con = self._con.cursor()
        try:
            con.execute(f"""
                WITH log AS ({self._by_people()}), drawn AS (SELECT unnest($1) AS key)
                SELECT reviewed, errors_left, errors_left_low, errors_left_high
                FROM sqlfuncs.main.review_curve({_JUDGED}, log, key, label, sample := drawn)
            """, [list(sample)])  # fmt: skip
            return [Point(*row) for row in con.fetchall()]
        except duckdb.Error as error:
            raise BadInput(plain_message(error)) from None

    def details(self, key: str) -> Mapping[str, str | None]:
        """See `Source`."""
        if not self._others:
            return {}
        con = self._con.cursor()
        columns = ", ".join(f"{name}::VARCHAR AS {name}" for name in self._others)
        con.execute(f"SELECT {columns} FROM {self._table} WHERE {self._key}::VARCHAR = $1", [key])
        names = [column[0] for column in con.description or []]
        row = con.fetchone()
        return dict(zip(names, row, strict=True)) if row else {}

    def image(self, key: str) -> bytes | None:
        """See `Source`."""
        if not self.shows_images:
            return None
        con = self._con.cursor()
        con.execute(
            f"SELECT {self._text} FROM {self._table} WHERE {self._key}::VARCHAR = $1", [key]
        )
        row = con.fetchone()
        return row[0] if row else None

    def _by_people(self) -> str:
        return f"FROM {self._log} WHERE decided_by IS DISTINCT FROM {literal(MACHINE)}"

    def _fetched(self, query: str) -> pa.Table:
        try:
            return self._con.cursor().sql(query).to_arrow_table()
        except duckdb.Error as error:
            raise BadInput(plain_message(error)) from None
