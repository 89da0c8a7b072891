"""Decisions about rows, which one is in force, and what undoing a step writes. Pure Python.

A log is only added to. A step is all that one reviewer decided in one moment. What undoes it is
written after it: the decision that was in force before, or `needs_review`, with a reason that
names the step. The query file `undo` does the same in SQL.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlfuncs.errors import BadInput, Conflict

ACTIONS = ("relabel", "keep", "exclude", "needs_review")
COLUMNS = ("key", "action", "old_label", "new_label", "decided_by", "reason", "decided_at")
MACHINE = "auto_corrections"  # whose decisions wait for a person's
_UNDO = "undo of "
APPLIED = "; applied by "
_LONGEST = 200  # letters of a label in a sentence


def check_log(name: str, columns: Iterable[str]) -> None:
    """Raise BadInput for a table that is no decision log.

    >>> check_log("t", ["key", "action", "old_label", "new_label", "reason", "decided_by"])
    Traceback (most recent call last):
    sqlfuncs.errors.BadInput: t is no decision log: it has no column decided_at. Name another one.
    """
    known = {column.lower() for column in columns}
    missing = [column for column in COLUMNS if column not in known]
    if missing:
        raise BadInput(
            f"{name} is no decision log: it has no column {', '.join(missing)}. Name another one."
        )


def applied(proposal: Decision, reviewer: str) -> Decision:
    """A machine's proposal as somebody applies it: the machine's still, but theirs to take back.

    >>> proposal = Decision("7", "relabel", "a", "b", MACHINE, "b is likelier")
    >>> applied(proposal, "ann").reason
    'b is likelier; applied by ann'
    """
    return replace(proposal, reason=f"{proposal.reason or ''}{APPLIED}{reviewer}", decided_at="")


def as_csv(decisions: Iterable[Decision]) -> str:
    """A log as the text of a CSV file. Texts stand in quotes, so that NULL is none of them.

    >>> print(as_csv([Decision("7", "relabel", None, "a, b", "ann", "", "2026-01-01")]))
    key,action,old_label,new_label,decided_by,reason,decided_at
    "7","relabel",,"a, b","ann","","2026-01-01"
    <BLANKLINE>
    """
    lines = [",".join(COLUMNS)]
    for each in decisions:
        values = (getattr(each, name) for name in COLUMNS)
        lines.append(
            ",".join("" if v is None else '"' + v.replace('"', '""') + '"' for v in values)
        )
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Decision:
    """A row of a decision log. `decided_at` is DuckDB's text of a TIMESTAMP, empty if not kept."""

    key: str
    action: str
    old_label: str | None
    new_label: str | None = None
    decided_by: str | None = None
    reason: str | None = None
    decided_at: str = ""

    @property
    def is_undo(self) -> bool:
        """Whether it takes back a step."""
        return self.reason is not None and self.reason.startswith(_UNDO)

    @property
    def whose(self) -> str | None:
        """Who takes it back: who decided it or, of a machine's, who applied it."""
        if self.decided_by != MACHINE or self.reason is None or APPLIED not in self.reason:
            return self.decided_by
        return self.reason.rpartition(APPLIED)[2]

    @property
    def decides(self) -> bool:
        """Whether the row needs nobody any longer."""
        return self.action != "needs_review" and self.decided_by != MACHINE

    @property
    def is_wrong(self) -> bool:
        """Whether it says that the label given was wrong. No label is none that is wrong."""
        return self.old_label is not None and (
            self.action == "exclude"
            or (self.action == "relabel" and self.new_label != self.old_label)
        )


def in_short(label: str | None) -> str:
    """A label, the beginning of a long one.

    >>> in_short("[O, O]"), len(in_short("[O" + 5000 * ", O" + "]"))
    ('[O, O]', 200)
    """
    text = str(label)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]} ..."


def describe(decision: Decision) -> str:
    """A decision in a few words.

    >>> describe(Decision("7", "relabel", "a", "b", "ann"))
    'ann has given 7 the label b'
    """
    who, key = decision.decided_by or "somebody", decision.key
    match decision.action:
        case "relabel":
            return f"{who} has given {key} the label {in_short(decision.new_label)}"
        case "keep":
            return f"{who} has kept the label of {key}"
        case "exclude":
            return f"{who} has excluded {key}"
    return f"{who} has left {key} to somebody else"


_Step = tuple[str | None, str]  # who decided, and the moment


class Decisions:
    """All decisions of a log, in the order in which they were made.

    >>> log = Decisions([Decision("7", "keep", "a", None, "ann", None, "2026-01-01 00:00:00")])
    >>> log.in_force("7").action
    'keep'
    >>> [(row.action, row.reason) for row in log.undoing("ann")]
    [('needs_review', 'undo of 2026-01-01 00:00:00')]
    """

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        self._standing: dict[str, list[Decision]] = defaultdict(list)
        self._steps: dict[str | None, list[_Step]] = defaultdict(list)  # by who takes them back
        self._keys: dict[_Step, list[str]] = defaultdict(list)
        self._count: Counter[str] = Counter()  # of decisions about a row
        self.all: list[Decision] = []
        for decision in decisions:
            self.add(decision)

    def add(self, decision: Decision) -> None:
        """Take in a decision that stands in the log."""
        self.all.append(decision)
        self._count[decision.key] += 1
        if decision.is_undo:
            self._take_back(decision)
            return
        step = (decision.decided_by, decision.decided_at)
        if step not in self._keys:
            self._steps[decision.whose].append(step)
        self._keys[step].append(decision.key)
        self._standing[decision.key].append(decision)

    def _take_back(self, undo: Decision) -> None:
        moment = (undo.reason or "").removeprefix(_UNDO)
        self._standing[undo.key] = [
            each
            for each in self._standing[undo.key]
            if (each.decided_by, each.decided_at) != (undo.decided_by, moment)
        ]

    def in_force(self, key: str) -> Decision | None:
        """The decision about a row that counts; None where there is none, or it was undone."""
        standing = self._standing.get(key)
        return standing[-1] if standing else None

    def of_people(self, key: str) -> Decision | None:
        """The latest that a person made of those that count."""
        standing = self._standing.get(key, ())
        return next((each for each in reversed(standing) if each.decided_by != MACHINE), None)

    def version(self, key: str) -> str:
        """What changes whenever somebody decides about a row; empty where nothing is in force."""
        return str(self._count[key]) if self.in_force(key) else ""

    def undoing(self, reviewer: str) -> list[Decision]:
        """What to write to take back a reviewer's latest step, as far as it is in force.

        What other people have decided since about its rows stands. Raises Conflict.
        """
        for step in reversed(self._steps[reviewer]):
            keys = (key for key in self._keys[step] if self._is_latest(key, step))
            if rows := [self._before(key, step) for key in keys]:
                return rows
        raise Conflict(f"there is nothing to undo: no decision of {reviewer} is in force.")

    def _is_latest(self, key: str, step: _Step) -> bool:
        now = self.in_force(key) if step[0] == MACHINE else self.of_people(key)
        return now is not None and (now.decided_by, now.decided_at) == step

    def _before(self, key: str, step: _Step) -> Decision:
        standing, (who, moment) = self._standing[key], step
        at = [(each.decided_by, each.decided_at) for each in standing].index(step)
        reason = _UNDO + moment
        # What a machine proposed is for somebody to look at again: it is no decision of a reviewer.
        if at > 0 and standing[at - 1].decided_by != MACHINE:
            return replace(standing[at - 1], decided_by=who, reason=reason, decided_at="")
        return Decision(key, "needs_review", standing[at].old_label, None, who, reason)
