"""How many labels of a label_issues result are flagged, by labels: for each kind, what to count by.

Rows of the result without a label are a group of their own, whose label is NULL.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.learning.labels import numbers, tags
from sqlfuncs.learning.labels.classes import in_order

Columns = Mapping[str, pa.Array]
Mask = npt.NDArray[np.bool_]
_BINS = 5  # of numbers, each with as many labels as ties let it have


@dataclass
class _Group:
    """Labels that are counted together: the column's text for the group, and what was found."""

    label: str | None
    rows: int = 0
    flagged: int = 0
    not_judged: int = 0
    missing: int | None = None
    least: float | None = None
    most: float | None = None
    suggested: Counter[str] = field(default_factory=Counter)

    @property
    def most_suggested(self) -> str | None:
        """The commonest suggestion, of several the first in order; None without any."""
        if not self.suggested:
            return None
        times = max(self.suggested.values())
        return in_order(text for text, count in self.suggested.items() if count == times)[0]


@dataclass(frozen=True)
class _Found:
    """The columns of a label_issues result: all (rows,)."""

    label: list[str | None]
    suggested: list[str | None]
    flagged: list[bool]
    judged: list[bool]

    @classmethod
    def read(cls, issues: pa.StructArray) -> _Found:
        label, suggested = (
            issues.field(name).cast(pa.string()).to_pylist()
            for name in ("label", "suggested_label")
        )
        flagged = issues.field("is_label_issue").cast(pa.bool_()).fill_null(False).to_pylist()
        return cls(label, suggested, flagged, issues.field("not_judged").is_null().to_pylist())


def of_classes(issues: pa.StructArray) -> Columns:
    """A group for each class."""
    found, groups = _Found.read(issues), dict[str | None, _Group]()
    for label, better, flagged, judged in zip(
        found.label, found.suggested, found.flagged, found.judged, strict=True
    ):
        group = groups.setdefault(label, _Group(label))
        group.rows += 1
        group.flagged += flagged
        group.not_judged += not judged
        if better is not None:
            group.suggested[better] += 1
    return _columns([groups[name] for name in _in_order(groups)])


def of_numbers(issues: pa.StructArray) -> Columns:
    """A group for each fifth of the numbers, from `least` to `most`; its label the one amid."""
    found = _Found.read(issues)
    values = numbers.as_numbers(issues.field("label"))
    better = numbers.as_numbers(issues.field("suggested_label"))
    flagged, judged = np.array(found.flagged, bool), np.array(found.judged, bool)
    known = np.isfinite(values)
    groups = [
        _of_numbers(found, values, better, at, flagged, judged) for at in _bins(values, known)
    ]
    if not known.all():
        groups.append(_Group(None, int((~known).sum()), 0, int((~known & ~judged).sum())))
    return _columns(groups, in_order=True)


def _of_numbers(
    found: _Found,
    values: numbers.Floats,
    better: numbers.Floats,
    at: npt.NDArray[np.int64],
    flagged: Mask,
    judged: Mask,
) -> _Group:
    """What was found of the numbers at some places, which are in order."""
    group = _Group(found.label[at[len(at) // 2]], len(at))
    group.least, group.most = float(values[at[0]]), float(values[at[-1]])
    group.flagged, group.not_judged = int(flagged[at].sum()), int((~judged[at]).sum())
    doubted = at[flagged[at] & ~np.isnan(better[at])]
    amid = doubted[np.argsort(better[doubted], kind="stable")][len(doubted) // 2 :]
    text = found.suggested[amid[0]] if len(amid) else None
    if text is not None:
        group.suggested[text] += 1
    return group


def _bins(values: numbers.Floats, known: Mask) -> Iterable[npt.NDArray[np.int64]]:
    """The places of numbers by fifths, the smallest first. Equal ones are in one."""
    places = np.flatnonzero(known)
    places = places[np.argsort(values[places], kind="stable")]
    ordered = values[places]
    cuts = [ordered[len(ordered) * n // _BINS] for n in range(1, _BINS)] if len(ordered) else []
    for piece in np.split(places, np.unique(np.searchsorted(ordered, cuts))):
        if len(piece):
            yield piece


def of_tags(issues: pa.StructArray) -> Columns:
    """A group for each tag: `flagged` of the rows that have it; `missing` rows that lack it."""
    found, groups = _Found.read(issues), dict[str | None, _Group]()

    def group_of(tag: str | None) -> _Group:
        label = None if tag is None else _listed(tag)
        return groups.setdefault(tag, _Group(label, missing=0))

    given, better = (tags.read_lists(issues.field(n)) for n in ("label", "suggested_label"))
    for own, other, text, flagged, judged in zip(
        given, better, found.suggested, found.flagged, found.judged, strict=True
    ):
        for tag in {*own} if own is not None else {None}:
            group = group_of(tag)
            group.rows += 1
            group.not_judged += not judged
        if own is None or other is None or not flagged:
            continue
        for tag in {*own} ^ {*other}:
            group = group_of(tag)
            if tag in own:
                group.flagged += 1
            else:
                group.missing = (group.missing or 0) + 1
            group.suggested[text or ""] += 1
    return _columns([groups[name] for name in _in_order(groups)])


def of_words(issues: pa.StructArray) -> Columns:
    """A group for each label of words; what is counted is words."""
    found, groups = _Found.read(issues), dict[str | None, _Group]()

    def group_of(name: str | None) -> _Group:
        label = None if name is None else _listed(name)
        return groups.setdefault(name, _Group(label))

    given, better = (tags.read_lists(issues.field(n)) for n in ("label", "suggested_label"))
    for own, other, flagged, judged in zip(given, better, found.flagged, found.judged, strict=True):
        says = other if flagged and own and other and len(own) == len(other) else None
        for place, name in enumerate(own if own is not None else [None]):
            group = group_of(name)
            group.rows += 1
            group.not_judged += not judged
            if says is not None and says[place] != name:
                group.flagged += 1
                group.suggested[_listed(says[place])] += 1
    return _columns([groups[name] for name in _in_order(groups)])


def _listed(name: str) -> str:
    """A list of one name, as labels that are lists reach the computing."""
    return json.dumps([name], ensure_ascii=False)


def _in_order(groups: Iterable[str | None]) -> list[str | None]:
    known = {*groups}
    names = in_order(name for name in known if name is not None)
    return [*names, *([None] if None in known else [])]


def _columns(groups: Sequence[_Group], *, in_order: bool = False) -> Columns:
    """The groups as they are, or those of which most is flagged first."""
    ranked = sorted(groups, key=lambda each: 0 if in_order else -each.flagged - (each.missing or 0))

    def column(name: str, of: pa.DataType) -> pa.Array:
        return pa.array([getattr(group, name) for group in ranked], of)

    percent = [
        round(100 * group.flagged / group.rows, 1) if group.rows else None for group in ranked
    ]
    return {
        "label": column("label", pa.string()),
        "least": column("least", pa.float64()),
        "most": column("most", pa.float64()),
        "missing": column("missing", pa.int64()),
        "rows": column("rows", pa.int64()),
        "flagged": column("flagged", pa.int64()),
        "flagged_percent": pa.array(percent, pa.float64()),
        "most_suggested": column("most_suggested", pa.string()),
        "not_judged": column("not_judged", pa.int64()),
    }
