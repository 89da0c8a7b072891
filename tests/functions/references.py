"""What the functions in an engine's own SQL give, computed without one: each engine is held to it.

`label_quality` is held to `learning.detection.confident.label_quality`, and that to cleanlab.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from tests.functions.decisions import Decision

ACTIONS = ("relabel", "keep", "exclude", "needs_review")
Label = str | None


def suggested(label: Label, probs: Mapping[str, float | None] | None) -> Label:
    """The most likely label where the given one is less likely; the first of several."""
    if label is None or not probs or label not in probs:
        return None
    known = {name: p for name, p in probs.items() if p is not None and math.isfinite(p)}
    if len(known) < len(probs):
        return None
    likeliest = max(known, key=lambda name: known[name])
    return likeliest if known[label] < known[likeliest] else None


def latest(log: Iterable[Decision], until: int) -> dict[Label, set[tuple[Label, Label, Label]]]:
    """For each key what was decided last until a day: action, old and new label; once if alike."""
    moments: dict[Label, int] = {}
    found: dict[Label, set[tuple[Label, Label, Label]]] = {}
    for key, action, old, new, day in log:
        if day > until or day < moments.get(key, day):
            continue
        if day > moments.get(key, 0):
            moments[key], found[key] = day, set()
        found[key].add((action, old, new))
    return found


def is_at_fault(table: Mapping[str, Label], log: Sequence[Decision], until: int) -> bool:
    """Whether a decision in force is of no row, stale, without a label, or one of several."""
    return any(
        len(decided) > 1
        or key is None
        or key not in table
        or action not in ACTIONS
        or old != table[key]
        or (action == "relabel" and new is None)
        for key, decided in latest(log, until).items()
        for action, old, new in decided
    )


def applied(table: Mapping[str, Label], log: Sequence[Decision], until: int) -> dict[str, Label]:
    """The labels with a sound log applied, without the rows that are excluded."""
    decisions = {key: next(iter(each)) for key, each in latest(log, until).items()}
    corrected = {}
    for key, label in table.items():
        action, _, new = decisions.get(key, (None, None, None))
        if action != "exclude":
            corrected[key] = new if action == "relabel" else label
    return corrected


def changed(
    table: Mapping[str, Label], log: Sequence[Decision], until: int
) -> list[tuple[str, Label, Label, str]]:
    """Key, old and new label, action, of each row that applying a sound log changes, by key."""
    corrected = applied(table, log, until)
    return [
        (key, label, corrected.get(key), "relabel" if key in corrected else "exclude")
        for key, label in sorted(table.items())
        if key not in corrected or corrected[key] != label
    ]
