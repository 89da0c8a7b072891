"""The table of answers of hosted models: made where it is missing, read, and added to.

It is named as any table, `catalog.schema.answers`, or by a folder, `/data/answers` or `s3://...`.
Rows are only ever added to it.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sqlfuncs.engines.spark import running
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.engines.spark.types import type_name
from sqlfuncs.errors import BadInput, InternalError
from sqlfuncs.llm.answer_table import SCHEMA

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_COLUMNS = ", ".join(f"{DIALECT.identifier(e.name)} {type_name(e.type)}" for e in SCHEMA)
_TRIES = 6
_WAIT_SECONDS = (0.2, 2.0)  # between two of them, by chance
_FORGOTTEN = re.compile(r"location '(?P<folder>[^']+)' already exists")
_ABOUT = "Answers of language models, kept by sqlfuncs: rows are only added"


class AnswerTable:
    """A table of answers in a session."""

    def __init__(self, session: Any, name: str) -> None:
        """One that is there, or is to be made (`make`)."""
        self._session, self.name = session, name
        self._is_folder = "/" in name and "`" not in name

    def make(self) -> None:
        """Make it if it is missing, as the catalog's usual kind of table."""
        with running.in_our_words():
            if not self._is_there():
                self._make()
        self.refuse_others()

    @property
    def is_there(self) -> bool:
        """Whether it has been made. Raises BadInput for a name that cannot be."""
        with running.in_our_words():
            return self._is_there()

    def refuse_others(self) -> None:
        """Raise BadInput for a table of that name which has no answers, and for a view."""
        with running.in_our_words():
            there = self._table().columns
            is_view = not self._is_folder and self._kind() in ("VIEW", "TEMPORARY")
        missing = [field.name for field in SCHEMA if field.name not in there]
        if missing or is_view:
            why = "is a view" if is_view else f"has no column {', '.join(missing)}"
            raise BadInput(
                f"answers='{self.name}' {why}: it is no table of answers. Name one that is not "
                "there yet, and it is made."
            )

    def answered(self, question: str, *, retry: bool) -> DataFrame:
        """The digests of texts that are not to be asked about: with `retry`, those with labels."""
        from pyspark.sql import functions as f

        self._look_anew()
        rows = self._of(question)
        return (rows.where(f.col("answer").isNotNull()) if retry else rows).select("digest")

    def failed(self, question: str) -> DataFrame:
        """The digests of texts that no row has labels of, and why: `digest`, `error`."""
        from pyspark.sql import functions as f

        rows = self._of(question).groupBy("digest")
        rows = rows.agg(f.max("error").alias("error"), f.count("answer").alias("answered"))
        return rows.where(f.col("answered") == 0).select("digest", "error")

    def said(self, question: str, digest: str, said: Column, into: str) -> DataFrame:
        """One row for each text with labels, of two columns: its digest and what was `said`.

        Of several answers the first one counts, whoever reads them.
        """
        from pyspark.sql import functions as f

        self._look_anew()
        rows = self._of(question).where(f.col("answer").isNotNull())
        first = f.min_by(
            f.struct("answer", "probabilities"), f.struct("asked_at", f.to_json("answer"))
        )
        found = rows.groupBy("digest").agg(first.alias("first"))
        found = found.select("digest", "first.answer", "first.probabilities")
        return found.select(f.col("digest").alias(digest), said.alias(into))

    def append(self, rows: pa.Table) -> None:
        """Add rows; they are in the table when this returns."""
        if not rows.num_rows:
            return
        from pyspark.sql import functions as f

        made = self._session.createDataFrame(rows).coalesce(1)
        if self._is_folder:
            self._written(lambda: made.write.save(self.name, self._format, "append"), rows)
            return
        columns = [  # those of somebody else's stay empty
            f.col(name) if name in rows.column_names else f.lit(None).cast(kind).alias(name)
            for name, kind in self._table().dtypes
        ]
        ordered = made.select(*columns)
        self._written(lambda: ordered.write.insertInto(self.name), rows)

    def _written(self, write: Callable[[], None], rows: pa.Table) -> None:
        """Write; once more where another job that writes was in the way: rows twice do no harm.

        Two that add files to one folder share a folder for what is under way, and who ends first
        takes it away: what the other wrote is then lost, with an error or without one.
        """
        for left in reversed(range(_TRIES)):
            try:
                running.run(self._session, write)
                if self._has(rows):
                    return
                failure = InternalError(f"rows that were added to {self.name} are not there")
            except InternalError as error:
                failure = error
            if left:
                time.sleep(random.uniform(*_WAIT_SECONDS))
        raise failure

    def _has(self, rows: pa.Table) -> bool:
        """Whether the table has an answer for each of some rows."""
        self._look_anew()
        there = self._table().select("digest", "question")
        sought = self._session.createDataFrame(rows.select(["digest", "question"]))
        missing = sought.join(there, on=["digest", "question"], how="left_anti")
        return not running.collected(missing.limit(1)).to_pylist()

    def _of(self, question: str) -> DataFrame:
        from pyspark.sql import functions as f

        return self._table().where(f.col("question") == question)

    @property
    def _format(self) -> str:
        """Of a folder: what tables are in this Spark if nobody says otherwise."""
        return str(self._session.conf.get("spark.sql.sources.default", "parquet"))

    def _table(self) -> DataFrame:
        read = self._session.read
        if not self._is_folder:
            return read.table(self.name)
        found = read.load(self.name, self._format)
        if found.columns:
            return found
        return read.schema(_COLUMNS).load(self.name, self._format)  # nothing is in it yet

    def _look_anew(self) -> None:
        """What others have added meanwhile is read, too: Spark remembers which files there are."""
        if not self._is_folder:
            with suppress(InternalError):  # Sail remembers nothing, and does not know the word
                running.run(self._session, lambda: self._session.catalog.refreshTable(self.name))

    def _kind(self) -> str:
        return str(self._session.catalog.getTable(self.name).tableType)

    def _is_there(self) -> bool:
        if not self._is_folder:
            try:
                return bool(self._session.catalog.tableExists(self.name))
            except Exception as error:
                if "ParseException" not in type(error).__name__:
                    raise
                raise BadInput(
                    f"answers='{self.name}' is no name of a table, such as catalog.schema.answers, "
                    "and no folder: that has a / in it."
                ) from None
        try:
            self._table().columns  # noqa: B018
        except Exception as error:
            if "PATH_NOT_FOUND" in str(error) or "UNABLE_TO_INFER_SCHEMA" in str(error):
                return False
            raise
        return True

    def _make(self) -> None:
        if self._is_folder:
            empty = self._session.createDataFrame(SCHEMA.empty_table()).coalesce(1)
            empty.write.save(self.name, self._format, "append")
            return
        made = f"CREATE TABLE IF NOT EXISTS {self.name} ({_COLUMNS}) "
        try:
            self._session.sql(made + f"COMMENT {DIALECT.literal(_ABOUT)}").collect()
        except Exception as error:
            forgotten = _FORGOTTEN.search(str(error))
            if forgotten is None:
                raise
            raise BadInput(
                f"answers='{self.name}': the catalog of this session knows no such table, but "
                f"there is a folder of it. A catalog in memory forgets its tables when the session "
                f"ends. Name the folder: answers='{forgotten['folder']}'."
            ) from None
