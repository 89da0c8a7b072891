"""Budgets are not passed, and do not slow down where there is room."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import duckdb
import pytest

import sqlfuncs
from sqlfuncs.llm import expected, usage
from sqlfuncs.llm.budget import Budget, Limits
from sqlfuncs.llm.expected import Tokens
from sqlfuncs.llm.task import Task
from tests.llm.budgets import LABELS, LARGE, ORDINARY, SETTINGS, Setting, spend
from tests.llm.conftest import FaultServer

SMALL = [setting for setting in SETTINGS if setting.rows < LARGE or setting.threads == 8]
TASK = Task.read(LABELS)


@pytest.mark.parametrize("setting", SMALL, ids=lambda setting: setting.name)
def test_no_more_is_spent_than_allowed(server: FaultServer, setting: Setting) -> None:
    found = spend(server, setting)
    assert found.spent <= found.budget + found.largest
    assert found.spent > found.budget / 4  # and not much less


@pytest.mark.parametrize("budget", [200_000, 10_000_000])
def test_requests_run_at_once_where_there_is_room(server: FaultServer, budget: int) -> None:
    found = spend(server, Setting("room", budget, {"latency": 0.1}, rows=1000))
    assert found.at_once >= 28
    assert found.requests == 1000


def test_what_a_server_does_not_tell_is_estimated_and_said(
    con: duckdb.DuckDBPyConnection,
    server: FaultServer,
    home: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from sqlfuncs import work

    work._said.clear()
    server.behave(usage="none")
    call = f"llm_classify_result(text, {LABELS}, model := 'openai:m')"
    rows = con.execute(f"SELECT ({call}).input_tokens FROM (SELECT 'a' AS text)").fetchall()
    assert rows[0][0] > 30
    ((requests, estimated, read),) = con.execute(
        "SELECT requests, estimated, input_tokens FROM llm_usage()"
    ).fetchall()
    assert (requests, estimated, read) == (1, 1, rows[0][0])
    assert "tokens are estimated by the length of what is sent" in capsys.readouterr().err


@pytest.mark.parametrize("told", ["negative", "huge"])
def test_usage_that_cannot_be_is_not_believed(
    con: duckdb.DuckDBPyConnection, server: FaultServer, told: str
) -> None:
    server.behave(usage=told)
    call = f"llm_classify(text, {LABELS}, model := 'openai:m')"
    con.execute(f"SELECT {call} FROM (SELECT 'text ' || i AS text FROM range(5) r(i))").fetchall()
    ((read, written),) = con.execute(
        "SELECT input_tokens, output_tokens FROM llm_usage()"
    ).fetchall()
    assert 0 < read < 5000
    assert 0 < written < 500


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("budget_usd", "'nan'::DOUBLE", "budget_usd := nan"),
        ("budget_usd", "'nan'", "budget_usd := 'nan'"),
        ("budget_usd", "'inf'::DOUBLE", "budget_usd := inf"),
        ("budget_usd", "'-inf'::DOUBLE", "budget_usd := -inf"),
        ("budget_usd", "-0.5", "budget_usd := -0.5"),
        ("budget_usd", "'five'", "budget_usd := 'five'"),
        ("budget_usd", "true", "budget_usd := true"),
        ("budget_tokens", "-1", "budget_tokens := -1"),
        ("budget_tokens", "'nan'::DOUBLE", "budget_tokens := 'nan'::DOUBLE"),
        ("budget_tokens", "0.5", "budget_tokens := 0.5"),
        ("budget_tokens", "'many'", "budget_tokens := 'many'"),
    ],
)
@pytest.mark.parametrize("of_session", [False, True], ids=["option", "session"])
def test_a_budget_that_is_none_is_refused_before_anything_is_asked(
    con: duckdb.DuckDBPyConnection,
    server: FaultServer,
    option: str,
    value: str,
    says: str,
    of_session: bool,
) -> None:
    given = "" if of_session else f", {option} := {value}"
    if of_session:
        con.execute(f"SET VARIABLE sqlfuncs_{option} = {value}")
    call = f"llm_classify(text, {LABELS}, model := 'openai:m'{given})"
    with pytest.raises(duckdb.Error, match="BadOption") as caught:
        con.execute(f"SELECT {call} FROM (SELECT 'a' AS text FROM range(3))").fetchall()
    assert says in str(caught.value)
    assert server.log["requests"] == 0


def test_what_is_under_way_is_seen_by_all(server: FaultServer) -> None:
    estimate = expected.of("openai:m", TASK).request(["some text"])
    limits = Limits(tokens=estimate.most.total + estimate.likely.total - 1)
    one, other = Budget("openai:m", limits), Budget("openai:other", limits)
    number = one.reserve(estimate)
    assert isinstance(number, int)
    assert isinstance(other.reserve(estimate), str)
    usage.release(number)
    number = other.reserve(estimate)
    assert isinstance(number, int)
    usage.release(number)


def test_of_many_threads_one_gets_the_last_tokens(server: FaultServer) -> None:
    estimate = expected.of("openai:m", TASK).request(["some text"])
    budget = Budget("openai:m", Limits(tokens=estimate.likely.total))
    start = threading.Barrier(8)
    got: list[int | str] = []

    def reserve() -> None:
        start.wait()
        got.append(budget.reserve(estimate))

    threads = [threading.Thread(target=reserve) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [number for number in got if isinstance(number, int)]
    assert len(numbers) == 1
    usage.release(numbers[0])


def test_who_waits_begins_once_another_turns_out_cheap(server: FaultServer) -> None:
    known = expected.of("openai:m", TASK)
    first = known.request(["some text"])
    budget = Budget("openai:m", Limits(tokens=3 * first.likely.total))
    number = budget.reserve(first)
    assert isinstance(number, int)
    waited: list[int | str] = []
    thread = threading.Thread(
        target=lambda: waited.append(budget.wait(lambda: known.request(["more"]), lambda: False)[0])
    )
    thread.start()
    time.sleep(0.2)
    assert waited == []
    usage.add("openai:m", input_tokens=first.likely.input)
    usage.release(number)
    thread.join(10)
    assert isinstance(waited[0], int)
    usage.release(waited[0])


def test_an_estimate_learns_from_what_came() -> None:
    expected.forget()
    known = expected.of("openai:m", TASK)
    before = known.request(["some text"])
    assert before.most.output > 10_000
    for _ in range(200):
        known.learn(before, Tokens(1000, 1500), 1)
    after = known.request(["some text"])
    assert after.likely == (1000, 1500)
    assert 1500 < after.most.output < 4000
    # Of another task of that model, what is likely is known, and what it takes at most is not.
    other = expected.of("openai:m", Task.read(["a", "b"])).request(["some text"])
    assert 1400 < other.likely.output < 1600
    assert other.most.output > 10_000
    expected.forget()


def test_a_batch_of_another_process_gives_no_budget(
    con: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    from sqlfuncs.llm import asking

    server.behave(**ORDINARY, batch="in_progress")
    con.execute("CREATE TABLE t AS SELECT 'text ' || i AS text FROM range(20) r(i)")
    call = f"llm_classify(text, {LABELS}, model := 'openai:m', batch := true)"
    con.execute(f"SELECT {call} FROM t").fetchall()
    server.behave(**ORDINARY)
    with usage.afresh():  # as a process has it that begins now
        asking.forget_failures()
        con.execute(f"SELECT {call} FROM t").fetchall()
        assert usage.spent().tokens == 19 * 110


def test_cursors_share_what_is_spent(server: FaultServer) -> None:
    server.behave(**ORDINARY)
    with sqlfuncs.connect() as con:
        call = "sqlfuncs.llm_classify(text, ['a', 'b'], model := 'openai:m', budget_tokens := 230)"
        sql = f"SELECT count({call}) FROM (SELECT 'text ' || i AS text FROM range(9) r(i))"
        assert con.cursor().execute(sql).fetchall() == [(2,)]
        assert con.cursor().execute(sql).fetchall() == [(2,)]
    assert len(server.paid) == 2
