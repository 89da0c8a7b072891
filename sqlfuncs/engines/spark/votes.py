"""Votes of many items: dealt to tasks by item, each of which counts those of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa

from sqlfuncs import wording, work
from sqlfuncs.engines.spark import frames, running
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.engines.spark.labels import labels_of, text_of
from sqlfuncs.errors import BadInput
from sqlfuncs.learning.annotators import consensus, dawid_skene
from sqlfuncs.learning.annotators import votes as counting
from sqlfuncs.learning.annotators.dawid_skene import ErrorRates
from sqlfuncs.learning.annotators.votes import Floats, Votes
from sqlfuncs.learning.labels import classes as class_order
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.models.folds import check_folds
from sqlfuncs.learning.tasks.classification import Classification
from sqlfuncs.learning.tasks.registry import AUTO
from sqlfuncs.wording import Option

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MOST_LEARNED = 200_000  # votes, of items that are drawn by a hash, from which error rates begin
_PASSES = 2  # over all votes, after which error rates are those of all
_VOTES_AT_ONCE = 250_000  # of a task
_BUCKETS = 2**40
_MOST_COUNTS = 5_000_000
_LISTED = 6  # contradictions that are looked for
_COUNTS = "annotator string, label int, class int, votes double"


@dataclass(frozen=True)
class Known:
    """What is known of a table's labels.

    `classes` in their order; `names`: the class of each label by its text; `counts` (classes,): the
    votes for each.
    """

    classes: tuple[str, ...]
    names: Mapping[str, str | None]
    counts: Codes


class OfItems(Protocol):
    """What a task makes of the votes of some items."""

    def __call__(self, table: pa.Table, votes: Votes, /) -> pa.RecordBatch:
        """`table` has the columns item, annotator and label of the votes, and of no votes."""


@dataclass(frozen=True)
class VotesOfTable:
    """All votes of a table: item, annotator, label; and how often there are so many `rows`."""

    df: DataFrame
    rows: int
    known: Known

    def by_item(self, run: OfItems, schema: str | object) -> DataFrame:
        """What the tasks make of the items; lazily."""
        parts = max(1, -(-self.rows // _VOTES_AT_ONCE))
        dealt = self.df.repartition(parts, "item")
        return frames.in_batches(dealt, _Dealt(run, self.known), schema)

    def error_rates(self, share: float) -> ErrorRates | None:
        """Dawid and Skene's, begun with a sample of items. None where none has two votes.

        Raises BadInput where annotators, labels and classes are too many.
        """
        drawn = read(running.collected(self._drawn(share)), self.known)
        if not (drawn.per_item > 1).any():
            return None
        rates = dawid_skene.fit(drawn).rates
        for _ in range(_PASSES):
            rates = self._counted(rates)
        return rates

    def _drawn(self, share: float) -> DataFrame:
        from pyspark.sql import functions as F

        bucket = F.pmod(F.xxhash64(frames.column("item")), F.lit(_BUCKETS))
        return self.df.where(bucket < F.lit(round(share * _BUCKETS)))

    def _counted(self, rates: ErrorRates) -> ErrorRates:
        """The rates counted anew on all votes, by what they say of the items."""
        found = self.by_item(Counting(rates), _COUNTS)
        summed = found.groupBy("annotator", "label", "class").agg({"votes": "sum"})
        table = running.collected(summed.limit(_MOST_COUNTS + 1))
        if table.num_rows > _MOST_COUNTS:
            raise BadInput(
                f"annotators, labels and classes are too many for {Option('method', 'dawid_skene')}"
                f" here. Type {Option('method', 'majority')}."
            )
        table = table.rename_columns(["annotator", "label", "class", "votes"])
        order = [(name, "ascending") for name in ("annotator", "label", "class")]
        return _rates_of(table.sort_by(order), len(self.known.classes))


def of_call(df: DataFrame, call: Call, rows: int) -> tuple[VotesOfTable, ErrorRates | None]:
    """The votes of consensus and annotator_quality, and the error rates, None for the majority.

    Raises as these do, for what is wrong with the call or the votes: before results are made.
    """
    task = call.options.get("task") or AUTO
    whole = "x" if call.columns.get("x") is not None else ""
    if task not in (AUTO, Classification.name):
        whole = str(Option("task", task))
    if whole:
        raise BadInput(
            f"{whole} is read with all rows of a table at once, and {rows:,} are too many for one "
            "process. Leave it out, or draw items at random."
        )
    method = consensus.check_method(str(call.options.get("method", "auto")), with_model=False)
    check_folds(int(str(call.options.get("folds", 5))))
    names = [str(call.columns[name]) for name in ("item", "annotator", "label")]
    votes = df.select(*map(frames.column, names)).toDF("item", "annotator", "label")
    cast = votes.dropna()
    _refuse_contradictions(cast, call, names)
    counts = running.collected(cast.distinct().groupBy("label").count())
    if not counts.num_rows:
        call.rows(running.collected(votes.limit(1_000)).rename_columns(names))  # says why
    table = VotesOfTable(votes, rows, _known(counts, names[2]))
    if method == "majority":
        return table, None
    work.say(f"{call.signature.name} learns from the votes on all items, in {_PASSES} passes")
    return table, table.error_rates(min(1.0, MOST_LEARNED / rows))


def read(table: pa.Table, known: Known) -> Votes:
    """The votes in the columns item, annotator and label."""
    items, annotators, labels = (
        text_of(table.column(name).combine_chunks()).to_pylist()
        for name in ("item", "annotator", "label")
    )
    named = [None if text is None else known.names[text] for text in labels]
    votes = counting.collect(items, annotators, named, known.classes)
    return replace(votes, of_all=known.counts)


def _known(counts: pa.Table, name: str) -> Known:
    label = counts.column("label").combine_chunks()
    texts = labels_of(label, name).texts.to_pylist()
    classes = class_order.in_order({text for text in texts if text is not None})
    summed = dict.fromkeys(classes, 0)
    for text, count in zip(texts, counts.column("count").to_pylist(), strict=True):
        if text is not None:
            summed[text] += count
    names = dict(zip(text_of(label).to_pylist(), texts, strict=True))
    return Known(classes, names, np.array([*summed.values()], dtype=np.int64))


def _refuse_contradictions(cast: DataFrame, call: Call, names: Sequence[str]) -> None:
    """Raise BadInput where an annotator gave one item different labels, in the function's words."""
    from pyspark.sql.functions import max as most
    from pyspark.sql.functions import min as least

    of_each = cast.groupBy("item", "annotator").agg(
        least("label").alias("a"), most("label").alias("b")
    )
    found = running.collected(of_each.where("a <> b").limit(_LISTED))
    if found.num_rows:
        both = [
            found.select(["item", "annotator", each]).rename_columns(names) for each in ("a", "b")
        ]
        call.rows(pa.concat_tables(both))


