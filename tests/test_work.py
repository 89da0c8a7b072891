"""How long work is heard of by somebody without a terminal."""

from __future__ import annotations

import pytest

from sqlfuncs import work
from sqlfuncs.errors import Cancelled


def test_work_that_takes_long_is_heard_of(capsys: pytest.CaptureFixture[str]) -> None:
    with work.listening(work.Quiet()), work.share("growing") as growing:
        growing.reach(0.1)
        assert capsys.readouterr().err == ""
        growing.begun -= 11
        growing.reach(0.2514)
        growing.reach(0.3)  # at once after: nothing is said again
    assert capsys.readouterr().err == "sqlfuncs: growing: 25%\n"


def test_a_listener_of_somebody_else_hears_it_too() -> None:
    class Kept(work.Quiet):
        def __init__(self) -> None:
            self.lines: list[str] = []

        def show(self, message: str) -> None:
            self.lines.append(message)

    kept = Kept()
    with work.listening(kept), work.share("growing") as growing:
        growing.begun -= 11
        growing.reach(0.5)
    assert kept.lines == ["growing: 50%"]


def test_what_it_costs_is_said_instead(capsys: pytest.CaptureFixture[str]) -> None:
    with work.listening(work.Quiet()), work.task("asking", 200) as asking:
        asking.note = "$0.02"
        asking.begun -= 11
        asking.advance(20)
    assert capsys.readouterr().err == "sqlfuncs: asking: $0.02\n"


def test_a_share_stops_where_it_is_asked_to() -> None:
    with pytest.raises(Cancelled), work.share("growing") as growing:
        work.stop()
        try:
            growing.reach(0.5)
        finally:
            work.resume()
