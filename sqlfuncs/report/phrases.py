"""What a report says in short. Plain text; templates escape it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlfuncs.report.findings import LABELS, Findings
from sqlfuncs.report.words import between, percent, some
from sqlfuncs.review.source import FEWEST_RANDOM
from sqlfuncs.statistics.intervals import wilson

CLEAR_P = 0.05
_BEST_FIRST = ("reviewed", "auto_corrected", "given")  # of the labels, what is said first


@dataclass(frozen=True)
class Card:
    """A number that is seen first, and what it is."""

    number: str
    what: str


def cards(found: Findings) -> Iterator[Card]:
    """The numbers that are seen first."""
    counts, gain = found.counts, found.by_labels("gain")
    yield Card(f"{counts['rows']:,}", f"rows of {found.wanted.table}")
    if counts["auto_corrected"]:
        yield Card(
            f"{_mended(found):,}", f"labels mended, {some(counts['reviewed'], 'row')} reviewed"
        )
    elif counts["reviewed"]:
        yield Card(
            f"{counts['wrong']:,}", f"wrong labels found in {some(counts['reviewed'], 'decision')}"
        )
    else:
        yield Card(f"{counts['flagged']:,}", found.kind.flagged(found))
    if gain:
        best = next(name for name in _BEST_FIRST if name in gain)
        score = found.kind.score
        before, after = score.value(gain["given"]), score.value(gain[best])
        yield Card(
            after if best == "given" else f"{before} → {after}",
            f"{score.card(gain[best]['n'])}, trained on labels as given"
            + ("" if best == "given" else f" and {LABELS[best]}")
            + ("" if best == "given" or gain[best]["p_value"] < CLEAR_P else "; may be chance"),
        )
        if "randomly_reviewed" in gain:
            control = score.value(gain["randomly_reviewed"])
            yield Card(control, "had as many rows been reviewed at random")


def in_short(found: Findings) -> Iterator[str]:
    """What a report says, in sentences."""
    if _mended(found):
        yield _effort(found)
    yield _labels(found)
    if found.counts["reviewed"]:
        yield _review(found)
    if found.counts["random_reviewed"] >= FEWEST_RANDOM and not found.is_all_decided:
        yield _sample(found)
    if "left" in found:
        now = found["left"].rows[0]
        yield (
            f"About {now['errors_left']:,.0f} wrong labels are left in the rows nobody has decided "
            f"({now['errors_left_low']:,.0f} to {now['errors_left_high']:,.0f})."
        )
    if "gain" in found:
        yield from _gain(found)
    if "noisy" in found:
        yield _noisy(found)


def _mended(found: Findings) -> int:
    """Labels that people found wrong, and that auto_corrections changes."""
    return int(found.counts["wrong"] + found.counts["auto_corrected"])


def _effort(found: Findings) -> str:
    """What was gained by what effort, and at what risk."""
    counts = found.counts
    reviewed, auto = int(counts["reviewed"]), int(counts["auto_corrected"])
    text = f"{some(_mended(found), 'label')} mended, {some(reviewed, 'row')} reviewed"
    if reviewed:
        text += f": {_mended(found) / reviewed:.1f} for each"
    text += "."
    released = int(counts["released"])
    if released:
        text += (
            f" {released:,} of them nobody has looked at: a reviewed sample released them, at a "
            f"risk of {percent(counts['risk'], 0)} that they do more harm than good."
        )
    if auto > released:
        text += f" {auto - released:,} of them were corrected by the probabilities alone."
    return text


def _labels(found: Findings) -> str:
    counts = found.counts
    text = found.kind.in_short(found)
    if counts["not_judged"]:
        not_judged = some(counts["not_judged"], "row")
        text += f" {not_judged} could not be judged: {counts['why_not_judged']}."
    return text


def _review(found: Findings) -> str:
    """Decisions, and the precision of the flags among them."""
    counts = found.counts
    everything = "all " if found.is_all_decided else ""
    text = (
        f"People have reviewed {everything}{some(counts['reviewed'], 'row')} and found "
        f"{some(counts['wrong'], 'wrong label')}."
    )
    if counts["flags_reviewed"]:
        text += (
            f" Of {counts['flags_reviewed']:,} flags they looked at, {counts['flags_right']:,} "
            f"were right: {percent(counts['precision'], 0)} "
            f"({between(counts['precision_low'], counts['precision_high'], 0)})."
        )
        if counts["flags_reviewed"] < counts["flagged"]:
            text += " Those that nobody has looked at are less doubtful, and less often right."
    return text


def _sample(found: Findings) -> str:
    seen, wrong = int(found.counts["random_reviewed"]), int(found.counts["random_wrong"])
    low, high = (float(wilson([wrong], [seen], side)[0]) for side in (-1, 1))
    return (
        f"Of {seen:,} rows drawn at random, {wrong:,} had a wrong label: "
        f"{percent(wrong / seen, 0)} ({between(low, high, 0)})."
    )


def _gain(found: Findings) -> Iterator[str]:
    gain, score = found.by_labels("gain"), found.kind.score
    for labels in ("reviewed", "auto_corrected"):
        if labels in gain:
            row = gain[labels]
            text = (
                f"Trained on {LABELS[labels]} labels, the same model {score.said(row)}, against "
                f"{score.value(gain['given'])} on labels as given: {score.difference(row)}"
            )
            if row["error_reduction"] is not None and row["error_reduction"] > 0:
                text += f", {score.gone(row['error_reduction'])}"
            clear = row["p_value"] < CLEAR_P
            yield text + ("." if clear else ". That may be chance.")
            break
    if "against_random" in found:
        row = found["against_random"].rows[0]
        clear = row["p_value"] < CLEAR_P
        yield (
            "Had as many rows been reviewed at random, it would have been "
            f"{score.as_control(row)}: which rows were reviewed is worth {score.difference(row)}"
            + ("." if clear else ", which may be chance.")
        )


def _noisy(found: Findings) -> str:
    by_labels = found.by_labels("noisy")
    row = by_labels["reviewed" if "reviewed" in by_labels else "given"]
    if row["label_accuracy"] == 1:
        return (
            f"Of {some(row['reviewed'], 'test row')} that people have looked at, no label is wrong."
        )
    return (
        f"Test labels are wrong, too: about {percent(1 - row['label_accuracy'], 0)} of them "
        f"({between(1 - row['label_accuracy_high'], 1 - row['label_accuracy_low'], 0)}). Corrected "
        f"for that, it is right on {percent(row['accuracy'])} "
        f"({between(row['accuracy_low'], row['accuracy_high'])})."
    )
