from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest


def test_a_line_is_a_chat_that_ends_in_the_label(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE t AS FROM (VALUES ('it''s "fine"' || chr(10) || '🎈', 'good'), ('no', 'bad'),
            (NULL, 'bad'), ('', 'good'), ('nothing', NULL)) v(text, label)
    """)
    lines = [line for (line,) in con.execute("FROM fine_tune_file(t, text, label)").fetchall()]
    chats = [json.loads(line)["messages"] for line in lines]
    assert [json.loads(chat[-1]["content"]) for chat in chats] == [
        {"label": "good"},
        {"label": "bad"},
    ]
    assert [chat[-1]["role"] for chat in chats] == ["assistant", "assistant"]
    assert "🎈" in chats[0][-2]["content"]


def test_the_lines_can_be_kept_as_they_are(
    sample: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    sample.execute(f"""
        COPY (FROM fine_tune_file(requests, text, label)) TO '{tmp_path}/chats.jsonl'
        (FORMAT csv, HEADER false, QUOTE '')
    """)
    kept = (tmp_path / "chats.jsonl").read_text().splitlines()
    assert len(kept) == 1500
    assert all(len(json.loads(line)["messages"]) >= 2 for line in kept)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("fine_tune_file(t, text, 'x')", "a constant text, not a column"),
        ("fine_tune_file(t, text, 1)", "it takes two classes or more"),
        ("fine_tune_file(t, n, label)", "BIGINT"),
    ],
)
def test_mistakes(con: duckdb.DuckDBPyConnection, call: str, message: str) -> None:
    con.execute("CREATE TABLE t AS SELECT 'a' AS text, i AS label, i AS n FROM range(3) r(i)")
    with pytest.raises(duckdb.Error, match=message):
        con.execute(f"FROM {call}").fetchall()
