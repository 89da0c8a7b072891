"""Hosted models on Spark: asked by the driver, each distinct text once, whoever asked before."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

import sqlfuncs.spark
from sqlfuncs import errors, work
from sqlfuncs.engines.spark import hosted, running
from sqlfuncs.engines.spark.answers import AnswerTable
from sqlfuncs.llm import asking
from sqlfuncs.llm.answer_table import SCHEMA, Asking
from sqlfuncs.store import answer_rows
from tests.conftest import ROOT
from tests.llm.conftest import FaultServer
from tests.llm.fault_server import right

LABELS = ["polite", "impolite", "neutral"]
MODEL = "openai:m"


@pytest.fixture
def answers(spark: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a table that is not there."""
    name = "answers_" + hashlib.sha256(request.node.name.encode()).hexdigest()[:12]
    yield name
    spark.sql(f"DROP TABLE IF EXISTS {name}")


def _texts(spark: Any, texts: list[str | None], name: str = "text") -> Any:
    schema = pa.schema([("id", pa.int64()), (name, pa.string())])
    return spark.createDataFrame(pa.table([list(range(len(texts))), texts], schema=schema))


def _rows(df: Any) -> list[dict[str, Any]]:
    return sorted(running.collected(df).to_pylist(), key=lambda row: row["id"])


def _classify(df: Any, answers: str, **options: Any) -> Any:
    given = {"text": "text", "labels": LABELS, "model": MODEL, "answers": answers, **options}
    return sqlfuncs.spark.llm_classify(df, **given)


SOME: list[str | None] = [
    "one",
    "two",
    None,
    "  ",
    "one",
    "\n",
    "drei \u00fc",
    "it's \\ `x`",
    "two",
]


def test_the_answers_are_those_of_duckdb_and_asked_for_once(
    spark: Any, server: FaultServer, answers: str, con: duckdb.DuckDBPyConnection
) -> None:
    df = _texts(spark, SOME)
    found = _rows(_classify(df, answers))
    asked = ["drei \u00fc", "it's \\ `x`", "one", "two"]
    assert sorted(server.paid) == asked
    assert list(found[0]) == ["id", "text", "llm_classify"]
    con.register("t", pa.table({"id": range(len(SOME)), "text": pa.array(SOME)}))
    call = f"llm_classify(text, {LABELS}, model := '{MODEL}')"
    at_home = con.sql(f"SELECT id, text, {call} AS llm_classify FROM t ORDER BY id")
    assert found == at_home.to_arrow_table().to_pylist()
    assert sorted(server.paid) == asked  # the store of this machine has them
    assert _rows(_classify(df, answers)) == found
    assert server.log["requests"] == 4


