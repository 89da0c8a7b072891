from __future__ import annotations

import threading

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
    assert _may(limiter)


def test_so_many_tokens_a_minute() -> None:
    clock = _Clock()
    limiter = Limiter(9, tokens_per_minute=25, clock=clock)
    assert [_may(limiter) for _ in range(3)] == [True, True, False]
    clock.now += 61
    assert _may(limiter, tokens=1000)  # more than a minute has: alone


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
