"""Hosted models, asked by the driver: about each distinct text that a table of answers lacks.

Workers never ask: each would need the key, would have a budget of its own, and would pay again
where Spark tries a task a second time. What takes long is the wait for replies, and one process
waits for as many as the server bears.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlfuncs import work
from sqlfuncs.engines.spark import frames, running
from sqlfuncs.engines.spark.answers import AnswerTable
from sqlfuncs.errors import Cancelled
from sqlfuncs.llm.answer_table import Asking

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_TEXTS_HELD = 20_000  # by the driver at once, about; and how many characters
_CHARACTERS_HELD = 50_000_000
_FEWEST, _MOST, _APPENDS = 1_000, 10_000, 1_000  # texts of a chunk, and chunks if it can be
_HEX = 8  # digits of a digest by which ranges are told apart


@dataclass(frozen=True)
class Pending:
    """Texts of a column that a table lacks, how many, and how many characters they have."""

    texts: DataFrame  # digest, text
    count: int
    characters: int

    @classmethod
    def of(cls, df: DataFrame, text: str, asking: Asking, table: AnswerTable | None) -> Pending:
        """Of a column of a table. Blank texts are left out, as far as Spark knows them."""
        from pyspark.sql import functions as f

        texts = lacking(df, text, asking, table)
        counted = texts.agg(
            f.count("*").alias("texts"), f.sum(f.char_length("text")).alias("characters")
        )
        (row,) = running.collected(counted).to_pylist()
        return cls(texts, row["texts"], row["characters"] or 0)

    @property
    def ranges(self) -> int:
        """In how many parts they are fetched, by their digests."""
        return 1 + max(self.count // _TEXTS_HELD, self.characters // _CHARACTERS_HELD)


def lacking(df: DataFrame, text: str, asking: Asking, table: AnswerTable | None) -> DataFrame:
    """The distinct texts of a column that a table has no answer for: `digest`, `text`."""
    from pyspark.sql import functions as f

    texts = df.select(frames.column(text).cast("string").alias("text"))
    texts = texts.where(f.col("text").rlike(r"\S")).distinct()
    texts = texts.select(digest_of(asking, f.col("text")).alias("digest"), "text")
    if table is None:
        return texts
    known = table.answered(asking.digest, retry=asking.question.retry_in is not None)
    return texts.join(known, on="digest", how="left_anti")


def digest_of(asking: Asking, text: Column) -> Column:
    """What an answer is found under: the same as in the store of this machine, in hexadecimal."""
    from pyspark.sql import functions as f

    return f.sha2(f.concat(f.lit(asking.before_text), text), 256)


def ask(df: DataFrame, text: str, asking: Asking, table: AnswerTable) -> None:
    """Ask about the texts of a column that a table of answers lacks, and add what is said to it.

    Raises as `asking.ask`, and RowsFailed where that was asked for; what has come is kept.
    """
    pending = Pending.of(df, text, asking, table)
    if asking.question.on_error == "fail" and asking.question.retry_in is None:
        failed = lacking(df, text, asking, None).join(table.failed(asking.digest), on="digest")
        for row in running.collected(failed.groupBy("error").count()).to_pylist():
            asking.failures[row["error"]] += row["count"]
    if pending.count:
        model = asking.question.model
        expected = asking.expected(pending.count, pending.characters)
        work.say(
            f"{model}: {pending.count:,} texts have no answer in {table.name}: {expected}, less "
            "what this machine has kept"
        )
    chunk = pending.count if asking.question.batch else pending.count // _APPENDS
    chunk = min(max(chunk, _FEWEST), _MOST)
    try:
        for texts in fetched(df, text, asking, table, pending):
            digests = list(texts)
            for at in range(0, len(digests), chunk):
                some = {digest: texts[digest] for digest in digests[at : at + chunk]}
                table.append(asking.ask(some))
            if asking.is_over:
                break
    except KeyboardInterrupt:
        raise Cancelled from None
    asking.refuse_failures()


def fetched(
    df: DataFrame, text: str, asking: Asking, table: AnswerTable | None, pending: Pending
) -> Iterator[Mapping[str, str]]:
    """The texts that are pending, by digest, so many at a time as the driver may hold.

    In an order by chance: of two jobs at once, each then finds what the other has done.
    """
    from pyspark.sql import functions as f

    if not pending.count:
        return
    count = pending.ranges
    bounds = [f"{at * 16**_HEX // count:0{_HEX}x}" for at in range(count)] + ["g"]
    numbers = list(range(count))
    random.shuffle(numbers)
    for number in numbers:
        texts = lacking(df, text, asking, table) if count > 1 else pending.texts
        digest = f.col("digest")
        own = texts.where((digest >= bounds[number]) & (digest < bounds[number + 1]))
        found = running.collected(own.select("digest", f.col("text").cast("binary")))
        values = (each.decode("utf-8", "replace") for each in found["text"].to_pylist())
        yield dict(zip(found["digest"].to_pylist(), values, strict=True))


def beside(
    df: DataFrame, text: str, asking: Asking, table: AnswerTable, function: str, into: str
) -> DataFrame:
    """All columns of a table, and what is kept of each text: of llm_classify or llm_class_probs.

    Of llm_classify with `multi` a list of labels, else one.
    """
    from pyspark.sql import functions as f

    if function == "llm_class_probs":
        said = f.coalesce("probabilities", _certain(asking.task.labels))
    else:
        said = f.col("answer") if asking.task.multi else f.col("answer")[0]
    (digest,) = frames.free_names([*df.columns, into], "digest")
    column = frames.column(text).cast("string")
    known = table.said(asking.digest, digest, said, into)
    asked = df.withColumn(digest, digest_of(asking, column))
    return asked.join(known, on=digest, how="left").drop(digest)


def _certain(labels: Sequence[str]) -> Column:
    """What was answered has 1, the other labels 0."""
    from pyspark.sql import functions as f

    said = f.col("answer")
    pairs = ((f.lit(label), f.array_contains(said, label).cast("double")) for label in labels)
    return f.create_map(*(each for pair in pairs for each in pair))
