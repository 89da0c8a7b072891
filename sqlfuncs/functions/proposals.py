"""Internal: the computing behind `auto_corrections(issues, key, label)`."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.errors import BadOption
from sqlfuncs.functions.candidates import INPUTS
from sqlfuncs.functions.spec import AUTO, Column, Input, TableFunction
from sqlfuncs.learning.detection import verification
from sqlfuncs.learning.detection.sampling import FEWEST_DRAWN, sample
from sqlfuncs.learning.detection.verification import Candidates, Reviews, Verified
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.tasks import registry
from sqlfuncs.learning.tasks.base import Mask
from sqlfuncs.wording import Call, Option

ACTIONS = ("relabel", "exclude")
_AGAINST = 3  # reviewed corrections that would do harm, more than are right: nothing is proposed


def proposals(
    rows: pa.StructArray,
    *,
    action: str = "relabel",
    risk: float = 0.05,
    precision: float | None = None,
    task: str = AUTO,
) -> pa.StructArray:
    """Which rows of a label_issues result to correct; says why if none may be.

    What people decided of a random sample of the candidates says how many of the others. Of a
    table that is larger than `rows`, those that are `drawn` at random stand for all.
    """
    _check(action, risk, precision)
    issues = registry.of(rows, task=task).suggestions(rows, _drawn(rows))
    places, reviews = issues.places, issues.reviews
    verified = verification.verify(
        issues.found, reviews, excludes=action == "exclude", risk=risk, precision=precision
    )
    _tell_what_is_left_out(issues.found, reviews, verified)
    proposed = np.zeros(len(places), dtype=bool)
    evidence = None
    if len(verified.released):
        proposed[verified.released] = True
        evidence = _evidence(verified, action, risk, precision)
    elif precision is None and issues.weakness is None and not _looks_bad(verified):
        proposed = issues.sure() & ~reviews.known
        if verified.reviewed and proposed.any():
            evidence = "the model alone says so"
            work.say(
                f"auto_corrections proposes what the model alone is sure of: {_more(verified)}"
            )
    else:
        why_not = _why_not(verified, action, issues.weakness, precision)
        work.say(f"auto_corrections proposes nothing: {why_not}")
    return FUNCTION.result(
        {
            "_sf_proposed": _in_table(proposed, places, len(rows)),
            "_sf_evidence": pa.array([evidence] * len(rows), pa.string()),
        }
    )


def _drawn(rows: pa.StructArray) -> Mask:
    """The rows that are learned from; all of them where nothing says which."""
    drawn = rows.field("drawn")
    if pa.types.is_null(drawn.type):
        return np.ones(len(rows), dtype=bool)
    return np.asarray(drawn.cast(pa.bool_()).fill_null(False))


def _looks_bad(verified: Verified) -> bool:
    """Whether the reviewed rows, if they do not decide it, speak against correcting."""
    return verified.is_refuted or verified.harmful - verified.right >= _AGAINST


def _tell_what_is_left_out(found: Candidates, reviews: Reviews, verified: Verified) -> None:
    reviewed = int(reviews.known[found.places].sum())
    drawn = int(sample(reviews.ranks[found.places], reviews.known[found.places]).size)
    if reviewed - drawn >= FEWEST_DRAWN and not len(verified.released):
        work.say(
            f"auto_corrections: of {reviewed} candidates that people reviewed {drawn} are a random "
            "sample. The others were chosen, or drawn for other issues (of another model, or "
            "learned from a log): give the issues for which they were drawn"
        )


def _check(action: str, risk: float, precision: float | None) -> None:
    if action not in ACTIONS:
        raise BadOption.among("action", action, ACTIONS)
    if not 0 < risk < 1:
        raise BadOption(
            f"{Option('risk', risk)} has to lie between 0 and 1, both left out. With "
            f"{Option('risk', 0.05)} at most 5 in 100 such releases do harm."
        )
    if precision is not None and not 0 < precision < 1:
        raise BadOption(
            f"{Option('precision', precision)} has to lie between 0 and 1, both left out. With "
            f"{Option('precision', 0.9)} at least 90 in 100 of the corrections are right."
        )


def _in_table(judged: Mask, places: Codes, rows: int) -> pa.Array:
    """A value for each row of the table, false for those that were not judged."""
    mask = np.zeros(rows, dtype=bool)
    mask[places] = judged
    return pa.array(mask)


def _sample(verified: Verified, action: str) -> str:
    done = "relabelling" if action == "relabel" else "excluding"
    rows = f"of {verified.drawn} rows that people reviewed, drawn at random,"
    if verified.drawn < verified.reviewed:
        rows = (
            f"of {verified.reviewed} rows that people reviewed, drawn at random, "
            f"{verified.drawn} are among the best {verified.size} of {verified.candidates} "
            "candidates; of these"
        )
    return f"{rows} {done} was right for {verified.right} and not for {verified.harmful}"


def _more(verified: Verified) -> str:
    """That a sample which has begun does not decide it yet."""
    if verified.needed is None:
        return f"the {verified.reviewed} rows reviewed do not decide it, and more hardly would"
    return (
        f"the {verified.reviewed} rows reviewed do not decide it yet; about {verified.needed} more "
        f"of the {verified.candidates} candidates may"
    )


def _evidence(verified: Verified, action: str, risk: float, precision: float | None) -> str:
    aim = "do good" if precision is None else f"are right for {precision:.0%} or more"
    return (
        f"{_sample(verified, action)}: the {len(verified.released)} corrections released {aim}, at "
        f"a risk of {risk:g}"
    )


def _why_not(verified: Verified, action: str, reason: str | None, precision: float | None) -> str:
    if not verified.candidates:
        return reason or "of no flagged row the suggestion is likelier right than the label"
    shown = f"that so many are right ({Option('precision', precision)}) takes reviewed rows to show"
    pieces = [reason or shown]
    if verified.drawn:
        pieces = [_sample(verified, action)]
        if verified.is_refuted:
            return f"{pieces[0]}, which is not worth the risk of the others"
    queue = Call("review_queue", "...", Option("purpose", "verify"), is_table=True)
    if verified.needed is None:
        pieces.append("review the flagged rows one by one; a sample of them would hardly decide")
    else:
        more = "more " if verified.drawn else ""
        pieces.append(
            f"review about {verified.needed} {more}of the {verified.candidates} candidates, drawn "
            f"at random ({queue}), and give the decisions: {Option('log', ...)}"
        )
    return "; ".join(pieces)


FUNCTION = TableFunction(
    name="_proposals",
    compute=proposals,
    inputs=(*INPUTS, Input("drawn", is_optional=True)),
    reviews=True,
    returns=(
        Column("_sf_proposed", pa.bool_(), "whether to correct it"),
        Column("_sf_evidence", pa.string(), "what people's reviews say of the proposed; else NULL"),
    ),
)
