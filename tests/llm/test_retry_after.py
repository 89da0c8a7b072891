"""How long a server is left alone that asks for it, and that nobody is left waiting after."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import duckdb
import pytest

from sqlfuncs import work
from sqlfuncs.llm import retry_after
from tests.llm.conftest import FaultServer
from tests.waiting import patient

CALL = "llm_classify_result(text, ['a', 'b'], model := 'openai:m')"


def _errors(con: duckdb.DuckDBPyConnection, start: int = 0, count: int = 6) -> list[str | None]:
    """The errors of so many texts."""
    texts = f"(SELECT 'text ' || i AS text FROM range({start}, {start + count}) r(i))"
    rows = con.execute(f"SELECT ({CALL}).error FROM {texts}").fetchall()
    return [error for (error,) in rows]


def _in(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "-inf"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "5, 5"}, None),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after-ms": "nan", "retry-after": "9"}, 9.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 99 Oct 2015 07:28:00 GMT"}, None),
        (
            {
                "retry-after": "Wed, 21 Oct 2015 07:28:30 GMT",
                "date": "Wed, 21 Oct 2015 07:28:00 GMT",
            },
            30.0,
        ),
    ],
)
def test_every_form_is_read_or_left(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after.seconds(headers) == seconds


def test_a_date_is_counted_from_now() -> None:
    assert retry_after.seconds({"retry-after": _in(100)}) == pytest.approx(99, abs=5)


@pytest.mark.parametrize(
    ("asks", "names"),
    [
        ({"retry-after": "86400"}, "until 20"),
        ({"retry-after": "1e30"}, "for more than a year"),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, "for more than a year"),
        ({"retry-after-ms": "7200000"}, "until "),
    ],
)
def test_nobody_waits_for_a_day(
    con: duckdb.DuckDBPyConnection, server: FaultServer, asks: dict[str, str], names: str
) -> None:
    server.behave(busy=1.0, asks=asks)
    begun = time.monotonic()
    errors = _errors(con)
    assert time.monotonic() - begun < patient(10)
    assert all(f"asks to be left alone {names}" in str(error) for error in errors)
    assert server.log["requests"] <= 6  # those that were under way
    _errors(con, start=100, count=50)
    assert server.log["requests"] <= 7 + 6  # one of a later query, which was told the same
    server.behave()
    begun = time.monotonic()
    assert _errors(con, start=200, count=50) == [None] * 50  # it is well again, and heard at once
    assert time.monotonic() - begun < patient(10)


def test_a_query_that_was_stopped_while_it_waited_holds_up_no_later_one(
    con: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    server.behave(busy=1.0, asks={"retry-after": "50"})
    stopping = threading.Timer(1.0, work.stop)
    stopping.start()
    with pytest.raises(duckdb.Error, match="Cancelled"):
        _errors(con)
    stopping.join()
    work.resume()
    server.behave()
    begun = time.monotonic()
    assert _errors(con, start=100) == [None] * 6
    assert time.monotonic() - begun < 45  # of 50 that were asked for


@pytest.mark.parametrize(
    "asks", [{"retry-after": "nan"}, {"retry-after": "inf"}, {"retry-after": "-1"}, {}]
)
def test_what_is_no_time_is_not_waited_for(
    con: duckdb.DuckDBPyConnection, server: FaultServer, asks: dict[str, str]
) -> None:
    server.behave(busy=0.3, asks=asks, seed=2)
    assert _errors(con, count=20) == [None] * 20


def test_a_server_that_bears_few_at_once_answers_all(
    con: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    server.behave(bears=4, latency=0.05, asks={"retry-after": "0"})
    assert _errors(con, count=300) == [None] * 300
    assert server.log["turned_away"] < 150
