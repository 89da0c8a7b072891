"""Classes of rows that people have reviewed: judged, and learned from as decided."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs import work
from sqlfuncs.errors import BadOption, NoUsableRows
from sqlfuncs.learning.detection import confident, habits, noise, rule, voting
from sqlfuncs.learning.detection.confident import Found
from sqlfuncs.learning.detection.false_flags import flags_surely_within, flags_within
from sqlfuncs.learning.detection.judged import Judged, judge
from sqlfuncs.learning.detection.recalibration import recalibrated
from sqlfuncs.learning.detection.sampling import FEWEST_DRAWN, Drawn
from sqlfuncs.learning.detection.verification import candidates
from sqlfuncs.learning.features.heads import one_thread
from sqlfuncs.learning.labels import labels
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.labels.labels import Labels
from sqlfuncs.learning.models.folds import check_folds
from sqlfuncs.learning.rows.base import describe, is_usable
from sqlfuncs.learning.tasks.base import Mask, Options
from sqlfuncs.learning.tasks.reviews import Places, Reviewed
from sqlfuncs.wording import Option


def check_false_flags(options: Options, has_log: bool) -> None:
    """Raise BadOption for a share of false flags that is none, or that nothing can tell."""
    share, risk = options.false_flags, options.risk
    if risk is not None and (share is None or not 0 < risk < 1):
        raise BadOption(
            f"{Option('risk', risk)} has to lie between 0 and 1, both left out, and is about "
            f"{Option('false_flags', 0.1)}: the chance that more of the flags are false."
        )
    if share is None:
        return
    asked = Option("false_flags", share)
    if not 0 < share < 1:
        raise BadOption(
            f"{asked} has to lie between 0 and 1, both left out. With {Option('false_flags', 0.1)} "
            "a tenth of the flags is expected to be false at most."
        )
    if options.cut != "auto":
        raise BadOption(
            f"{asked} says how many rows are flagged, and so does {Option('cut', options.cut)}. "
            "Leave one of them out."
        )
    if not has_log:
        raise BadOption(
            f"{asked} takes what people decided of a random sample: {FEWEST_DRAWN} rows or more in "
            "a decision log that is named with the table's key (log, key). The query file "
            "review_queue draws them, with order=random."
        )


def annotators_of(rows: Mask, annotators: Codes | None) -> Codes | None:
    """Who gave the labels of some of the rows; None where it is not said."""
    return None if annotators is None else annotators[rows]


def check_judge(options: Options, has_log: bool, has_annotators: bool) -> None:
    """Raise BadOption for a judge that could not be kept, before anything is learned."""
    rule.check_cut(options.cut)
    if has_log:
        raise BadOption(
            f"{Option('judge', options.judge)} keeps what is learned from the labels as the table "
            "has them. Leave log and key out; or apply the decisions first, with "
            "apply_corrections, and let the judge learn from the corrected table."
        )
    if has_annotators:
        raise BadOption(
            f"{Option('judge', options.judge)} keeps the noise of the table, and rows that come "
            "later may be by others. Leave annotator out."
        )


def judged_rows(rows: pa.StructArray, given: Labels, options: Options) -> Judged:
    """Rows as they are judged by models of these labels, as they are given."""
    check_folds(options.folds)
    return judge(
        rows.field("x"),
        given,
        keys_kind=labels.kind_of(rows, "x"),
        votes=voting.read(rows),
        model=options.model,
        folds=options.folds,
        seed=options.seed,
        keeps=options.judge is not None,
    )


def score(judged: Judged, method: str) -> str:
    """The noise of somebody else's probabilities is not known, and their scores are theirs."""
    return "self_confidence" if method == "auto" and not judged.kind.needs_model else method


def given_codes(own: Labels, judged: Judged, keys_kind: str) -> Codes:
    """The classes of labels among those of the models, -1 for others: (rows,)."""
    if not judged.kind.needs_model:
        own = labels.as_classes(own, judged.classes, keys_kind)
    return own.codes(judged.classes)


def judged_as_decided(
    rows: pa.StructArray, own: Labels, reviewed: Reviewed, options: Options
) -> Judged:
    """Labels as given, judged by models that learned them as people decided.

    A row that is excluded teaches nothing. None is judged by what was decided about itself.
    """
    excluded = reviewed.wrong & ~reviewed.relabelled
    learned = as_decided(own.texts, reviewed.relabelled, reviewed.new_label, excluded)
    if learned.null_count == len(learned) > own.texts.null_count:
        raise NoUsableRows("people have excluded every row: none is left to learn from.")
    judged = judged_rows(rows, replace(own, texts=learned), options)
    codes = given_codes(own, judged, labels.kind_of(rows, "x"))
    reasons = judged.reasons.copy()
    reasons[excluded & judged.unlabeled] = None
    unlabeled = judged.has_probs & ~is_usable(own.reasons)
    reasons[unlabeled] = own.reasons[unlabeled]
    unlearned = is_usable(reasons) & (codes < 0)
    reasons[unlearned] = "people left no row with this label, so no model could learn it"
    if not is_usable(reasons).any():
        raise NoUsableRows(f"no row can be judged: {describe(reasons)}.")
    return replace(judged, labels=own, codes=codes, reasons=reasons, unlabeled=unlabeled)


