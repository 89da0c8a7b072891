"""Internal: why the worst flagged rows of a label_issues result are flagged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import BadInput, BadOption
from sqlfuncs.functions.spec import LABEL, VOTES, Column, Input, TableFunction
from sqlfuncs.learning.detection import voting
from sqlfuncs.learning.detection.judged import rows_and_votes
from sqlfuncs.learning.labels import classes, labels
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.models.explaining import Explainer
from sqlfuncs.learning.rows.base import Floats, Rows, Vectors, is_usable
from sqlfuncs.learning.similarity.examples import nearest_among
from sqlfuncs.learning.tasks.base import Mask
from sqlfuncs.wording import Option

_EXAMPLES, _TERMS = 3, 5


def explanations(rows: pa.StructArray, *, budget: int = 20, model: str = "fast") -> pa.StructArray:
    """Why the `budget` worst flagged rows are flagged; NULL for the others."""
    if budget < 1:
        raise BadOption(f"{Option('budget', budget)} is how many rows: 1 or more.")
    given, suggested = labels.read(rows), labels.read(rows, "suggested_label")
    names = classes.in_order({*given.distinct(), *suggested.distinct()})
    codes, instead = given.codes(names), suggested.codes(names)
    flagged = np.asarray(rows.field("is_label_issue").cast(pa.bool_()).fill_null(False))
    quality = np.asarray(rows.field("label_quality").cast(pa.float64()).fill_null(np.nan))
    x, votes = rows_and_votes(rows.field("x"), voting.read(rows))
    if not x.needs_model:
        raise BadInput(
            f"x is {x.called}, in which there is nothing to explain: name the column that the "
            "probabilities are about, such as the text."
        )
    usable = is_usable(x.reasons)
    doubtful = np.flatnonzero(flagged & usable & (codes >= 0) & (instead >= 0))
    asked = doubtful[np.argsort(quality[doubtful], kind="stable")][:budget]
    trusted = _trusted(codes, quality, usable & ~flagged, len(names))
    if not len(asked):
        return FUNCTION.result(_columns(len(rows)))
    at = np.cumsum(usable) - 1
    beside = None if votes is None else votes.take(usable)
    explainer = Explainer(
        x.take(usable), codes[usable], len(names), ~flagged[usable], model, beside
    )
    why = explainer.explain(at[asked], instead[asked])
    keys = rows.field("key").cast(pa.string()).to_pylist()
    vectors = _vectors(x, usable)

    def like(of: Codes) -> list[object]:
        if vectors is None:
            return [[] for _ in of]
        among = [np.flatnonzero(trusted & (codes == code)) for code in of]
        nearest = (
            nearest_among(vectors, row, own, _EXAMPLES)
            for row, own in zip(asked, among, strict=True)
        )
        return [[keys[place] for place in each] for each in nearest]

    filled: dict[str, list[object]] = {
        "speaks_for_given": [each.speaks_for(suggested=False, most=_TERMS) for each in why],
        "speaks_for_suggested": [each.speaks_for(suggested=True, most=_TERMS) for each in why],
        "like_given": like(codes[asked]),
        "like_suggested": like(instead[asked]),
        "votes": [[(head, names[code]) for head, code in each.votes.items()] for each in why],
        "_sf_rank": list(range(1, len(asked) + 1)),
    }
    return FUNCTION.result(_columns(len(rows), asked, filled))


def _trusted(codes: Codes, quality: Floats, unflagged: Mask, width: int) -> Mask:
    """The better half of the rows of each class that are not flagged."""
    trusted = np.zeros(len(codes), dtype=bool)
    known = unflagged & ~np.isnan(quality)
    for code in range(width):
        own = known & (codes == code)
        if own.any():
            trusted |= own & (quality >= np.median(quality[own]))
    return trusted


def _vectors(x: Rows, usable: Mask) -> Vectors | None:
    """What rows are compared by, 0 for those that cannot be; None where they are not compared."""
    if not type(x).is_compared:
        return None
    places = np.flatnonzero(usable)
    known = x.vectors(places.tolist())
    vectors = np.zeros((len(usable), known.shape[1]), dtype=np.float32)
    vectors[places] = known
    return vectors


def _columns(
    rows: int, asked: Codes | None = None, filled: dict[str, list[object]] | None = None
) -> dict[str, pa.Array]:
    """The columns of the table, of which the rows `asked` are filled."""
    places: Sequence[int] = [] if asked is None else asked.tolist()
    found = {}
    for column in FUNCTION.returns:
        values: list[object] = [None] * rows
        for place, value in zip(places, (filled or {}).get(column.name, ()), strict=False):
            values[place] = value
        found[column.name] = pa.array(values, column.computed_type)
    return found


_TEXTS = pa.list_(pa.string())

FUNCTION = TableFunction(
    name="_explanations",
    compute=explanations,
    inputs=(
        Input("x"),
        LABEL,
        Input("key", "text"),
        Input("is_label_issue"),
        Input("suggested_label", "label"),
        Input("label_quality"),
        VOTES,
    ),
    returns=(
        Column("speaks_for_given", _TEXTS, "words or fields, the strongest first"),
        Column("speaks_for_suggested", _TEXTS, "the same"),
        Column("like_given", _TEXTS, "keys of trusted rows of the given class, the nearest first"),
        Column("like_suggested", _TEXTS, "the same of the suggested class"),
        Column("votes", pa.map_(pa.string(), pa.string()), "what each head says, by its name"),
        Column("_sf_rank", pa.int64(), "1 for the worst"),
    ),
)
