"""Which rows of a table under review are nearly the same, and which are like no other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlfuncs.review.queue import Queue
from sqlfuncs.review.source import Source


@dataclass(frozen=True)
class Alike:
    """Whether a row is unlike all others, and the places of those nearly the same."""

    is_outlier: bool
    outlier_score: float
    duplicates: tuple[int, ...]


def found_alike(source: Source, queue: Queue) -> dict[int, Alike]:
    """What is found of each row, by its place in the queue."""
    groups: dict[int, list[int]] = defaultdict(list)
    described = source.alike().to_pylist()
    for row in described:
        if row["near_duplicate_group"] is not None:
            groups[row["near_duplicate_group"]].append(queue.place[row["key"]])
    known = {}
    for row in described:
        place = queue.place[row["key"]]
        members = groups.get(row["near_duplicate_group"], [])
        known[place] = Alike(
            bool(row["is_outlier"]),
            row["outlier_score"] or 0.0,
            tuple(other for other in members if other != place),
        )
    return known
