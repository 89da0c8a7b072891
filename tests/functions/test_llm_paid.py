from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from sqlfuncs.llm import usage
from sqlfuncs.store import answers
from sqlfuncs.store.answers import Answer


@pytest.fixture(autouse=True)
def _afresh() -> Iterator[None]:
    with usage.afresh():
        yield


def test_nothing_was_paid_for(con: duckdb.DuckDBPyConnection) -> None:
    assert con.execute("FROM llm_paid()").fetchall() == []


def test_answers_of_other_processes_count_and_each_once(con: duckdb.DuckDBPyConnection) -> None:
    ask = (
        "SELECT llm_classify('text ' || (i % 10), ['a', 'b'], model := 'fake:') FROM range(50) r(i)"
    )
    script = f"import sqlfuncs\nwith sqlfuncs.connect() as con: con.execute({ask!r}).fetchall()"
    subprocess.run([sys.executable, "-c", script], check=True)
    con.execute(ask).fetchall()
    con.execute(ask.replace("text", "other")).fetchall()
    ((model, answers, errors, input_tokens, output_tokens, usd, in_order),) = con.execute(
        "SELECT model, answers, errors, input_tokens, output_tokens, cost_usd, first_at < last_at "
        "FROM llm_paid()"
    ).fetchall()
    assert model.startswith("fake:")
    assert (answers, errors, usd, in_order) == (20, 0, 0.0, True)
    ((n, tokens),) = con.execute("SELECT asked, output_tokens FROM llm_usage()").fetchall()
    assert (n, output_tokens) == (10, 2 * tokens)
    assert input_tokens >= 0


def test_a_price_is_of_a_model_at_its_server(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Answer(("a",), input_tokens=1_000_000, output_tokens=500_000)
    for number, model in enumerate(("openai:mine@127.0.0.1:8000/v1", "openai:mine")):
        answers.store().write(model, {bytes([number]): answer})
    priced = "SELECT model, cost_usd FROM llm_paid() ORDER BY model"
    assert [usd for _, usd in con.execute(priced).fetchall()] == [None, None]
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps({"openai:mine": [2.0, 4.0]}))
    monkeypatch.setenv("SQLFUNCS_PRICES", str(prices))
    assert [usd for _, usd in con.execute(priced).fetchall()] == [4.0, 4.0]
