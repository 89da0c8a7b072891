from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Callable

import pytest

from sqlfuncs.llm.limits import Limiter


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def _may(limiter: Limiter, tokens: int = 10) -> bool:
    """Whether a request may run at once."""
    asked = iter([False, True])
    return limiter.enter(tokens, lambda: next(asked))


def test_so_many_at_once() -> None:
    limiter = Limiter(2, clock=_Clock())
    assert [_may(limiter) for _ in range(3)] == [True, True, False]
    limiter.leave()
    assert _may(limiter)


def test_so_many_a_minute() -> None:
    clock = _Clock()
    limiter = Limiter(9, requests_per_minute=2, clock=clock)
    assert [_may(limiter) for _ in range(3)] == [True, True, False]
    clock.now += 59
    assert not _may(limiter)
    clock.now += 2
    assert [_may(limiter) for _ in range(3)] == [True, True, False]


def test_so_many_tokens_a_minute() -> None:
    clock = _Clock()
    limiter = Limiter(9, tokens_per_minute=25, clock=clock)
    assert [_may(limiter) for _ in range(3)] == [True, True, False]
    clock.now += 61
    assert _may(limiter, tokens=1000)  # more than a minute has: alone
    clock.now += 59
    assert not _may(limiter)
    clock.now += 2
    assert [_may(limiter) for _ in range(3)] == [True, True, False]


def test_the_server_has_too_much() -> None:
    clock = _Clock()
    limiter = Limiter(8, clock=clock)
    assert _may(limiter)
    for _ in range(5):  # all of one burst
        limiter.slow_down(2.0)
    assert not _may(limiter)
    clock.now += 2.1
    assert [_may(limiter) for _ in range(4)] == [True, True, True, False]
    limiter.leave(went_well=False)
    for _ in range(20):
        limiter.leave()
        limiter.enter(1, lambda: False)
    assert _may(limiter)


def test_who_waits_is_let_in() -> None:
    limiter = Limiter(1)
    assert limiter.enter(1, lambda: False)
    let_in = threading.Event()

    def wait() -> None:
        if limiter.enter(1, lambda: False):
            let_in.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert not let_in.wait(0.2)
    limiter.leave()
    assert let_in.wait(2)
    thread.join()


def _simulated(
    is_turned_away: Callable[[int, random.Random], bool], asked: float | None, count: int = 6000
) -> tuple[float, float, int]:
    """Requests of 0.1 s each: how many a second, which share was turned away, how many at once."""
    clock, drawn = _Clock(), random.Random(1)
    limiter = Limiter(32, clock=clock)
    running: list[tuple[float, int, float, bool]] = []
    begun = away = done = 0
    start = clock.now
    while done < count:
        while limiter._wait(1) <= 0:
            assert limiter.enter(1, lambda: False)
            turned = is_turned_away(len(running) + 1, drawn)
            begun += 1
            ends = clock.now + (0.01 if turned else 0.1) * drawn.uniform(0.9, 1.1)
            heapq.heappush(running, (ends, begun, clock.now, turned))
        if running and limiter._wait(1) > 0:
            clock.now, _, since, turned = heapq.heappop(running)
            if turned:
                limiter.slow_down(asked, since, otherwise=0.3)
                away += 1
            else:
                done += 1
            limiter.leave(went_well=not turned)
        else:
            clock.now += 0.01
    return done / (clock.now - start), away / begun, limiter.at_once


def test_a_few_that_are_turned_away_do_not_slow_the_others_down() -> None:
    whole, _, _ = _simulated(lambda running, drawn: False, 0.0)
    for asked in (0.0, None):
        rate, _, at_once = _simulated(lambda running, drawn: drawn.random() < 0.05, asked)
        assert rate > 0.9 * whole  # every such reply halved the number, once: .12
        assert at_once > 28


@pytest.mark.parametrize("bears", [1, 3, 8, 20])
@pytest.mark.parametrize("asked", [0.0, None, 0.2])
def test_a_server_that_bears_so_many_is_asked_about_so_many(
    bears: int, asked: float | None
) -> None:
    rate, away, at_once = _simulated(lambda running, _: running > bears, asked)
    assert away < 0.15
    assert at_once <= bears * 1.3 + 2
    assert rate > 0.6 * bears / 0.1


def test_a_server_that_was_busy_once_is_soon_asked_as_much_as_before() -> None:
    turned = iter([True] * 40)
    rate, _, at_once = _simulated(lambda running, _: next(turned, False), 0.5)
    assert at_once == 32
    assert rate > 0.8 * 320


def test_so_long_is_waited_and_no_longer() -> None:
    clock = _Clock()
    limiter = Limiter(8, clock=clock)
    assert _may(limiter)
    assert limiter.slow_down(50.0)
    limiter.leave(went_well=False)
    assert not _may(limiter)
    clock.now += 51
    assert _may(limiter)
    assert not limiter.slow_down(50.0)  # 50 s were waited, and nothing was answered
    limiter.leave(went_well=False)
    assert not limiter.enter(1, lambda: False)  # at once
    assert limiter.enter(1, lambda: False, probes=True)  # a later query's first
    assert not limiter.slow_down(86_400.0)
    limiter.leave(went_well=False)
    assert limiter.enter(1, lambda: False, probes=True)
    limiter.leave()  # it is well again
    assert limiter.enter(1, lambda: False)


def test_one_at_a_time_looks_whether_a_server_is_well_again() -> None:
    clock = _Clock()
    limiter = Limiter(8, clock=clock)
    assert limiter.enter(1, lambda: False)
    assert limiter.slow_down(30.0)
    limiter.leave(went_well=False)
    assert limiter.enter(1, lambda: False, probes=True)
    asked = iter([False, True])
    assert not limiter.enter(1, lambda: next(asked), probes=True)
    limiter.leave()
    assert limiter.enter(1, lambda: False)


def test_what_was_waited_another_time_does_not_count() -> None:
    clock = _Clock()
    limiter = Limiter(8, clock=clock)
    assert limiter.slow_down(50.0)
    clock.now += 3600
    assert limiter.slow_down(50.0)
