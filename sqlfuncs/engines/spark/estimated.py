"""`llm_estimate` on tables of any size: texts come to the driver by and by, and none is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sqlfuncs.engines.spark import hosted, running
from sqlfuncs.engines.spark.answers import AnswerTable
from sqlfuncs.llm import asking as local
from sqlfuncs.llm import estimates
from sqlfuncs.llm.answer_table import Asking
from sqlfuncs.llm.rows import Question, texts_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def estimate(
    df: DataFrame, text: str, kind: pa.DataType, options: Mapping[str, Any], answers: str | None
) -> DataFrame:
    """The row of llm_estimate. Of what is kept, the answers of a table count, too."""
    retry = bool(options["retry"])
    question = Question.read("llm_estimate", **options)
    by, task = estimates.asked(question)
    texts_of(pa.nulls(0, kind), question.model)
    asking = Asking(question, by, task)
    session = df.sparkSession
    table = None if answers is None else AnswerTable(session, answers)
    if table is not None and not table.is_there:
        table = None
    if table is not None:
        table.refuse_others()
    rows = running.run(session, df.count)
    pending = hosted.Pending.of(df, text, asking, table)
    distinct = (pending if table is None else hosted.Pending.of(df, text, asking, None)).count

    def missing() -> Iterator[str]:
        for some in hosted.fetched(df, text, asking, table, pending):
            usable = [each for each in some.values() if each.strip()]
            yield from local.missing(by, task, usable, retry=retry)

    found = estimates.estimate(question, by, task, missing())
    row = {
        "model": question.model,
        "rows": rows,
        "distinct_rows": distinct,
        "cached": distinct - found.texts,
        "requests": found.requests,
        "input_tokens": found.input_tokens,
        "output_tokens": found.output_tokens,
        "cost_usd": found.cost_usd,
    }
    return session.createDataFrame(pa.Table.from_pylist([row], schema=_SCHEMA))


_SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        *((name, pa.int64()) for name in ("rows", "distinct_rows", "cached", "requests")),
        *((name, pa.int64()) for name in ("input_tokens", "output_tokens")),
        ("cost_usd", pa.float64()),
    ]
)
