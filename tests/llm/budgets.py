"""Budgets under all circumstances: settings, and what a server charged under each.

Shared by the tests and by `python -m benchmarks.budgets`.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

import sqlfuncs
from sqlfuncs.llm import asking, expected, providers, run, usage
from tests.llm.conftest import FaultServer

LABELS = ["polite", "impolite", "neutral"]
PRICE = (1000.0, 4000.0)  # dollars per million tokens: so that budgets are small numbers
ORDINARY = {"reads": 0, "reads_besides": 100, "writes": 0, "thinks": 10, "latency": 0.01}


@dataclass(frozen=True)
class Setting:
    """A query with a budget, and how the server is that it asks."""

    name: str
    budget: float  # tokens, or dollars
    server: Mapping[str, Any] = field(default_factory=dict)
    options: str = ""
    in_usd: bool = False
    threads: int = 1
    cursors: int = 1
    rows: int = 400
    models: tuple[str, ...] = ("openai:m",)


@dataclass(frozen=True)
class Outcome:
    """What was charged under a setting, in what the budget is in."""

    budget: float
    spent: float
    largest: float  # request
    requests: int
    at_once: int

    @property
    def is_passed(self) -> bool:
        """By more than one request took."""
        return self.spent > self.budget + self.largest + 1e-9


LARGE = 250_000  # rows that DuckDB reads with several threads
SETTINGS = [
    *(
        Setting(f"tokens, threads {threads}", 1100, threads=threads, rows=LARGE)
        for threads in (1, 2, 8)
    ),
    *(
        Setting(f"dollars, threads {threads}", 0.5, in_usd=True, threads=threads, rows=LARGE)
        for threads in (1, 2, 8)
    ),
    Setting("tokens, 6 cursors", 1100, cursors=6),
    Setting("dollars, 6 cursors", 0.5, in_usd=True, cursors=6),
    Setting("answers of 1,500 tokens, dollars", 30, {"thinks": 1500}, in_usd=True),
    Setting("answers of 1,500 tokens, 6 cursors", 20_000, {"thinks": 1500}, cursors=6),
    Setting("answers that grow", 100_000, {"grows": 5}, rows=1500),
    Setting("answers that grow fast, 6 cursors", 60_000, {"grows": 40}, cursors=6),
    Setting("one answer of ten long", 60_000, {"longer": 3000}),
    Setting("no usage", 500, {"usage": "none"}),
    Setting("no usage, dollars, 6 cursors", 0.5, {"usage": "none"}, in_usd=True, cursors=6),
    Setting("negative usage", 500, {"usage": "negative"}),
    Setting("usage of 10^30", 500, {"usage": "huge"}),
    Setting("rows_per_request 8", 2000, options="rows_per_request := 8", server={"reads": 30}),
    Setting("answers that are no label", 2000, {"chatty": 1.0}),
    Setting("two models", 2000, cursors=2, models=("openai:m", "openai:other")),
    Setting("failures", 3000, {"broken": 0.2, "busy": 0.1}, cursors=2),
    Setting("replies that are lost", 3000, {"lost": 0.3}),
    Setting("a batch", 3000, options="batch := true"),
    Setting("refusals", 2000, {"refuse": "text 1"}),
]


def spend(server: FaultServer, setting: Setting) -> Outcome:
    """Run the query of a setting, and see what the server charged."""
    server.behave(**{**ORDINARY, **setting.server})
    server.forget()
    providers.provider.cache_clear()
    run._limiters.clear()
    expected.forget()
    with usage.afresh(), _prices(setting.models), sqlfuncs.connect() as con:
        con.execute(f"SET threads = {setting.threads}")
        con.execute(
            f"CREATE TABLE t AS SELECT 'text ' || i AS text FROM range({setting.rows}) r(i)"
        )
        for _ in range(2 if "batch" in setting.options else 1):  # the second run collects it
            asking.forget_failures()
            _query(con, setting)
    return _outcome(server, setting)


def _query(con: duckdb.DuckDBPyConnection, setting: Setting) -> None:
    threads = []
    for number in range(setting.cursors):
        model = setting.models[number % len(setting.models)]
        kind = "budget_usd" if setting.in_usd else "budget_tokens"
        options = ", ".join(filter(None, [f"{kind} := {setting.budget}", setting.options]))
        # Each cursor has a task of its own, for one text is asked once only.
        task = f"instructions := 'as {number}', {options}"
        call = f"sqlfuncs.llm_classify(text, {LABELS}, model := '{model}', {task})"
        sql = f"SELECT count({call}) FROM t"
        threads.append(threading.Thread(target=_run, args=(con.cursor(), sql)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _run(cursor: duckdb.DuckDBPyConnection, sql: str) -> None:
    # The first cursor may have spent all before another begins.
    try:
        cursor.execute(sql).fetchall()
    except duckdb.Error as error:
        assert "allows no more" in str(error), error


def _outcome(server: FaultServer, setting: Setting) -> Outcome:
    log = server.log
    price = tuple(each / 1_000_000 for each in PRICE) if setting.in_usd else (1, 1)
    costs = [read * price[0] + written * price[1] for read, written in log["charged"]]
    return Outcome(setting.budget, sum(costs), max(costs), len(costs), log["at_once"])


@contextmanager
def _prices(models: tuple[str, ...]) -> Iterator[None]:
    before = os.environ.get("SQLFUNCS_PRICES")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "prices.json"
        file.write_text(json.dumps(dict.fromkeys(models, PRICE)))
        os.environ["SQLFUNCS_PRICES"] = str(file)
        try:
            yield
        finally:
            os.environ.pop("SQLFUNCS_PRICES")
            if before is not None:
                os.environ["SQLFUNCS_PRICES"] = before
