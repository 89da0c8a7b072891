"""What hangs together in a table of links: connected components, here or by joins.

A few million links are brought to the driver. More are joined until nothing changes, by the large
and small stars of Kiveris et al., "Connected Components in MapReduce and Beyond", SOCC 2014. Each
round is written down, since it reads the one before several times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from sqlfuncs.engines.spark import running
from sqlfuncs.engines.spark.checkpoints import written
from sqlfuncs.errors import BadInput
from sqlfuncs.learning.similarity.components import components

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MOST_LINKS = 2_000_000  # that the driver holds
_ROUNDS = 50  # as many suffice for more points than any table has


def roots(links: DataFrame, can_write: bool) -> DataFrame:
    """`point` and `root`, the smallest point that it hangs together with, of all that have links.

    `links` has `point` and `other`. `can_write`: whether rounds can be written down. Runs jobs.
    Raises BadInput for more links than the driver holds where they cannot.
    """
    session = links.sparkSession
    some = running.collected(links.limit(MOST_LINKS + 1)).combine_chunks()
    if some.num_rows <= MOST_LINKS:
        table = some.cast(pa.schema([("point", pa.binary()), ("other", pa.binary())]))
        one, other = (table[name].combine_chunks() for name in ("point", "other"))
        return session.createDataFrame(components(one, other), "point binary, root binary")
    if not can_write:
        raise BadInput(
            f"more than {MOST_LINKS:,} pairs of rows are that alike. To group so many, the session "
            "has to be one of a cluster, where rounds are written down (localCheckpoint), which "
            "this one has not. Or give a higher threshold, or a smaller k."
        )
    return _by_rounds(links)


def _by_rounds(links: DataFrame) -> DataFrame:
    links, before = written(links), None
    for _ in range(_ROUNDS):
        links = written(_small_star(_large_star(links)))
        state = _state(links)
        if state == before:
            break
        before = state
    own = links.selectExpr("other AS point", "other AS root").distinct()
    return links.selectExpr("point", "other AS root").union(own)


def _large_star(links: DataFrame) -> DataFrame:
    """The larger neighbours of each point, linked to the smallest there is, it or a neighbour."""
    both = links.union(links.selectExpr("other AS point", "point AS other"))
    smallest = both.groupBy("point").agg({"other": "min"}).toDF("point", "least")
    larger = both.join(smallest, "point").where("other > point")
    return larger.selectExpr("other AS point", "least(point, least) AS other").distinct()


def _small_star(links: DataFrame) -> DataFrame:
    """Each point and its smaller neighbours, linked to the smallest of these."""
    down = links.selectExpr("greatest(point, other) AS point", "least(point, other) AS other")
    smallest = down.groupBy("point").agg({"other": "min"}).toDF("point", "least")
    smaller = down.join(smallest, "point").selectExpr("other AS point", "least AS other")
    own = smallest.selectExpr("point", "least AS other")
    return smaller.union(own).where("point <> other").distinct()


def _state(links: DataFrame) -> object:
    """What is the same, in all likelihood, for the same links only."""
    state = links.selectExpr("count(*) AS links", "bit_xor(xxhash64(point, other)) AS hash")
    return running.collected(state).to_pylist()
