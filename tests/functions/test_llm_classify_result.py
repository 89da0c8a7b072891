from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

CALL = "llm_classify_result(text, ['a', 'b'], model := '{}')"


def _script(tmp_path: Path, **script: object) -> str:
    file = tmp_path / "it's a script.json"
    file.write_text(json.dumps(script))
    return CALL.format(f"fake:{file}".replace("'", "''"))


def test_all_that_is_known(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    call = _script(tmp_path, answers={"no": None, "odd": "c"}, otherwise="b", tokens=7)
    con.execute("CREATE TABLE t AS SELECT unnest(['x', 'no', 'odd', NULL, '  ']) AS text")
    found = [
        row and tuple(row.values()) for (row,) in con.execute(f"SELECT {call} FROM t").fetchall()
    ]
    model = f"fake:{tmp_path}/it's a script.json"
    none = "the model answered 'c', which is none of the labels"
    declined = "the script declines to answer this text"
    assert found == [
        ("b", ["b"], 1.0, None, model, False, 7, 1, None),
        (None, None, None, declined, model, False, 0, 0, None),
        (None, None, None, none, model, False, 0, 0, None),
        None,
        None,
    ]
    again = con.execute(f"SELECT ({call}).cached FROM t WHERE text = 'x'").fetchall()
    assert again == [(True,)]


def test_a_trained_model(sample: duckdb.DuckDBPyConnection) -> None:
    sample.execute("FROM fine_tune('support', requests, text, label)").fetchall()
    (row,) = sample.execute(
        "SELECT unnest(llm_classify_result(text, model := 'support')) FROM requests LIMIT 1"
    ).fetchall()
    label, _, confidence, error, model, cached, *_ = row
    assert label in ("account", "billing", "delivery", "product")
    assert 0.25 < confidence <= 1
    assert (error, model, cached) == (None, "support", False)


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "cannot be read"), ('{"answer": {}}', "may hold answers, otherwise, seconds, tokens")],
)
def test_a_script_that_is_none(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "s.json").write_text(content)
    with pytest.raises(duckdb.Error, match=message):
        con.execute(
            f"SELECT {CALL.format(f'fake:{tmp_path}/s.json')} FROM (SELECT 'x' AS text)"
        ).fetchall()
