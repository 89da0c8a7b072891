"""consensus and annotator_quality of tables of any size: error rates from all votes, in passes.

Expectation maximisation begins with a sample of items; then what it found is counted anew on all
votes, by item, and summed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from sqlfuncs.engines.spark import frames, running, votes
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.labels import text_of
from sqlfuncs.learning.annotators import consensus as methods
from sqlfuncs.learning.annotators import votes as counting
from sqlfuncs.learning.annotators.dawid_skene import ErrorRates
from sqlfuncs.learning.annotators.tally import Tally, quality_columns
from sqlfuncs.learning.annotators.votes import Votes

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_SUMS = ("votes", "shared", "alike", "others")
_TALLY = "label int, truth int, " + ", ".join(f"{name} bigint" for name in _SUMS)


def consensus(df: DataFrame, call: Call, own: pa.Schema) -> DataFrame:
    """A row for each item; lazily but for the error rates. Rows come in no order."""
    from pyspark.sql.pandas.types import from_arrow_schema

    rows = running.run(df.sparkSession, df.count)
    if rows <= frames.MOST_ROWS:
        return frames.on_driver(df, call, call.read)
    table, rates = votes.of_call(df, call, rows)
    return table.by_item(Reaching(rates, own), from_arrow_schema(own))


def annotator_quality(df: DataFrame, call: Call, own: pa.Schema) -> DataFrame:
    """A row for each annotator, the worst first."""
    from pyspark.sql.functions import sum as total
    from pyspark.sql.types import StructField, StructType

    rows = running.run(df.sparkSession, df.count)
    if rows <= frames.MOST_ROWS:
        return frames.on_driver(df, call, call.read)
    table, rates = votes.of_call(df, call, rows)
    annotator = StructField("annotator", table.df.schema["annotator"].dataType)
    schema = StructType([annotator, *StructType.fromDDL(_TALLY).fields])
    summed = table.by_item(Tallying(rates), schema).groupBy("annotator", "label", "truth")
    found = running.collected(summed.agg(*(total(name).alias(name) for name in _SUMS)))
    return frames.from_arrow(df.sparkSession, _summarized(found, rates, table.known, own))


def _summarized(
    found: pa.Table, rates: ErrorRates | None, known: votes.Known, own: pa.Schema
) -> pa.Table:
    values = found["annotator"].combine_chunks()
    texts = text_of(values).to_pylist()
    first = {text: at for at, text in reversed([*enumerate(texts)])}
    names = sorted(first)
    place = {name: at for at, name in enumerate(names)}
    who = np.array([place[text] for text in texts], dtype=np.int64)
    tally = Tally(
        who, *(found[name].to_numpy().astype(np.int64) for name in found.column_names[1:])
    )
    if rates is None:
        judged = tally.agreement_with_others(len(names))
    else:
        of_name = dict(zip(rates.annotators, rates.accuracy.tolist(), strict=True))
        judged = np.array([of_name[name] for name in names])
    shown, *others = quality_columns(names, known.classes, tally, judged)
    columns = [values.take(pa.array([first[name] for name in shown.to_pylist()])), *others]
    return pa.table([each.cast(field.type) for each, field in zip(columns, own, strict=True)], own)


@dataclass(frozen=True)
class Reaching:
    """The rows of consensus for some items. In a worker."""

    rates: ErrorRates | None
    own: pa.Schema

    def __call__(self, table: pa.Table, of: Votes) -> pa.RecordBatch:
        """In the order in which the items come."""
        labels, sure = methods.reach_by(of, self.rates)
        items = table.column("item").combine_chunks()
        place = {name: at for at, name in enumerate(of.item_names)}
        first: dict[int, int] = {}
        for at, text in enumerate(text_of(items).to_pylist()):
            if text is not None:
                first.setdefault(place[text], at)
        order = np.array([*first], dtype=np.int64)
        unknown = of.per_item[order] == 0
        named = pa.array(np.array([*of.classes, None], dtype=object)[labels[order]], pa.string())
        columns = [
            items.take(pa.array([*first.values()], pa.int64())),
            named,
            pa.array(sure[order], mask=unknown),
            pa.array(counting.agreement(of, labels)[order], mask=unknown),
            pa.array(of.per_item[order], pa.int64()),
            pa.array(np.full(len(order), "no annotator labelled it"), pa.string(), mask=~unknown),
        ]
        return pa.RecordBatch.from_arrays(
            [each.cast(field.type) for each, field in zip(columns, self.own, strict=True)],
            schema=self.own,
        )


@dataclass(frozen=True)
class Tallying:
    """Votes counted by annotator, label and consensus, for some items. In a worker."""

    rates: ErrorRates | None

    def __call__(self, table: pa.Table, of: Votes) -> pa.RecordBatch:
        """Sums of a partition."""
        tally = Tally.of(of, methods.reach_by(of, self.rates)[0])
        annotators = table.column("annotator").combine_chunks()
        first: dict[str | None, int] = {}
        for at, text in enumerate(text_of(annotators).to_pylist()):
            first.setdefault(text, at)
        rows = [first[of.annotator_names[who]] for who in tally.who.tolist()]
        return pa.RecordBatch.from_arrays(
            [
                annotators.take(pa.array(rows, pa.int64())),
                pa.array(tally.labels.astype(np.int32)),
                pa.array(tally.truth.astype(np.int32)),
                *(pa.array(getattr(tally, name)) for name in _SUMS),
            ],
            names=["annotator", "label", "truth", *_SUMS],
        )
