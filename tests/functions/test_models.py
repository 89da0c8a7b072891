from __future__ import annotations

import datetime

import duckdb


def test_models_lists_every_version(sample: duckdb.DuckDBPyConnection) -> None:
    assert sample.execute("FROM models()").fetchall() == []
    sample.execute("FROM fine_tune('b', requests, text, label)").fetchall()
    sample.execute("FROM fine_tune('b', requests, text, true_label)").fetchall()
    sample.execute("FROM fine_tune('a''s 🎈', requests, text, label)").fetchall()
    listed = sample.execute("SELECT model, version, base, input, rows FROM models()").fetchall()
    assert listed == [
        ("a's 🎈", 1, "fast", "text", 1500),
        ("b", 1, "fast", "text", 1500),
        ("b", 2, "fast", "text", 1500),
    ]
    (when, size) = sample.execute("SELECT created_at, bytes FROM models() LIMIT 1").fetchall()[0]
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    assert abs(now - when) < datetime.timedelta(minutes=5)
    assert size > 1000
