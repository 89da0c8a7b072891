"""What a label_issues result suggests where labels are classes, and what people found of it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs.learning.detection import corrections, verification
from sqlfuncs.learning.detection.corrections import Strength
from sqlfuncs.learning.detection.verification import Reviews
from sqlfuncs.learning.labels import labels
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import Floats, is_usable
from sqlfuncs.learning.tasks.base import Mask, Suggestions
from sqlfuncs.learning.tasks.reviews import Reviewed, equal
from sqlfuncs.wording import Option


def suggestions(issues: pa.StructArray, drawn: Mask) -> Suggestions:
    """Of the rows that were judged. The noise is learned from the rows `drawn` (rows,)."""
    codes, probs, places, flagged, suggested = flagged_rows(issues)
    own = drawn[places]

    def sure() -> Mask:
        return corrections.worth_making(codes, probs, flagged, suggested, own)

    return Suggestions(
        places,
        verification.candidates(codes, probs, flagged, suggested, own),
        _reviews(issues, places),
        _reason(corrections.strength(codes[own], probs[own]), issues),
        sure,
    )


def strength(issues: pa.StructArray) -> dict[str, pa.Array]:
    """The columns of `model_strength`."""
    _, codes, probs, _ = judged_rows(issues)
    found = corrections.strength(codes, probs)
    seen = found.evidence
    shown = ("agreement", "agreement_low", "majority", "kappa", "noise")
    return {
        "judged": pa.array([found.judged]),
        **{name: pa.array([seen and getattr(seen, name)], pa.float64()) for name in shown},
        "can_judge": pa.array([found.reason is None]),
        "reason": pa.array([_reason(found, issues)], pa.string()),
    }


def _reason(found: Strength, rows: pa.StructArray) -> str | None:
    """Why the model may not correct; where rows were judged as no classes, how to say that."""
    judged = rows.field("label").is_valid(), rows.field("not_judged").is_null()
    if found.reason != corrections.NOT_JUDGED or not np.logical_and(*map(np.asarray, judged)).any():
        return found.reason
    return (
        "no row that was judged has class_probs; where labels are numbers, say so: "
        f"{Option('task', 'regression')}"
    )


def _reviews(rows: pa.StructArray, places: Codes) -> Reviews:
    """What people said of the rows that were judged, which have these places."""
    reviewed = Reviewed.read(rows)
    if reviewed is None:
        return Reviews.none(len(places))
    confirmed = reviewed.relabelled & equal(
        reviewed.new_label, rows.field("suggested_label").cast(pa.string())
    )
    known = reviewed.decided | reviewed.undecided
    return Reviews(reviewed.ranks[places], known[places], reviewed.wrong[places], confirmed[places])


def flagged_rows(rows: pa.StructArray) -> tuple[Codes, Floats, Codes, Mask, Codes]:
    """The rows of a label_issues result that were judged.

    Their given classes, probabilities and places in the table, which are flagged with a
    suggestion, and the classes suggested.
    """
    names, codes, probs, places = judged_rows(rows)
    named = labels.as_classes(
        labels.read(rows, "suggested_label"), names, labels.kind_of(rows, "class_probs")
    )
    suggested = named.codes(names)[places]
    flagged = np.asarray(rows.field("is_label_issue").cast(pa.bool_()).fill_null(False))[places]
    return codes, probs, places, flagged & (suggested >= 0), suggested


def judged_rows(rows: pa.StructArray) -> tuple[tuple[str, ...], Codes, Floats, Codes]:
    """The rows of a label_issues result that were judged.

    Their classes, given classes (rows,), probabilities (rows, classes) and places in the table.
    """
    none = np.zeros(0, dtype=np.int64)
    given = registry.read(rows.field("class_probs")).probabilities if len(rows) else None
    if given is None:
        return (), none, np.zeros((0, 0)), none
    keys_kind = labels.kind_of(rows, "class_probs")
    named = labels.as_classes(labels.read(rows), given.classes, keys_kind)
    codes = named.codes(given.classes)
    usable = is_usable(given.reasons) & (codes >= 0)
    usable &= np.asarray(rows.field("not_judged").is_null())
    return given.classes, codes[usable], given.values[usable], np.flatnonzero(usable)
