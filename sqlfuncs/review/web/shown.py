"""What templates show: rows, bars, the matrix, and addresses that keep a filter. No HTML here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from urllib.parse import urlencode

import numpy as np

from sqlfuncs.review.decisions import Decision
from sqlfuncs.review.queue import SORTS, STATES, Filter
from sqlfuncs.review.review import Review, describe

MOST_CLASSES = 9  # with keys of their own
_MATRIX_CLASSES = 12  # as a matrix; of more, the most frequent pairs
_PAIRS = 20
_SHADES = 9
_PLAIN = Filter()


@dataclass(frozen=True)
class Row:
    """A row as it is shown."""

    place: int
    key: str
    text: str | None
    fields: Mapping[str, str | None]
    is_image: bool
    given: str | None
    suggested: str | None
    quality: float | None
    is_flagged: bool
    not_judged: str | None
    chances: Sequence[tuple[str, float | None]]
    decision: Decision | None
    version: str

    @property
    def has_probabilities(self) -> bool:
        """Whether the model says how likely each class is: of rows without a label, too."""
        return any(share is not None for _, share in self.chances)

    @property
    def said(self) -> str:
        """The decision in force, in words."""
        return describe(self.decision) if self.decision else ""


def row(review: Review, place: int, chances: int = MOST_CLASSES) -> Row:
    """What is known of a row."""
    queue = review.queue
    key, value = queue.keys[place], queue.text[place].as_py()
    quality = float(queue.scores.quality[place])
    return Row(
        place=place,
        key=key,
        text=None if value is None or isinstance(value, dict) else str(value),
        fields={k: None if v is None else str(v) for k, v in value.items()}
        if isinstance(value, dict)
        else {},
        is_image=review.source.shows_images,
        given=queue.label(place),
        suggested=queue.suggested(place),
        quality=None if np.isnan(quality) else quality,
        is_flagged=bool(queue.scores.flagged[place]),
        not_judged=queue.not_judged.get(place),
        chances=queue.top_classes(place, chances),
        decision=review.decisions.in_force(key),
        version=review.decisions.version(key),
    )


@dataclass(frozen=True)
class Cell:
    """Rows of a given and a suggested class; `shade` is 0 for none to 9 for the most."""

    given: str
    suggested: str
    rows: int
    shade: int


def matrix(review: Review, wanted: Filter) -> tuple[list[str], list[list[Cell]]]:
    """The given x suggested matrix, a list of cells for each given class; empty for many."""
    names = list(review.queue.classes)
    if len(names) > _MATRIX_CLASSES:
        return [], []
    counts = review.queue.matrix(wanted)
    beside = counts - np.diag(np.diag(counts))  # what stands as it is would outshine the rest
    most = max(int(beside.max(initial=0)), 1)
    shades = np.minimum(_SHADES, np.ceil(_SHADES * counts / most)).astype(int)
    return names, [
        [
            Cell(given, suggested, int(counts[i, j]), 0 if i == j else int(shades[i, j]))
            for j, suggested in enumerate(names)
        ]
        for i, given in enumerate(names)
    ]


def pairs(review: Review, wanted: Filter) -> list[Cell]:
    """The most frequent pairs of a given and another suggested class."""
    counts = review.queue.matrix(wanted).copy()
    np.fill_diagonal(counts, 0)
    names = review.queue.classes
    best = np.argsort(-counts, axis=None, kind="stable")[:_PAIRS]
    return [
        Cell(names[at // len(names)], names[at % len(names)], int(counts.flat[at]), 0)
        for at in best.tolist()
        if counts.flat[at]
    ]


def address(path: str, wanted: Filter, **more: object) -> str:
    """A path with what a filter wants, but for what it wants anyway, and with more.

    >>> address("/", Filter(given="a b"), at=7)
    '/?given=a+b&at=7'
    """
    query = {k: v for k, v in asdict(wanted).items() if v != getattr(_PLAIN, k)}
    query |= {k: v for k, v in more.items() if v is not None}
    if "flagged" in query:
        query["flagged"] = "1"
    return f"{path}?{urlencode(query)}" if query else path


def wanted(query: Mapping[str, str]) -> Filter:
    """The filter that an address means; what makes no sense in it is left out.

    >>> wanted({"given": "a", "low": "much", "high": "2", "state": "gone", "flagged": "1"})
    Filter(given='a', suggested='', text='', low=0.0, high=1.0, state='open', sort='worst', \
flagged=True)
    """
    state, sort = query.get("state"), query.get("sort")
    return Filter(
        given=query.get("given", ""),
        suggested=query.get("suggested", ""),
        text=query.get("text", ""),
        low=_share(query.get("low"), _PLAIN.low),
        high=_share(query.get("high"), _PLAIN.high),
        state=state if state in STATES else _PLAIN.state,
        sort=sort if sort in SORTS else _PLAIN.sort,
        flagged=query.get("flagged") == "1",
    )


def _share(text: str | None, otherwise: float) -> float:
    try:
        value = float(text or "")
    except ValueError:
        return otherwise
    return min(max(value, 0.0), 1.0) if value == value else otherwise


def hidden(wanted: Filter) -> dict[str, str]:
    """A filter as the hidden fields of a form."""
    return {
        each.name: "1" if each.name == "flagged" else str(getattr(wanted, each.name))
        for each in fields(wanted)
        if getattr(wanted, each.name) != getattr(_PLAIN, each.name)
    }
