"""Everything a report says, as results of the SQL files beside it. Knows no engine and no HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sqlfuncs import work
from sqlfuncs.errors import StatementFailed
from sqlfuncs.report.source import Figure, Source, Wanted
from sqlfuncs.review.source import FEWEST_RANDOM

LABELS = {
    "given": "as given",
    "pruned": "pruned",
    "auto_corrected": "auto-corrected",
    "reviewed": "reviewed",
    "randomly_reviewed": "reviewed at random",
}


class _Run(Protocol):
    def __call__(self, name: str, /, **given: str) -> Figure: ...


@dataclass
class Findings:
    """Figures by the name of their SQL file, and why others are missing, in plain words."""

    wanted: Wanted
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


def gather(source: Source, wanted: Wanted, skip: frozenset[str] = frozenset()) -> Findings:
    """Run the SQL files in their order. `skip` may hold gain and noisy. Raises StatementFailed."""
    found = Findings(wanted)
    types = source.columns(wanted.table)
    shared = {
        name: str(value) for name, value in vars(wanted).items() if name not in ("test_log", "base")
    }
    shared |= {
        "reads": wanted.text if types[wanted.text] == "VARCHAR" else wanted.x,
        "is_image": str(types[wanted.text] == "BLOB").lower(),
        "is_text": str(types[wanted.text] == "VARCHAR").lower(),
        "has_truth": str(bool(wanted.truth)).lower(),
    }

    def run(name: str, /, **given: str) -> Figure:
        found.figures[name] = source.run(name, {**shared, **given})
        return found.figures[name]

    for name in ("rows", "health", "confusions", "worst"):
        run(name)
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


def _left(found: Findings, run: _Run) -> None:
    seen = int(found.counts["random_reviewed"])
    if seen < FEWEST_RANDOM:
        found.missing["left"] = (
            "How many wrong labels are left can only be told from rows drawn at random, and "
            f"{seen} of {FEWEST_RANDOM} are decided. sqlfuncs review shows them in the order "
            '"random sample", the query file review_queue with order=random.'
        )
    elif not found.is_all_decided:
        run("left")


def _gain(found: Findings, run: _Run, types: Mapping[str, str]) -> None:
    wanted = found.wanted
    if not wanted.test:
        found.missing["gain"] = (
            "What better labels gain was not measured: it takes a table of test rows, with labels "
            "that can be trusted (--test)."
        )
        return
    if types[wanted.text] != "VARCHAR" and not types[wanted.x].endswith("]"):
        found.missing["gain"] = (
            "What better labels gain was not measured: fine_tune trains on text or embeddings, and "
            f"{wanted.x} is {types[wanted.x].partition('(')[0]}."
        )
        return
    # Where every row is decided, random ones are the same ones.
    known = 3 if not found.counts["reviewed"] else 4 if found.is_all_decided else 5
    labels = list(LABELS)[:known]
    given = {"labels": ",".join(labels), "base": wanted.base, "prefix": f"report_{wanted.table}_"}
    run("labels")
    run("gain", **given)
    run("models", **given)
    if "randomly_reviewed" in labels:
        run("against_random")


def _noisy(found: Findings, run: _Run) -> None:
    if not found.wanted.test_log:
        found.missing["noisy"] = (
            "The labels of the test rows were taken as right. Review 20 rows of them or more in "
            'the order "random sample" (sqlfuncs review --table '
            f"{found.wanted.test} --log test_decisions), and the report corrects for wrong ones."
        )
        return
    try:
        run(
            "noisy",
            labels=",".join(found.by_labels("gain")),
            test_log=found.wanted.test_log,
        )
    except StatementFailed as error:
        found.missing["noisy"] = f"Accuracy was not corrected for wrong test labels: {error}."
        work.say(found.missing["noisy"])
