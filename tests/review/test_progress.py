from __future__ import annotations

from dataclasses import replace

import pytest
from scipy.stats import binomtest

from sqlfuncs.review.decisions import Decision, Decisions
from sqlfuncs.review.progress import by_reviewer, pace, progress, wrong_by_steps
from sqlfuncs.review.queue import Queue
from tests.review.tables import rows_and_judged


def _decision(key: str, action: str, minute: float, by: str = "ann") -> Decision:
    moment = f"2026-01-01 {int(minute) // 60:02d}:{int(minute) % 60:02d}:{minute % 1 * 60:09.6f}"
    return Decision(key, action, "a", "b" if action == "relabel" else None, by, None, moment)


def test_precision_is_of_the_flags_that_were_looked_at() -> None:
    queue = Queue(*rows_and_judged())
    assert progress(queue).precision is None
    for key, action in (("k0", "relabel"), ("k1", "keep"), ("k2", "exclude"), ("k7", "relabel")):
        queue.decide(key, _decision(key, action, 0))
    now = progress(queue)
    assert (now.rows, now.decided, now.wrong, now.flagged) == (8, 4, 3, 4)
    assert (now.flags_reviewed, now.flags_right) == (3, 2)
    interval = binomtest(2, 3).proportion_ci(method="wilson")
    assert now.precision == pytest.approx((2 / 3, interval.low, interval.high))


def test_wrong_labels_by_decisions_in_their_order() -> None:
    """What was taken back or left for later counts nowhere, a row decided twice once, as it is."""
    log = Decisions(_decision(key, action, minute) for minute, (key, action) in enumerate(
        [("1", "relabel"), ("2", "keep"), ("3", "needs_review"), ("4", "exclude"), ("1", "keep"),
         ("5", "relabel"), ("6", "relabel")]
    ))  # fmt: skip
    for undone in log.undoing("ann"):
        log.add(replace(undone, decided_at="2026-01-01 09:00:00"))
    assert wrong_by_steps(log, 2) == [(2, 0), (2, 2)]
    assert wrong_by_steps(log, 3) == [(3, 1), (1, 1)]


def test_pace_leaves_breaks_out() -> None:
    decisions = [_decision(str(i), "keep", m) for i, m in enumerate([0, 0.5, 1, 60, 60.5])]
    assert pace(decisions, "ann") == pytest.approx(2)
    assert pace(decisions[:1], "ann") is None
    assert pace(decisions, "bob") is None


def test_a_clock_that_was_set_back_is_no_pace() -> None:
    """The log then dates a decision right after the one before, which is no person's pace."""
    moments = [0, 1, 1 + 1e-6, 2]
    assert pace([_decision(str(i), "keep", m) for i, m in enumerate(moments)], "ann") == (
        pytest.approx(1)
    )


def test_a_step_of_many_rows_is_no_pace() -> None:
    assert pace([_decision(str(i), "relabel", 1) for i in range(30)], "ann") is None


def test_who_decided_what() -> None:
    undo = Decision("0", "needs_review", "a", None, "ann", "undo of then", "2026-01-02")
    counts = by_reviewer([_decision("0", "keep", 0), _decision("1", "keep", 1, "bob"), undo])
    assert [(name, dict(found)) for name, found in counts] == [
        ("ann", {"keep": 1, "undone": 1}),
        ("bob", {"keep": 1}),
    ]


def test_rows_that_need_review_are_told_from_those_that_are_decided() -> None:
    queue = Queue(*rows_and_judged())
    for key, action in (("k0", "needs_review"), ("k1", "exclude"), ("k2", "needs_review")):
        queue.decide(key, _decision(key, action, 0))
    now = progress(queue)
    assert (now.needs_review, now.decided) == (2, 1)
