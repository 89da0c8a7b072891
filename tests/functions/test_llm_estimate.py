from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest
from genai_prices import Usage, calc_price

from sqlfuncs.llm import prices

CALL = "llm_estimate(t, text, ['a', 'b'], model := '{}'{})"


@pytest.fixture(autouse=True)
def _table(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS SELECT 'text ' || (i % 10) AS text FROM range(50) r(i)")
    con.execute("INSERT INTO t VALUES (NULL), ('')")


def _estimate(con: duckdb.DuckDBPyConnection, model: str, more: str = "") -> dict[str, object]:
    found = con.execute(f"FROM {CALL.format(model, more)}").df()
    return {str(name): found[name][0] for name in found.columns}


def test_before_and_after(con: duckdb.DuckDBPyConnection) -> None:
    found = _estimate(con, "fake:")
    assert [found[name] for name in ("rows", "distinct_rows", "cached", "requests")] == [
        52,
        10,
        0,
        10,
    ]
    con.execute("SELECT llm_classify(text, ['a', 'b'], model := 'fake:') FROM t").fetchall()
    found = _estimate(con, "fake:")
    assert (found["cached"], found["requests"], found["input_tokens"]) == (10, 0, 0)


def test_no_server_is_asked_and_several_rows_share_the_instructions(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    one, five = _estimate(con, "openai:m"), _estimate(con, "openai:m", ", rows_per_request := 5")
    assert (one["requests"], five["requests"]) == (10, 2)
    assert one["input_tokens"] > 2 * five["input_tokens"] > 0  # type: ignore[operator]
    assert pd.isna(one["cost_usd"])  # type: ignore[call-overload]


def test_a_price(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "prices.json").write_text('{"openai:m": [2.0, 8.0]}')
    monkeypatch.setenv("SQLFUNCS_PRICES", str(tmp_path / "prices.json"))
    found = _estimate(con, "openai:m")
    cost = (2 * found["input_tokens"] + 8 * found["output_tokens"]) / 1e6  # type: ignore[operator]
    assert found["cost_usd"] == pytest.approx(cost)


def test_published_prices_are_those_of_the_server(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    million = Usage(input_tokens=1_000_000)
    listed = float(calc_price(million, "gpt-4o-mini", provider_id="openai").total_price)
    assert prices.cost("openai:gpt-4o-mini", 1_000_000, 0) == pytest.approx(listed)
    assert prices.cost("openai:gpt-4o-mini batch", 1_000_000, 0) == pytest.approx(listed / 2)
    assert prices.cost("openai:no-such-model", 1, 1) is None
    assert prices.cost("another:gpt-4o-mini", 1, 1) is None
    assert _estimate(con, "openai:gpt-4o-mini")["cost_usd"] > 0  # type: ignore[operator]
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert prices.cost("openai:gpt-4o-mini", 1, 1) is None


@pytest.mark.parametrize("content", ["", "[]", '{"openai:m": 3}', '{"openai:m": ["a", 1]}'])
def test_prices_that_are_none(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    (tmp_path / "prices.json").write_text(content)
    monkeypatch.setenv("SQLFUNCS_PRICES", str(tmp_path / "prices.json"))
    prices._table.cache_clear()
    with pytest.raises(duckdb.Error, match=r"SQLFUNCS_PRICES names .* which cannot be used"):
        _estimate(con, "openai:m")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("llm_estimate(t, text, ['a', 'b'], model := 'mine')", "costs nothing"),
        ("llm_estimate(t, text, ['a'], model := 'fake:')", "2 to 500"),
        ("llm_estimate(t, text, ['a', 'b'])", "llm_estimate needs a model"),
        ("llm_estimate(t, 3, ['a', 'b'], model := 'fake:')", "is of type INTEGER"),
    ],
)
def test_mistakes(con: duckdb.DuckDBPyConnection, call: str, message: str) -> None:
    with pytest.raises(duckdb.Error, match=message):
        con.execute(f"FROM {call}").fetchall()
