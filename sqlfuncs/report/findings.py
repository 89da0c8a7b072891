"""Everything a report says, as results of an engine's SQL files. Knows no engine and no HTML."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlfuncs import work
from sqlfuncs.engines.base import ColumnType, Kind
from sqlfuncs.errors import BadInput, StatementFailed
from sqlfuncs.report.source import Figure, Source, Wanted
from sqlfuncs.review.source import FEWEST_RANDOM

if TYPE_CHECKING:
    from sqlfuncs.report.kinds.base import LabelKind, Run

LABELS = {
    "given": "as given",
    "pruned": "pruned",
    "auto_corrected": "auto-corrected",
    "reviewed": "reviewed",
    "randomly_reviewed": "reviewed at random",
}


_NOT_MEASURED = "What better labels gain was not measured"
_NOT_IN_NAMES = r"[@:\x00-\x1f\x7f]"  # of models
_LONGEST_PREFIX = 60


@dataclass
class Findings:
    """Figures by the name of their SQL file, and why others are missing, in plain words."""

    wanted: Wanted
    kind: LabelKind
    figures: dict[str, Figure] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Figure:
        return self.figures[name]

    def __contains__(self, name: str) -> bool:
        return name in self.figures

    @property
    def counts(self) -> Mapping[str, float]:
        """The one row of `rows`: how many rows, flags, decisions."""
        return self["rows"].rows[0]

    @property
    def is_all_decided(self) -> bool:
        """Whether no row is left to decide."""
        return self.counts["reviewed"] == self.counts["rows"]

    def by_labels(self, name: str) -> dict[str, Mapping[str, float]]:
        """Rows of `gain` or `noisy` by the labels that were trained on; empty if it is missing."""
        return {row["labels"]: row for row in self[name].rows} if name in self else {}


def gather(
    source: Source, wanted: Wanted, kind: LabelKind, skip: frozenset[str] = frozenset()
) -> Findings:
    """Run the SQL files in their order. `skip` may hold gain and noisy. Raises StatementFailed."""
    found = Findings(wanted, kind)
    types = source.columns(wanted.table)
    shown = types[wanted.text].kind
    shared = {
        name: str(value) for name, value in vars(wanted).items() if name not in ("test_log", "base")
    }
    shared |= {
        "reads": wanted.text if shown is Kind.TEXT else wanted.x,
        "is_image": str(shown is Kind.BYTES).lower(),
        "is_text": str(shown is Kind.TEXT).lower(),
        "is_listed": str(shown is Kind.LIST).lower(),
        "has_truth": str(bool(wanted.truth)).lower(),
        "fewest": str(FEWEST_RANDOM),
        "task": kind.task,
        "beside": ",".join(kind.beside),
        **kind.given,
    }

    def run(name: str, /, **given: str) -> Figure:
        found.figures[name] = source.run(name, {**shared, **given})
        return found.figures[name]

    try:
        run("rows")
    except StatementFailed as error:
        if wanted.log and "nothing was applied" in str(error):
            raise BadInput(
                f"the log {wanted.log}: {error} --log names another log, and --log '' none."
            ) from None
        raise
    is_sampled = found.counts["random_reviewed"] >= FEWEST_RANDOM
    kind.gather(run, is_sampled=is_sampled)
    run("worst")
    if wanted.log:
        run("reviewers")
    else:
        found.missing["reviewers"] = "There is no decision log: nobody has reviewed anything yet."
    if found.counts["reviewed"]:
        run("found")
    _left(found, run)
    if "gain" in skip:
        found.missing["gain"] = "What better labels gain was left out, as asked."
    else:
        _gain(found, run, types)
    if "gain" in found and "noisy" not in skip:
        _noisy(found, run)
    run("paid")
    return found


def _left(found: Findings, run: Run) -> None:
    seen = int(found.counts["random_reviewed"])
    if seen < FEWEST_RANDOM:
        found.missing["left"] = (
            "How many wrong labels are left can only be told from rows drawn at random, and "
            f"{seen} of {FEWEST_RANDOM} are decided. sqlfuncs review shows them in the order "
            '"random sample", the query file review_queue with order=random.'
        )
    elif not found.is_all_decided:
        try:
            run("left")
        except StatementFailed as error:  # where all of the sample were excluded, for one
            found.missing["left"] = str(error)


def _gain(found: Findings, run: Run, types: Mapping[str, ColumnType]) -> None:
    wanted = found.wanted
    if not found.kind.is_trained:
        found.missing["gain"] = (
            f"{_NOT_MEASURED}: a report does not train on labels of this kind yet."
        )
        return
    if not wanted.test:
        found.missing["gain"] = f"{_NOT_MEASURED}: " + (
            wanted.why_no_test
            or "it takes a table of test rows, with labels that can be trusted (--test)."
        )
        work.say(found.missing["gain"])
        return
    if types[wanted.text].kind is not Kind.TEXT and types[wanted.x].kind is not Kind.LIST:
        found.missing["gain"] = (
            f"{_NOT_MEASURED}: fine_tune trains on text or embeddings, and {wanted.x} is "
            f"{types[wanted.x].name.partition('(')[0]}."
        )
        return
    counts = run("labels").rows[0]
    why = _why_not(wanted, counts)
    if why:
        found.missing["gain"] = f"{_NOT_MEASURED}: {why}"
        work.say(found.missing["gain"])
        return
    strength = run("strength").rows[0]
    if not strength["can_judge"] and not counts["proposed"]:
        found.missing["strength"] = (
            f"Auto-corrected labels are those given, as nothing is proposed: {strength['reason']}."
        )
    unknown = counts["tested_on"] - counts["tested_on_known"]
    if unknown:
        found.missing["unknown"] = (
            f"{unknown} of the {counts['tested_on']} test rows have labels that no row of "
            f"{wanted.table} has, and count as errors."
        )
    labels = [name for name in _of_interest(found) if counts[name] > 1]
    left_out = [LABELS[name] for name in _of_interest(found) if counts[name] < 2]
    if left_out:
        found.missing["labels"] = f"All rows have the same label: {', '.join(left_out)}."
    prefix = f"report_{re.sub(_NOT_IN_NAMES, '_', wanted.table)[:_LONGEST_PREFIX]}_"
    given = {"labels": ",".join(labels), "base": wanted.base, "prefix": prefix}
    run("gain", **given, score=found.kind.score.column)
    run("models", **given)
    if "randomly_reviewed" in labels:
        run("against_random", score=found.kind.score.column)


def _of_interest(found: Findings) -> list[str]:
    """The kinds of labels to compare."""
    names = list(LABELS)
    if not found.counts["reviewed"]:
        return names[:3]
    if found.is_all_decided:  # then random ones are the same ones
        return names[:4]
    if not found.wanted.truth and found.counts["random_reviewed"] < FEWEST_RANDOM:
        found.missing["control"] = (
            "What reviewing as many rows at random would have gained is not known: that takes "
            f"{FEWEST_RANDOM} decided rows of the random sample."
        )
        return names[:4]
    return names


def _why_not(wanted: Wanted, counts: Mapping[str, int]) -> str:
    """Why nothing can be trained and tested; empty if it can."""
    if not counts["tested_on"]:
        return f"no row of {wanted.test} has something to read and a label."
    if not counts["trained_on"]:
        return f"every row of {wanted.table} is among the rows of {wanted.test} too."
    if not counts["tested_on_known"]:
        return (
            f"none of the labels of {wanted.test} is a label of {wanted.table}, written as it is "
            f"there. Is {wanted.label} of another type in one of them?"
        )
    if counts["given"] < 2:
        return f"all rows of {wanted.table} that can be trained on have the same label."
    return ""


def _noisy(found: Findings, run: Run) -> None:
    if not found.kind.corrects_scores:
        found.missing["noisy"] = "The labels of the test rows were taken as right."
        return
    if not found.wanted.test_log:
        found.missing["noisy"] = (
            f"The labels of the test rows were taken as right. Review {FEWEST_RANDOM} rows of them "
            f'or more in the order "random sample" ({_review_of_test(found.wanted)}), and the '
            "report corrects for wrong ones."
        )
        return
    seen = run("tested", test_log=found.wanted.test_log).rows[0]["reviewed"]
    if seen < FEWEST_RANDOM:
        found.missing["noisy"] = (
            f"The labels of the test rows were taken as right: {seen} rows of their random sample "
            f"are decided, and {FEWEST_RANDOM} tell something of the others."
        )
        return
    run("noisy", labels=",".join(found.by_labels("gain")))


def _review_of_test(wanted: Wanted) -> str:
    """The command that reviews the rows to test on."""
    names = {"table": wanted.test, "text": wanted.text, "label": wanted.label}
    names |= {"key": wanted.test_key, "log": "test_decisions"}
    options = [f"--{role}={name}" for role, name in names.items() if name]
    return shlex.join(["sqlfuncs", "review", wanted.file, *options])
