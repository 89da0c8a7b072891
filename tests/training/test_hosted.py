"""`base := 'openai:...'` against a server on loopback that fine-tunes, and fails to."""

from __future__ import annotations

import json
import threading
import time

import duckdb
import pytest

from sqlfuncs import work
from sqlfuncs.llm import openai_tuning
from sqlfuncs.llm.task import Task
from sqlfuncs.store import jobs, models
from sqlfuncs.training import hosted
from tests.llm.conftest import FaultServer
from tests.llm.fault_server import right

CALL = "FROM fine_tune('mine', t, text, label, base := 'openai:small')"
LABELS = ["bad", "good", 'it\'s "fine" 🎈']


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosted, "_FIRST_WAIT", 0.1)
    monkeypatch.setattr(hosted, "_LONGEST_WAIT", 0.1)


@pytest.fixture
def table(con: duckdb.DuckDBPyConnection, server: FaultServer) -> duckdb.DuckDBPyConnection:
    """Twenty texts with labels that are text as well."""
    server.forget()
    con.execute("CREATE TABLE t (text VARCHAR, label VARCHAR)")
    texts = [f"text {i}" for i in range(20)]
    con.executemany("INSERT INTO t VALUES (?, ?)", [[text, right(text, LABELS)] for text in texts])
    return con


def _job() -> jobs.Job:
    (job,) = jobs.listed()
    return job


def test_a_model_is_made_and_used_by_its_name(
    table: duckdb.DuckDBPyConnection, server: FaultServer, capsys: pytest.CaptureFixture[str]
) -> None:
    row = table.execute(CALL).df().iloc[0]
    assert (row["status"], row["version"], row["rows"]) == ("SUCCEEDED", 1, 20)
    assert "ftjob-0: The job is now" in capsys.readouterr().err
    assert [(job.status, job.progress, job.remote) for job in jobs.listed()] == [
        ("SUCCEEDED", 1.0, "ftjob-0")
    ]
    (record,) = models.records()
    assert record.classes == tuple(sorted(LABELS))
    found = table.execute(
        "SELECT text, llm_classify(text, model := 'mine') AS l FROM t ORDER BY text"
    ).fetchall()
    assert all(label == right(text, list(record.classes)) for text, label in found)
    ((probs,),) = table.execute("SELECT llm_class_probs('x', model := 'mine')").fetchall()
    assert probs == {label: float(label == right("x", list(record.classes))) for label in probs}
    assert list(probs) == list(record.classes)
    with pytest.raises(duckdb.Error, match="'mine' was trained to give one label"):
        table.execute("SELECT llm_classify(text, model := 'mine', multi := true) FROM t").df()
    with pytest.raises(duckdb.Error, match="leave labels, instructions and examples out"):
        table.execute("SELECT llm_classify(text, ['good', 'bad'], model := 'mine') FROM t").df()
    assert table.execute(CALL).df().iloc[0]["version"] == 1  # nothing is trained again
    with pytest.raises(duckdb.Error, match="trained at a service, and cannot be trained again"):
        table.execute("FROM label_issues(t, text, label, model := 'mine')").df()


def test_a_model_of_tags_is_made_and_gives_any_number(
    table: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    table.execute("""
        CREATE TABLE tagged AS
        SELECT text, if(label = 'bad', [], list_sort([label, 'good'])) AS label FROM t
    """)
    call = "fine_tune('tags', tagged, text, label, base := 'openai:small')"
    ((status, classes),) = table.execute(f"SELECT status, classes FROM {call}").fetchall()
    assert (status, classes) == ("SUCCEEDED", ["good", LABELS[2]])
    lines = table.execute("SELECT line FROM fine_tune_file(tagged, text, label)").fetchall()
    sent = {
        tuple(json.loads(json.loads(each)["messages"][-1]["content"])["labels"])
        for (each,) in lines
    }
    assert sent <= {(), ("good",), ("good", LABELS[2])} and len(sent) > 1
    asked = "SELECT text, llm_classify(text, model := 'tags'{}) FROM tagged"
    for text, said in table.execute(asked.format(", multi := true")).fetchall():
        assert said == [each for each in classes if each != right(text, classes)]
    with pytest.raises(duckdb.Error, match="'tags' was trained on tags"):
        table.execute(asked.format("")).fetchall()
    with pytest.raises(duckdb.Error, match="learns classes and tags, and these labels are none"):
        table.execute("""
            CREATE TABLE n AS SELECT 'text ' || i AS text, i / 7 AS y FROM range(60) r(i);
            FROM fine_tune('n', n, text, y, base := 'openai:small')
        """)
    with pytest.raises(duckdb.Error, match="learns classes and tags, and these labels are none"):
        table.execute("FROM fine_tune_file(n, text, y)")


def test_what_is_sent_can_be_looked_at(
    table: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    lines = table.execute("SELECT line FROM fine_tune_file(t, text, label)").fetchall()
    assert len(lines) == 20
    chats = [json.loads(line)["messages"] for (line,) in lines]
    assert json.loads(chats[0][-1]["content"]) == {"label": right("text 0", LABELS)}
    sent = openai_tuning.lines(Task.read(sorted(LABELS)), [("text 0", [right("text 0", LABELS)])])
    assert next(sent) == lines[0][0]


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ({"tuning": "no upload"}, "The file is not accepted .* would do: base := 'best'"),
        ({"tuning": "forbidden"}, "no longer offered .* would do: base := 'best'"),
        ({"tuning": "failed"}, "unsafe training file .* would do: base := 'best'"),
    ],
)
def test_a_service_that_does_not(
    table: duckdb.DuckDBPyConnection,
    server: FaultServer,
    behaviour: dict[str, object],
    message: str,
) -> None:
    server.behave(**behaviour)
    with pytest.raises(duckdb.Error, match=message):
        table.execute(CALL).df()
    assert _job().status == "FAILED"
    assert "would do" in str(_job().error)
    assert models.records() == []


