"""A queue of rows to review: what is known of each, which ones are wanted, in which order.

Imports numpy and pyarrow. Everything about a row is in arrays, by its place in the table, so that
100,000 rows are filtered in a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs.learning.detection.sampling import random_ranks, sample
from sqlfuncs.learning.labels import tags
from sqlfuncs.review.decisions import ACTIONS, Decision
from sqlfuncs.review.labels.base import Codes, Labels, Mask, Pair, Parts, Told
from sqlfuncs.review.labels.classes import Classes

Floats = npt.NDArray[np.float64]

STATES = ("open", "unlabelled", "decided", "needs_review", "all")
SORTS = ("worst", "random", "verify", "table")


@dataclass(frozen=True)
class Filter:
    """Which rows are wanted. None, empty text and full ranges want all.

    `given` and `suggested` are choices of the kind of label, such as classes; a row without a
    suggestion counts as suggesting its own label. `low` and `high` bound the label quality, `text`
    is what a row says, `flagged` leaves out what the model finds right. The order `verify` wants
    the candidates for correction alone, at random.
    """

    given: int | None = None
    suggested: int | None = None
    text: str = ""
    low: float = 0.0
    high: float = 1.0
    state: str = "open"
    sort: str = "worst"
    flagged: bool = False


@dataclass(frozen=True)
class Scores:
    """What a model says of each row, by its place in the table.

    `rank` (rows,) from 1, `quality` (rows,) 0 .. 1, NaN where unknown; `flagged` (rows,);
    `suggested` (rows,) codes of labels, -1 for none; `told` (rows, columns of the kind of label).
    """

    rank: Codes
    quality: Floats
    flagged: Mask
    suggested: Codes
    told: Told


class Queue:
    """The rows of a table under review.

    `rows` has the columns key, label and text, `judged` is a result of `label_issues` with key;
    `more` are labels that no row was given, but somebody has decided on; `kind` is what they are,
    and `parts` reads their lists, which are JSON if nothing else is said.
    """

    def __init__(
        self,
        rows: pa.Table,
        judged: pa.Table,
        more: Collection[str] = (),
        kind: type[Labels] = Classes,
        parts: Parts = tags.listed,
    ) -> None:
        self.keys: list[str] = rows["key"].to_pylist()
        self.place = {key: place for place, key in enumerate(self.keys)}
        self.text = rows["text"].combine_chunks()
        if pa.types.is_dictionary(self.text.type):  # an ENUM
            self.text = self.text.cast(pa.string())
        is_words = pa.types.is_list(self.text.type) and pa.types.is_string(
            self.text.type.value_type
        )
        self._said = pc.binary_join(self.text, " ") if is_words else self.text
        given = rows["label"].to_pylist()
        self.labels = kind(given, judged, more, parts)
        self.given = self.labels.codes(given)
        order = self.places(judged)
        self.not_judged: dict[int, str] = {
            int(place): why
            for place, why in zip(order, judged["not_judged"].to_pylist(), strict=True)
            if why is not None
        }
        n = len(self.keys)
        self.scores = Scores(
            np.full(n, n + 1),
            np.full(n, np.nan),
            np.zeros(n, bool),
            np.full(n, -1),
            np.zeros((n, 0)),
        )
        quality = judged["label_quality"].to_numpy()
        ranks = np.empty(n, np.int64)
        ranks[np.argsort(np.where(np.isnan(quality), 2, quality), kind="stable")] = np.arange(n) + 1
        self.take_in(judged.append_column("review_rank", pa.array(ranks)))
        # By the labels as given: what precision, and the corrections to release, are about.
        self.first_flagged, self.first_suggested = self.scores.flagged, self.scores.suggested
        self.action = np.full(n, -1)  # place in ACTIONS of what a person decided, -1 for nothing
        self.is_wrong = np.zeros(n, bool)  # by what a person decided
        self.is_mended = np.zeros(n, bool)  # by the first suggestion, where the label is wrong
        self.is_worse = np.zeros(n, bool)  # the first suggestion than the label that is wrong
        self.in_force = self.given.copy()  # labels, with what is decided
        self.random_ranks = random_ranks(self.keys)
        self.random_order = np.argsort(self.random_ranks)
        self.is_candidate = np.zeros(n, bool)  # for correction, by the labels as given

    def take_in(self, learned: pa.Table) -> None:
        """Replace what is known of the rows of a table with review_rank, as of `review_queue`."""
        at = self.places(learned)
        if not len(at):
            return
        told = self.labels.told(learned)
        new = replace(
            self.scores, **{name: value.copy() for name, value in vars(self.scores).items()}
        )
        if new.told.shape[1] != told.shape[1]:
            new = replace(new, told=np.full((len(self.keys), told.shape[1]), np.nan, told.dtype))
        new.rank[:] = len(self.keys) + 1
        new.rank[at] = learned["review_rank"].fill_null(len(self.keys) + 1).to_numpy()
        new.quality[at] = learned["label_quality"].to_numpy()
        new.flagged[at] = learned["is_label_issue"].fill_null(False).to_numpy()
        new.suggested[at] = self.labels.codes(learned["suggested_label"].to_pylist())
        new.told[at] = told
        self.scores = new
        self._worst_first = np.argsort(new.rank, kind="stable")

    def decide(self, key: str, decision: Decision | None) -> None:
        """Note what is in force about a row, None for nothing that a person decided."""
        place = self.place[key]
        self.action[place] = ACTIONS.index(decision.action) if decision else -1
        self.is_wrong[place] = decision is not None and decision.decides and decision.is_wrong
        new = decision.new_label if decision and decision.action == "relabel" else None
        self.in_force[place] = self.given[place] if new is None else self.labels.code(new)
        self.is_mended[place], self.is_worse[place] = self._outcome(place, new)
        if decision is None and self.scores.rank[place] > len(self.keys):
            self._put_back(place)

    def _outcome(self, place: int, new: str | None) -> tuple[bool, bool]:
        """Whether the first suggestion mends a label that is wrong, or makes it worse."""
        given = self.label(place)
        suggested = self.labels.text(self.first_suggested[place])
        if not self.is_wrong[place] or None in (given, suggested, new):
            return False, False
        return self.labels.outcome(str(given), str(suggested), str(new))

    def _put_back(self, place: int) -> None:
        """Rank a row by its quality that is open again, and was decided when others were ranked."""
        scores = self.scores
        ranked = scores.rank <= len(self.keys)
        scores.rank[place] = 1 + int((ranked & (scores.quality < scores.quality[place])).sum())
        self._worst_first = np.argsort(scores.rank, kind="stable")

    @property
    def is_decided(self) -> Mask:
        """(rows,): whether a person has decided for good."""
        decided: Mask = (self.action >= 0) & (self.action != ACTIONS.index("needs_review"))
        return decided

    def matching(self, wanted: Filter) -> Mask:
        """(rows,): which rows a filter wants."""
        scores = self.scores
        mask = self._in_state(wanted.state)
        if wanted.given is not None:
            mask = mask & self.labels.is_given(self.given, wanted.given)
        if wanted.suggested is not None:
            mask = mask & self.labels.is_suggested(self.given, self._leads_to(), wanted.suggested)
        if wanted.sort == "verify":
            mask = mask & self.is_candidate
        if wanted.flagged:
            mask = mask & scores.flagged
        if wanted.low > 0 or wanted.high < 1:
            mask = mask & (scores.quality >= wanted.low) & (scores.quality <= wanted.high)
        if wanted.text:
            mask = mask & self._containing(wanted.text)
        return mask

    def select(self, wanted: Filter) -> Codes:
        """The places of the rows a filter wants, in its order."""
        mask = self.matching(wanted)
        match wanted.sort:
            case "random" | "verify":
                return self.random_order[mask[self.random_order]]
            case "table":
                return np.flatnonzero(mask)
        return self._worst_first[mask[self._worst_first]]

    def matrix(self, wanted: Filter) -> Codes | None:
        """Rows by given and suggested choice, of what a filter leaves else, if there is a table."""
        return self.labels.matrix(*self._of_labelled(wanted))

    def pairs(self, wanted: Filter) -> list[Pair]:
        """In which ways labels are doubted, of what a filter leaves else."""
        return self.labels.pairs(*self._of_labelled(wanted))

    def _of_labelled(self, wanted: Filter) -> tuple[Codes, Codes]:
        """Given and suggested labels, whatever a filter wants these to be."""
        mask = self.matching(replace(wanted, given=None, suggested=None)) & (self.given >= 0)
        return self.given[mask], self._leads_to()[mask]

    def sample(self) -> list[str]:
        """The keys of the random sample so far: as far as its order is decided without a gap."""
        return [self.keys[place] for place in sample(self.random_ranks, self.is_decided)]

    def shown(self, place: int, typed: str | None = None) -> object:
        """What the page shows of a row's label, as its kind has it; `typed` was not taken."""
        label, suggested = self.label(place), self.suggested(place)
        content = self.text[place].as_py()
        return self.labels.shown(label, suggested, self.scores.told[place], typed, content)

    def label(self, place: int) -> str | None:
        """The label given to a row."""
        return self.labels.text(self.given[place])

    def suggested(self, place: int) -> str | None:
        """What a row's label should be, None where the given one stands."""
        return self.labels.text(self.scores.suggested[place])

    def suggested_code(self, place: int) -> int:
        """Its code, -1 for none."""
        return int(self.scores.suggested[place])

    def _leads_to(self) -> Codes:
        return np.where(self.scores.suggested >= 0, self.scores.suggested, self.given)

    def _in_state(self, state: str) -> Mask:
        needs_review: Mask = self.action == ACTIONS.index("needs_review")
        match state:
            case "decided":
                return self.is_decided
            case "needs_review":
                return needs_review
            case "all":
                return np.ones(len(self.keys), bool)
        # What somebody was not sure of is not open: it has a state of its own.
        open_: Mask = self.action < 0
        return open_ & (self.given < 0) if state == "unlabelled" else open_

    def _containing(self, substring: str) -> Mask:
        if not pa.types.is_string(self._said.type) and not pa.types.is_large_string(
            self._said.type
        ):
            return np.zeros(len(self.keys), bool)
        found: Mask = (
            pc.match_substring(self._said, substring, ignore_case=True)
            .fill_null(False)
            .to_numpy(zero_copy_only=False)
        )
        return found

    def places(self, table: pa.Table) -> Codes:
        """The places of the rows of a table with the column key."""
        return np.array([self.place[key] for key in table["key"].to_pylist()], dtype=np.int64)


def neighbours_in(order: Sequence[int] | Codes, place: int) -> tuple[int | None, int | None]:
    """The places before and after one in an order; the first one, if it is not in there.

    >>> neighbours_in([4, 7, 9], 7), neighbours_in([4, 7, 9], 5), neighbours_in([], 5)
    ((4, 9), (None, 4), (None, None))
    """
    found = np.flatnonzero(np.asarray(order) == place)
    if not found.size:
        return None, int(order[0]) if len(order) else None
    at = int(found[0])
    before = int(order[at - 1]) if at else None
    return before, int(order[at + 1]) if at + 1 < len(order) else None