def test_another_machine_asks_for_what_the_table_lacks(
    spark: Any, server: FaultServer, answers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _classify(_texts(spark, ["a", "b"]), answers)
    monkeypatch.setenv("SQLFUNCS_HOME", str(tmp_path / "other"))
    found = _rows(_classify(_texts(spark, ["b", "c", "a"]), answers, into="said"))
    assert [row["said"] for row in found] == [right(text, LABELS) for text in "bca"]
    assert sorted(server.paid) == ["a", "b", "c"]
    # Another question is another question.
    _classify(_texts(spark, ["a"]), answers, instructions="Be kind.")
    assert sorted(server.paid) == ["a", "a", "b", "c"]


def test_model_and_budget_of_the_session(spark: Any, server: FaultServer, answers: str) -> None:
    df = _texts(spark, ["a"])
    spark.sql(f"DECLARE VARIABLE sqlfuncs_model = '{MODEL}'")
    spark.sql("DECLARE VARIABLE sqlfuncs_budget_tokens = 5")
    try:
        with pytest.raises(errors.BudgetExhausted, match="the budget of 5 tokens"):
            _classify(df, answers, model=None)
        spark.sql("SET VARIABLE sqlfuncs_budget_tokens = NULL")
        assert _rows(_classify(df, answers, model=None))[0]["llm_classify"] == right("a", LABELS)
    finally:
        spark.sql("DROP TEMPORARY VARIABLE sqlfuncs_model")
        spark.sql("DROP TEMPORARY VARIABLE sqlfuncs_budget_tokens")


def test_what_the_table_has(spark: Any, server: FaultServer, answers: str) -> None:
    _classify(_texts(spark, ["a"]), answers)
    (row,) = running.collected(spark.table(answers)).to_pylist()
    asked = Asking.read("llm_classify", {"labels": LABELS, "model": MODEL})
    key = answer_rows.key(asked.provider.identity, asked.task.canonical, "a")
    assert row["digest"] == key.hex()
    assert row["answer"] == [right("a", LABELS)]
    assert (row["text"], row["input_tokens"], row["output_tokens"]) == ("a", 10, 2)
    assert row["usd"] is None
    assert abs(row["asked_at"].timestamp() - time.time()) < 60


def test_the_first_answer_counts(spark: Any, server: FaultServer, answers: str) -> None:
    df = _texts(spark, ["a"])
    _classify(df, answers)
    kept = running.collected(spark.table(answers))
    later = kept.to_pylist()[0]["asked_at"].replace(year=2999)
    others = {"answer": [["zzz"]], "asked_at": [later]}
    for name, values in others.items():
        place = kept.schema.get_field_index(name)
        kept = kept.set_column(place, kept.field(place), pa.array(values, kept.field(place).type))
    spark.createDataFrame(kept).write.insertInto(answers)
    assert _rows(_classify(df, answers))[0]["llm_classify"] == right("a", LABELS)
    assert _rows(_classify(df, answers))[0]["id"] == 0


def test_probabilities(spark: Any, server: FaultServer, answers: str) -> None:
    server.behave(logprobs=True)
    df = _texts(spark, ["a", None])
    found = sqlfuncs.spark.llm_class_probs(df, "text", LABELS, model=MODEL, answers=answers)
    first, second = _rows(found)
    probs = dict(first["llm_class_probs"])
    assert probs[right("a", LABELS)] == pytest.approx(0.7)
    assert second["llm_class_probs"] is None
    _classify(df, answers)
    assert server.log["requests"] == 1  # one question, whatever is read of its answer
    server.behave(logprobs=False)
    told = sqlfuncs.spark.llm_class_probs(
        df, "text", LABELS, model=MODEL, answers=answers, instructions="other"
    )
    certain = {label: float(label == right("a", LABELS)) for label in LABELS}
    assert dict(_rows(told)[0]["llm_class_probs"]) == certain


def test_any_number_of_labels_is_a_list(spark: Any, server: FaultServer, answers: str) -> None:
    found = _rows(_classify(_texts(spark, ["a"]), answers, multi=True))
    listed = [e for e in LABELS if e != right("a", LABELS)]
    assert found[0]["llm_classify"] == listed
    df = _texts(spark, ["a", "nothing", None])
    server.behave(nothing="nothing")
    call = {"model": MODEL, "answers": answers, "multi": True}
    found = _rows(sqlfuncs.spark.llm_classify(df, "text", LABELS, **call))
    assert [row["llm_classify"] for row in found] == [listed, [], None]
    told = _rows(sqlfuncs.spark.llm_class_probs(df, "text", LABELS, **call))
    probs = [row["llm_class_probs"] and dict(row["llm_class_probs"]) for row in told]
    of_a = {label: float(label in listed) for label in LABELS}
    assert probs == [of_a, dict.fromkeys(LABELS, 0.0), None]
    assert server.log["requests"] == 1


@pytest.mark.parametrize("ansi", ["true", "false"])
def test_odd_names_and_an_empty_table(
    spark: Any, server: FaultServer, tmp_path: Path, ansi: str
) -> None:
    spark.conf.set("spark.sql.ansi.enabled", ansi)
    try:
        folder = str(tmp_path / "answers")
        df = _texts(spark, ["a", None], 'we.ird `"text').withColumnRenamed("id", "digest_0")
        call = {"text": 'WE.IRD `"TEXT', "into": "x.y z"}
        found = running.collected(_classify(df, folder, **call))
        assert found.column_names == ["digest_0", 'we.ird `"text', "x.y z"]
        assert set(found["x.y z"].to_pylist()) == {right("a", LABELS), None}
        assert running.collected(_classify(df.limit(0), folder, **call)).num_rows == 0
        assert server.log["requests"] == 1
    finally:
        spark.conf.unset("spark.sql.ansi.enabled")


@pytest.mark.parametrize(
    ("wrong", "kind", "says"),
    [
        ({"text": "nope"}, errors.BadInput, "the table has no column 'nope'. It has id, text"),
        ({"text": "id"}, errors.BadInput, "the first argument is of type BIGINT"),
        ({"model": None}, errors.UnknownModel, "llm_classify needs a model: model => 'openai:"),
        ({"model": "openai:none"}, errors.ModelUnusable, "none"),
        ({"model": "mine"}, errors.UnknownModel, "there is no model 'mine'"),
        ({"answers": None}, errors.BadOption, "needs answers='catalog.schema.answers'"),
        ({"answers": "a b"}, errors.BadInput, "answers='a b' is no name of a table"),
        ({"answers": "a_view"}, errors.BadInput, "answers='a_view' is a view"),
        ({"answers": "other"}, errors.BadInput, "has no column digest, question"),
        ({"labels": ["a"]}, errors.BadOption, "labels has to hold 2 to 500"),
        ({"labels": "a"}, errors.BadOption, "is a list of labels"),
        ({"into": "ID"}, errors.ColumnClash, "the table already has the column `ID`"),
        ({"budget_tokens": "x"}, errors.BadOption, "budget_tokens => 'x' has to be"),
        ({"on_error": "x"}, errors.BadOption, "on_error => 'x' is not known"),
        ({"unknown": 1}, errors.BadInput, "unexpected keyword argument 'unknown'"),
        ({"model": "local:none"}, errors.BadOption, "model => 'none' is not known"),
    ],
    ids=str,
)
def test_mistakes_are_found_before_anything_is_asked(
    spark: Any,
    server: FaultServer,
    answers: str,
    wrong: dict[str, Any],
    kind: type[Exception],
    says: str,
) -> None:
    df = _texts(spark, ["a"])
    df.createOrReplaceTempView("a_view")
    spark.sql("CREATE TABLE IF NOT EXISTS other AS SELECT 1 AS id")
    with pytest.raises(kind) as caught:
        _classify(df, **{"answers": answers, **wrong})
    assert says in str(caught.value)
    assert server.log["requests"] == 0


def test_a_budget_that_is_too_small_is_an_error_before_anything_is_asked(
    spark: Any, server: FaultServer, answers: str, heard: list[str]
) -> None:
    df = _texts(spark, ["a", "b"])
    with pytest.raises(errors.BudgetExhausted, match=r"the budget of 5 tokens allows no more"):
        _classify(df, answers, budget_tokens=5)
    assert server.log["requests"] == 0
    assert f"{MODEL}: 2 texts have no answer in {answers}: about 1" in heard[0]
    with pytest.raises(errors.BudgetExhausted, match=r"the price of 'openai:m' is not known"):
        _classify(df, answers, budget_usd=5)


def test_one_budget_for_all_chunks(
    spark: Any, server: FaultServer, answers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosted, "_FEWEST", 25)
    monkeypatch.setattr(hosted, "_TEXTS_HELD", 60)
    server.behave(reads=100, writes=10)
    df = _texts(spark, [f"text {i}" for i in range(200)])
    found = _rows(_classify(df, answers, budget_tokens=5_000))
    answered = sum(row["llm_classify"] is not None for row in found)
    assert 40 <= answered == len(server.paid) <= 46
    found = _rows(_classify(df, answers))
    assert all(row["llm_classify"] == right(row["text"], LABELS) for row in found)
    assert len(server.paid) == 200


def test_no_more_than_a_range_is_held(
    spark: Any, server: FaultServer, answers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosted, "_TEXTS_HELD", 20)
    held = []
    ask = Asking.ask

    def counted(self: Asking, texts: Any) -> pa.Table:
        held.append(len(texts))
        return ask(self, texts)

    monkeypatch.setattr(Asking, "ask", counted)
    found = _rows(_classify(_texts(spark, [f"text {i}" for i in range(100)]), answers))
    assert sum(held) == 100
    assert len(held) == 6
    assert max(held) < 35
    assert all(row["llm_classify"] for row in found)


def test_texts_without_an_answer(
    spark: Any, server: FaultServer, answers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.behave(refuse="bad")
    df = _texts(spark, ["a", "bad"])
    with pytest.raises(errors.RowsFailed, match=r"1 different texts have no answer: .*help.*"):
        _classify(df, answers, on_error="fail")
    assert [row["llm_classify"] for row in _rows(_classify(df, answers))] == [
        right("a", LABELS),
        None,
    ]
    with pytest.raises(errors.RowsFailed, match="help"):
        _classify(df, answers, on_error="fail")
    assert sorted(server.paid) == ["a", "bad"]  # a refusal was paid for, and is kept
    monkeypatch.setenv("SQLFUNCS_HOME", str(tmp_path / "other"))
    asking.forget_failures()
    _classify(df, answers)
    assert sorted(server.paid) == ["a", "bad"]
    server.behave()
    found = _rows(_classify(df, answers, retry=True))
    assert [row["llm_classify"] for row in found] == [right(text, LABELS) for text in ("a", "bad")]
    assert server.paid == ["bad"]


def test_a_server_that_is_broken_is_not_asked_about_everything(
    spark: Any, server: FaultServer, answers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosted, "_FEWEST", 30)
    monkeypatch.setattr(hosted, "_TEXTS_HELD", 30)
    server.behave(filtered="text")
    found = _rows(_classify(_texts(spark, [f"text {i}" for i in range(200)]), answers))
    assert not any(row["llm_classify"] for row in found)
    assert server.log["requests"] < 100


def test_an_estimate_is_that_of_duckdb(
    spark: Any, server: FaultServer, answers: str, con: duckdb.DuckDBPyConnection
) -> None:
    texts: list[str | None] = [*SOME, *(f"text {i % 30}" for i in range(100))]
    df = _texts(spark, texts)
    con.register("t", pa.table({"text": pa.array(texts)}))
    sql = f"FROM llm_estimate(t, text, {LABELS}, model := '{MODEL}')"
    call = {"labels": LABELS, "model": MODEL}

    def estimated(**more: str) -> list[dict[str, Any]]:
        made = sqlfuncs.spark.llm_estimate(df, "text", **call, **more)
        rows: list[dict[str, Any]] = running.collected(made).to_pylist()
        return rows

    assert estimated() == estimated(answers=answers) == con.sql(sql).to_arrow_table().to_pylist()
    assert not spark.catalog.tableExists(answers)
    assert server.log["requests"] == 0
    _classify(df.limit(3), answers)
    assert estimated(answers=answers) == con.sql(sql).to_arrow_table().to_pylist()


def test_ctrl_c_stops_asking_and_loses_nothing(
    spark: Any, server: FaultServer, answers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosted, "_FEWEST", 10)
    df = _texts(spark, [f"text {i}" for i in range(100)])
    ask = Asking.ask

    def interrupted(self: Asking, texts: Any) -> pa.Table:
        if server.count >= 30:
            work.stop()
        return ask(self, texts)

    with monkeypatch.context() as patched:
        patched.setattr(Asking, "ask", interrupted)
        with pytest.raises(errors.Cancelled):
            _classify(df, answers)
    work.resume()
    assert spark.table(answers).count() == 30
    assert all(row["llm_classify"] for row in _rows(_classify(df, answers)))
    assert len(server.paid) == 100


def test_two_jobs_at_once_on_one_table(
    spark: Any, server: FaultServer, answers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosted, "_FEWEST", 20)
    server.behave(latency=0.02)
    parts = [_texts(spark, [f"text {i}" for i in range(at, at + 60)]) for at in (0, 30)]
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(_classify, df, answers) for df in parts]
        found = [row for each in asked for row in _rows(each.result(100))]
    assert all(row["llm_classify"] == right(row["text"], LABELS) for row in found)
    assert len(server.paid) == 90
    _rows(_classify(parts[0].union(parts[1]), answers))
    assert len(server.paid) == 90


def test_jobs_that_write_at_once_lose_nothing(spark: Any, answers: str) -> None:
    """Spark alone loses the files of one now and then, without an error."""
    unsaid = {field.name: None for field in SCHEMA}
    said = {"question": "q", "text": "t", "answer": ["a"], "model": "m", "asked_at": 1}

    def write(who: str) -> None:
        for at in range(10):
            row = {**unsaid, **said, "digest": f"{who}{at}", "input_tokens": 1, "output_tokens": 1}
            AnswerTable(spark, answers).append(pa.Table.from_pylist([row], schema=SCHEMA))

    AnswerTable(spark, answers).make()
    with ThreadPoolExecutor() as pool:
        list(pool.map(write, "abc"))
    assert spark.table(answers).select("digest").distinct().count() == 30


def test_batches_are_collected_by_the_next_call(
    spark: Any, server: FaultServer, answers: str
) -> None:
    df = _texts(spark, ["a", "b", "c"])
    found = _rows(_classify(df, answers, batch=True))
    assert sum(row["llm_classify"] is not None for row in found) == 1
    asking.forget_failures()
    found = _rows(_classify(df, answers, batch=True))
    assert [row["llm_classify"] for row in found] == [right(text, LABELS) for text in "abc"]
    assert sorted(server.paid) == ["a", "b", "c"]


_KILLED = """
import sys
from pathlib import Path
import sqlfuncs.spark
from tests.spark import sessions

spark = sessions.session(Path(sys.argv[1]))
df = spark.range(3000).selectExpr("id", "concat('text ', id) AS text")
sqlfuncs.spark.llm_classify(df, "text", %r, model=%r, answers=sys.argv[2]).count()
"""


@pytest.mark.slow
@pytest.mark.parametrize("machine", ["the same", "another"])
def test_a_job_that_is_killed_pays_for_nothing_twice_that_was_kept(
    spark: Any,
    server: FaultServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    machine: str,
) -> None:
    server.behave(latency=0.1)
    monkeypatch.setenv("SQLFUNCS_REQUESTS_AT_ONCE", "16")
    folder = str(tmp_path / "answers")
    script = _KILLED % (LABELS, MODEL)
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), folder],
        env={**os.environ, "SQLFUNCS_TEST_SPARK": ""},
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        while server.count < 1_500:
            assert process.poll() is None
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    time.sleep(1)  # what was under way ends
    paid = server.count
    assert 1_500 <= paid < 2_900
    kept = spark.read.load(folder).count()
    assert kept == 1_000
    if machine == "another":
        monkeypatch.setenv("SQLFUNCS_HOME", str(tmp_path / "other"))
    df = spark.range(3000).selectExpr("id", "concat('text ', id) AS text")
    found = _rows(_classify(df, folder))
    assert all(row["llm_classify"] == right(row["text"], LABELS) for row in found)
    twice = server.count - 3_000
    # Under way at the kill: asked, or answered and about to be kept.
    assert 0 <= twice <= (2 * 16 if machine == "the same" else paid - kept)
