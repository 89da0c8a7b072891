"""What `fine_tune` says before it trains."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sqlfuncs.store import jobs, models
from tests.conftest import needs_local
from tests.learning.models.networks import tiny


def _look(con: duckdb.DuckDBPyConnection, more: str = "", table: str = "requests") -> Any:
    found = con.execute(f"FROM fine_tune('m', {table}, text, label, dry_run := true{more})")
    (row,) = found.fetchall()
    return dict(zip([column[0] for column in found.description or []], row, strict=True))


def test_a_dry_run_says_what_is_known_and_trains_nothing(
    sample: duckdb.DuckDBPyConnection,
) -> None:
    row = _look(sample)
    assert (row["model"], row["version"], row["status"], row["error"]) == ("m", None, None, None)
    known = row["preflight"]
    assert sum(known["class_counts"].values()) == row["rows"] == 1500
    # 14.7 % of the sample's labels are wrong.
    assert 0.08 < known["issue_rate"] < 0.25
    assert known["seconds"] > 0
    assert (known["overlap"], known["usd"]) == (None, None)
    assert any("of the labels are wrong, as far as can be told" in w for w in known["warnings"])
    assert models.records() == []
    assert jobs.listed() == []


def test_duplicates_and_contradictions_are_counted(sample: duckdb.DuckDBPyConnection) -> None:
    before = _look(sample)["preflight"]
    sample.execute("INSERT INTO requests FROM requests WHERE id <= 4")
    sample.execute("""
        INSERT INTO requests SELECT * REPLACE (
            CASE label WHEN 'billing' THEN 'account' ELSE 'billing' END AS label
        ) FROM requests WHERE id = 9
    """)
    after = _look(sample)["preflight"]
    assert after["duplicates"] == before["duplicates"] + 5
    assert after["contradictions"] == before["contradictions"] + 2
    assert any("has another label as well" in warning for warning in after["warnings"])


def test_rows_to_test_on_may_not_be_trained_on(sample: duckdb.DuckDBPyConnection) -> None:
    sample.execute("CREATE TABLE held AS SELECT upper(text) || '!' AS text FROM requests LIMIT 7")
    row = _look(sample, ", test := held")
    assert row["preflight"]["overlap"] == 7
    assert "7 of the 1,500 rows are in the table to test on" in row["error"]
    with pytest.raises(duckdb.Error, match="would know the answers"):
        sample.execute("FROM fine_tune('m', requests, text, label, test := 'held')").df()
    sample.execute("CREATE TABLE new AS SELECT 'something new' AS text")
    assert _look(sample, ", test := new")["preflight"]["overlap"] == 0
    trained = sample.execute("FROM fine_tune('m', requests, text, label, test := new)").df()
    assert trained["rows"][0] == 1500
    assert trained["preflight"][0]["overlap"] == 0
    with pytest.raises(duckdb.Error, match="columns have to be called like those"):
        sample.execute("CREATE TABLE odd AS SELECT 'something' AS other")
        sample.execute("FROM fine_tune('m', requests, text, label, test := odd)").df()


def test_nor_may_those_be_that_were_trained_on_before(sample: duckdb.DuckDBPyConnection) -> None:
    call = "FROM fine_tune('{}', requests, text, label{})"
    sample.execute(call.format("m", "")).fetchall()
    for name in ("m", "other"):
        with pytest.raises(duckdb.Error, match="1,500 of the 1,500 rows are in the table to test"):
            sample.execute(call.format(name, ", test := requests")).fetchall()
    (row,) = sample.execute(
        "SELECT status, version, job_id FROM " + call[5:].format("m", ", dry_run := true")
    ).fetchall()
    assert row == (None, None, None)


def test_the_advised_mending_leaves_what_may_be_trained_on(
    sample: duckdb.DuckDBPyConnection,
) -> None:
    sample.execute("CREATE TABLE my_table AS FROM requests")
    sample.execute(
        "CREATE TABLE my_test AS FROM requests LIMIT 20; INSERT INTO my_test (text) VALUES (NULL)"
    )
    with pytest.raises(duckdb.Error) as refused:
        sample.execute("FROM fine_tune('m', my_table, text, label, test := my_test)").fetchall()
    found = re.search(r"CREATE TABLE apart AS .*?my_test WHERE .*?\)", str(refused.value), re.S)
    assert found is not None
    sample.execute(found[0])
    (rows,) = sample.execute("SELECT count(*) FROM apart").fetchall()[0]
    assert 1400 < rows <= 1480
    sample.execute("FROM fine_tune('m', apart, text, label, test := my_test)").fetchall()


def test_what_will_be_poor_is_warned_of(sample: duckdb.DuckDBPyConnection) -> None:
    sample.execute("CREATE TABLE lopsided AS SELECT text, 'yes' AS label FROM requests LIMIT 400")
    sample.execute("UPDATE lopsided SET label = 'no' WHERE rowid < 4")
    warnings = _look(sample, table="lopsided")["preflight"]["warnings"]
    assert any("fewer than 10 rows have the label 'no'" in warning for warning in warnings)
    assert any("99% of the rows have the label 'yes'" in warning for warning in warnings)


def test_a_service_learns_from_so_many_tokens(
    sample: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = _look(sample, ", base := 'openai:gpt-4.1-mini'")["preflight"]
    assert 200_000 < known["tokens"] < 1_000_000
    assert known["usd"] is None
    prices = tmp_path / "prices.json"
    prices.write_text('{"openai:gpt-4.1-mini training": [5, 0]}')
    monkeypatch.setenv("SQLFUNCS_PRICES", str(prices))
    priced = _look(sample, ", base := 'openai:gpt-4.1-mini'")["preflight"]
    assert priced["usd"] == pytest.approx(known["tokens"] * 5 / 1_000_000)


@needs_local
def test_a_network_is_timed(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    base = tiny.encoder(tmp_path / "base")
    texts, labels = tiny.rows(120)
    con.execute("CREATE TABLE t AS SELECT unnest($1) AS text, unnest($2) AS label", [texts, labels])
    row = _look(con, f", base := '{base}'", table="t")
    known = row["preflight"]
    words = sum(len(text.split()) for text in texts)
    assert known["tokens"] == 3 * words
    assert 0 < known["seconds"] < 60
    assert any("too few to hold any out" in warning for warning in known["warnings"])
    con.execute("UPDATE t SET text = repeat(text || ' ', 100) WHERE rowid = 0")
    long = _look(con, f", base := '{base}'", table="t")["preflight"]
    assert any("1 texts have 256 tokens or more" in warning for warning in long["warnings"])