def _rates_of(table: pa.Table, n_classes: int) -> ErrorRates:
    """Error rates from sums, in order: those without an annotator are of items."""
    of_items = np.asarray(table["annotator"].is_null())
    weight, code = table["votes"].to_numpy(), table["class"].to_numpy()
    items = np.bincount(code[of_items], weight[of_items], n_classes)
    encoded = table["annotator"].combine_chunks().filter(pa.array(~of_items)).dictionary_encode()
    names = encoded.dictionary.to_pylist()
    place = {name: at for at, name in enumerate(sorted(names))}
    who = np.array([place[name] for name in names], dtype=np.int64)[np.asarray(encoded.indices)]
    answer = who * n_classes + table["label"].to_numpy()[~of_items]
    answers, at = np.unique(answer, return_inverse=True)
    counts = np.zeros((len(answers), n_classes))
    np.add.at(counts, (at, code[~of_items]), weight[~of_items])
    prior = dawid_skene.prior_of(items.astype(np.float64))
    return ErrorRates(
        tuple(sorted(names)), answers // n_classes, answers % n_classes, counts, prior
    )


@dataclass(frozen=True)
class _Dealt:
    """Reads the votes of a partition, which has all of each of its items. In a worker."""

    run: OfItems
    known: Known

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """What is made of them."""
        held = [batch for batch in batches if batch.num_rows]
        if held:
            table = pa.Table.from_batches(held)
            with wording.speaking(DIALECT):
                yield self.run(table, read(table, self.known))


@dataclass(frozen=True)
class Counting:
    """Expected counts of answers (annotator, label, class), and of items, without annotator."""

    rates: ErrorRates

    def __call__(self, table: pa.Table, votes: Votes) -> pa.RecordBatch:
        """Sums of a partition."""
        counted = dawid_skene.count(votes, self.rates)
        n_classes, answers = len(counted.items), len(counted.who)
        names = pa.array(votes.annotator_names, pa.string()).take(pa.array(counted.who))
        every = np.arange(n_classes, dtype=np.int32)
        weights: Floats = np.concatenate([counted.counts.ravel(), counted.items])
        labels = np.concatenate([counted.labels.repeat(n_classes), np.zeros(n_classes)])
        return pa.RecordBatch.from_arrays(
            [
                pa.concat_arrays(
                    [
                        names.take(pa.array(np.arange(answers).repeat(n_classes))),
                        pa.nulls(n_classes, pa.string()),
                    ]
                ),
                pa.array(labels.astype(np.int32)),
                pa.array(np.tile(every, answers + 1)),
                pa.array(weights),
            ],
            names=["annotator", "label", "class", "votes"],
        )
