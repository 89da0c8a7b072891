"""What templates show: rows, bars, the matrix, and addresses that keep a filter. No HTML here.

Forms and addresses name rows by their places and labels by their codes, not by their texts: HTML
turns line ends within those into others. Addresses are relative, for pages that lie side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from urllib.parse import parse_qsl, urlencode

import numpy as np

from sqlfuncs.review.decisions import Decision, describe
from sqlfuncs.review.labels.base import number
from sqlfuncs.review.queue import SORTS, STATES, Filter
from sqlfuncs.review.review import Review

_MATRIX_CLASSES = 12  # as a matrix; of more, the most frequent pairs
_SHADES = 9
_PLAIN = Filter()
_NO_CLASS = -2  # no row has it; -1 stands for no label


@dataclass(frozen=True)
class Row:
    """A row as it is shown: its labels as the parts that stand beside each other.

    `change` is what the suggestion would do, for a button.
    """

    place: int
    key: str
    text: str | None
    fields: Mapping[str, str | None]
    is_image: bool
    given: Sequence[str] | None
    suggested: Sequence[str] | None
    suggested_code: int
    change: str
    in_force: Sequence[str] | None
    quality: float | None
    is_flagged: bool
    not_judged: str | None
    decision: Decision | None
    version: str

    @property
    def decision_text(self) -> str:
        """The decision in force, in words."""
        return describe(self.decision) if self.decision else ""


def row(review: Review, place: int) -> Row:
    """What is known of a row."""
    queue, labels = review.queue, review.queue.labels
    given, suggested, code = queue.label(place), queue.suggested(place), queue.suggested_code(place)
    in_force = labels.text(queue.in_force[place])
    key, value = queue.keys[place], queue.text[place].as_py()
    quality = float(queue.scores.quality[place])
    return Row(
        place=place,
        key=key,
        text=_text(value),
        fields={k: None if v is None else str(v) for k, v in value.items()}
        if isinstance(value, dict)
        else {},
        is_image=review.source.shows_images,
        given=None if given is None else labels.parts(given),
        suggested=None if suggested is None else labels.parts(suggested),
        suggested_code=code,
        change="" if suggested is None else labels.change(given, suggested),
        in_force=None if in_force is None else labels.parts(in_force),
        quality=None if np.isnan(quality) else quality,
        is_flagged=bool(queue.scores.flagged[place]),
        not_judged=queue.not_judged.get(place),
        decision=review.decisions.in_force(key),
        version=review.decisions.version(key),
    )


def _text(value: object) -> str | None:
    """What a row says; its words, of a list of them."""
    match value:
        case None | dict():
            return None
        case [str(), *_]:
            return " ".join("NULL" if word is None else str(word) for word in value)
    return str(value)


@dataclass(frozen=True)
class Cell:
    """Rows of a given and a suggested class; `shade` is 0 for none to 9 for the most."""

    given: str
    suggested: str
    given_code: int
    suggested_code: int
    rows: int
    shade: int


def matrix(review: Review, wanted: Filter) -> tuple[list[str], list[list[Cell]]]:
    """The given x suggested matrix, a list of cells for each given class; empty for many."""
    names = list(review.queue.labels.choices_given)
    counts = review.queue.matrix(wanted) if len(names) <= _MATRIX_CLASSES else None
    if counts is None:
        return [], []
    beside = counts - np.diag(np.diag(counts))  # what stands as it is would outshine the rest
    most = max(int(beside.max(initial=0)), 1)
    shades = np.minimum(_SHADES, np.ceil(_SHADES * counts / most)).astype(int)
    return names, [
        [
            Cell(given, suggested, i, j, int(counts[i, j]), 0 if i == j else int(shades[i, j]))
            for j, suggested in enumerate(names)
        ]
        for i, given in enumerate(names)
    ]


def address(path: str, wanted: Filter, **more: object) -> str:
    """A page with what a filter wants, but for what it wants anyway, and with more.

    >>> address("/list", Filter(given=2, text="a b"), page=7)
    './list?given=2&text=a+b&page=7'
    """
    query = _unusual(wanted) | {k: v for k, v in more.items() if v is not None}
    return f".{path}?{urlencode(query)}" if query else f".{path}"


def _unusual(wanted: Filter) -> dict[str, object]:
    query = {k: v for k, v in asdict(wanted).items() if v != getattr(_PLAIN, k)}
    if "flagged" in query:
        query["flagged"] = "1"
    return query


def wanted(query: Mapping[str, str]) -> Filter:
    """The filter that an address or a form means; what makes no sense in it is left out.

    A label that there is none of is not left out: no row has it.

    >>> wanted({"given": "2", "low": "much", "high": "2", "state": "gone", "flagged": "1"})
    Filter(given=2, suggested=None, text='', low=0.0, high=1.0, state='open', sort='worst', \
flagged=True)
    """
    query = {**dict(parse_qsl(query.get("filter", ""), keep_blank_values=True)), **query}
    state, sort = query.get("state"), query.get("sort")
    return Filter(
        given=_class(query.get("given")),
        suggested=_class(query.get("suggested")),
        text=query.get("text", ""),
        low=_share(query.get("low"), _PLAIN.low),
        high=_share(query.get("high"), _PLAIN.high),
        state=state if state in STATES else _PLAIN.state,
        sort=sort if sort in SORTS else _PLAIN.sort,
        flagged=query.get("flagged") == "1",
    )


def _class(text: str | None) -> int | None:
    found = number(text)
    return _NO_CLASS if text and found is None else found


def _share(text: str | None, otherwise: float) -> float:
    try:
        value = float(text or "")
    except ValueError:
        return otherwise
    return min(max(value, 0.0), 1.0) if value == value else otherwise


def hidden(wanted: Filter) -> str:
    """A filter as the hidden field `filter` of a form.

    >>> hidden(Filter(given=2, text="a\\nb"))
    'given=2&text=a%0Ab'
    """
    return urlencode(_unusual(wanted))