def test_no_key_is_said_before_anything_is_begun(
    table: duckdb.DuckDBPyConnection, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    for wait in ("true", "false"):
        with pytest.raises(duckdb.Error, match="OPENAI_API_KEY"):
            table.execute(f"{CALL[:-1]}, wait := {wait})").df()
    assert jobs.listed() == []


def test_too_few_rows_are_the_services_to_refuse(
    table: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    table.execute("DELETE FROM t WHERE rowid > 5")
    with pytest.raises(duckdb.Error, match="must have at least 10 examples"):
        table.execute(CALL).df()


def test_rows_count_the_same_at_a_service(table: duckdb.DuckDBPyConnection) -> None:
    for more in ("balanced := true", "weights := 1"):
        with pytest.raises(duckdb.Error, match="every row counts the same"):
            table.execute(CALL.removesuffix(")") + f", {more})").df()
    dropped = table.execute(CALL.removesuffix(")") + ", drop := text = 'text 3')").df()
    assert dropped["rows"][0] == 19


def test_a_network_that_is_gone_for_a_while(
    table: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    server.behave(tuning_broken=4)
    assert table.execute(CALL).df().iloc[0]["status"] == "SUCCEEDED"


def test_a_service_that_is_silent_goes_on_and_is_followed_later(
    table: duckdb.DuckDBPyConnection, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.behave(tuning_broken=10**6)
    monkeypatch.setattr(hosted, "_UNREACHABLE_SECONDS", 0.5)
    with pytest.raises(duckdb.Error, match="ftjob-0 goes on there; the same fine_tune follows it"):
        table.execute(CALL).df()
    assert (_job().status, _job().remote) == ("RUNNING", "ftjob-0")
    assert "nobody follows ftjob-0 at the service; the same fine_tune does" in str(_job().error)
    server.behave()
    assert table.execute(CALL).df().iloc[0]["status"] == "SUCCEEDED"
    assert (_job().status, _job().remote) == ("SUCCEEDED", "ftjob-0")


def test_ctrl_c_leaves_the_service_at_it(
    table: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    server.behave(tuning_queued=10**6)
    threading.Timer(3, work.stop).start()
    with pytest.raises(duckdb.Error, match=r"goes on at the service; .* cancel_job"):
        table.execute(CALL).df()
    work.resume()
    assert _job().status == "RUNNING"
    cancelled = table.execute(f"FROM cancel_job('{_job().id}')").df().iloc[0]
    assert cancelled["status"] == "CANCELLED"
    with pytest.raises(duckdb.Error, match="has ended already: it is CANCELLED"):
        table.execute(f"FROM cancel_job('{_job().id}')").df()


def test_cancelling_what_another_thread_waits_for(
    table: duckdb.DuckDBPyConnection, server: FaultServer
) -> None:
    server.behave(tuning_queued=10**6)
    failures: list[str] = []

    def train() -> None:
        try:
            table.cursor().execute(CALL.replace("fine_tune(", "sqlfuncs.fine_tune(")).df()
        except duckdb.Error as error:
            failures.append(str(error))

    thread = threading.Thread(target=train)
    thread.start()
    while not jobs.listed() or jobs.listed()[0].remote is None:
        time.sleep(0.05)
    table.execute(f"FROM cancel_job('{_job().id}')").df()
    thread.join(timeout=300)
    assert _job().status == "CANCELLED"
    assert "Cancelled" in failures[0]