def as_decided(given: pa.Array, relabelled: Mask, new: pa.Array, excluded: Mask) -> pa.Array:
    """The labels to learn from: (rows,), NULL for what is excluded."""
    learned = pc.if_else(pa.array(relabelled), new.cast(pa.string()), given.cast(pa.string()))
    return pc.if_else(pa.array(excluded), pa.scalar(None, pa.string()), learned)


@dataclass(frozen=True)
class Samples:
    """What people found of rows drawn at random, by places among the judged rows; None for too few.

    `of_all` rows, which says how many are wrong; `calibrating`, of these and of the candidates for
    correction, if those were drawn apart, which only says what the models' word is worth.
    """

    of_all: Drawn | None = None
    calibrating: Drawn | None = None


def reviewed_samples(
    rows: pa.StructArray, own: Labels, judged: Judged, reviewed: Reviewed, options: Options
) -> Samples:
    """The reviewed rows that may be learned from; says so where there are too few.

    Raises BadOption if `false_flags` is asked for then.
    """
    of_all = reviewed.sample(judged.rows)
    others = reviewed.decided & judged.rows
    others[of_all] = False
    calibrating = of_all
    if others.sum() >= FEWEST_DRAWN:
        drawn = _drawn_candidates(rows, own, reviewed, options)
        calibrating = np.concatenate([of_all, drawn[others[drawn]]])
    if len(of_all) < FEWEST_DRAWN and options.false_flags is not None:
        raise BadOption(
            f"{Option('false_flags', options.false_flags)} takes {FEWEST_DRAWN} reviewed rows that "
            f"were drawn at random; {len(of_all)} are reviewed, in their order. The query file "
            "review_queue, with order=random, draws the next ones."
        )
    if len(calibrating) < FEWEST_DRAWN:
        work.say(
            f"of the rows drawn at random {len(calibrating)} are reviewed, in their order: too few "
            f"to estimate by. It takes {FEWEST_DRAWN}"
        )
    right = given_codes(replace(own, texts=reviewed.new_label), judged, labels.kind_of(rows, "x"))
    at, true = np.cumsum(judged.rows) - 1, np.where(reviewed.relabelled, right, -1)

    def of(places: Places) -> Drawn | None:
        if len(places) < FEWEST_DRAWN:
            return None
        return Drawn(at[places], reviewed.wrong[places], true[places])

    return Samples(of(of_all), of(calibrating))


def _drawn_candidates(
    rows: pa.StructArray, own: Labels, reviewed: Reviewed, options: Options
) -> Places:
    """The places of the candidates that were drawn, as whoever reviewed them saw them."""
    seen = judged_rows(rows, own, options)
    found = confident.find(
        *seen.evidence,
        options.cut,
        score(seen, options.method),
        seen.outvoted[seen.rows],
        annotators_of(seen.rows, habits.read(rows)),
    )
    chosen = candidates(*seen.evidence, found.flagged, found.suggested).places
    are_candidates = np.zeros(len(rows), dtype=bool)
    are_candidates[np.flatnonzero(seen.rows)[chosen]] = True
    return reviewed.sample(are_candidates)


def _within(share: float, risk: float | None, found: Found, drawn: Drawn) -> Mask:
    if risk is None:
        return flags_within(share, found.quality, drawn)
    return flags_surely_within(share, risk, found.quality, found.flagged, drawn)


def find_by_sample(
    judged: Judged,
    found: Found,
    samples: Samples,
    options: Options,
    annotators: Codes | None = None,
) -> Found:
    """What was found, by probabilities that fit a reviewed sample, where options leave it open.

    A row is flagged if its label is likelier wrong than right. With `false_flags` the flags are the
    most of which so few are expected to be false, by a score that has not seen the sample; with
    `risk`, surely so few, but for that.
    """
    drawn = samples.calibrating
    if drawn is None:
        return found
    codes, probs = judged.evidence
    own = score(judged, options.method)
    likely = probs
    if own in ("auto", confident.NOISE_CORRECTED):
        by = annotators_of(judged.rows, annotators)
        careful = noise.careful_correction(codes, probs)
        likely = habits.corrects(careful, codes, probs, by).apply(codes, probs)
    content = None if judged.content is None else judged.content.of(judged.rows)
    with one_thread():
        likely = recalibrated(codes, probs, likely, drawn, content)
    every = np.arange(len(codes))
    right = likely[every, codes]
    likely[every, codes] = -1
    best, confidence = likely.argmax(axis=1), likely.max(axis=1)
    if options.false_flags is not None and samples.of_all is not None:
        flagged = _within(options.false_flags, options.risk, found, samples.of_all)
    elif options.cut == "auto":
        flagged = (right < 0.5) | (judged.outvoted[judged.rows] & (probs.argmax(axis=1) != codes))
    else:
        flagged = found.flagged
    if options.method != "auto":
        return Found(found.quality, flagged, best, confidence)
    if options.false_flags is None:
        # Where another judge than the score flags a row: see `confident.find`.
        right = np.where(flagged & (right >= 0.5), right / 2, right)
    return Found(right, flagged, best, confidence)
