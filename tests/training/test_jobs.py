"""Trainings as jobs: `jobs()` tells the truth whatever happens to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest

import sqlfuncs
from sqlfuncs.store import jobs, models
from sqlfuncs.store.jobs import Job
from sqlfuncs.training import run
from tests.conftest import needs_local
from tests.learning.models.networks import tiny

pytestmark = [needs_local, pytest.mark.slow]
_ENDED = (jobs.SUCCEEDED, jobs.FAILED, jobs.CANCELLED)


@pytest.fixture
def table(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Texts and labels that a tiny network learns."""
    texts, labels = tiny.rows(600)
    con.execute("CREATE TABLE t AS SELECT unnest($1) AS text, unnest($2) AS label", [texts, labels])
    return con


@pytest.fixture
def base(tmp_path: Path) -> str:
    """The folder of a tiny encoder, with a quote in its name."""
    return str(tiny.encoder(tmp_path / "it's a base"))


@pytest.fixture(autouse=True)
def _leave_none_behind() -> Iterator[None]:
    yield
    for job in jobs.listed():
        for process in _trainers(job.id):
            os.kill(process, signal.SIGKILL)


def _train(con: duckdb.DuckDBPyConnection, base: str, more: str = "") -> Any:
    quoted = base.replace("'", "''")
    call = f"FROM sqlfuncs.fine_tune('mine', t, text, label, base := '{quoted}'{more})"
    return con.execute(call).df().iloc[0]


def _until(status: tuple[str, ...], *, seconds: float = 120) -> Job:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        (job,) = jobs.listed()
        if job.status in status:
            return job
        time.sleep(0.05)
    raise AssertionError(f"it is still {job}")


def _trainers(job: str) -> list[int]:
    """The processes of their own that train a job."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if file.read_bytes().rstrip(b"\0").endswith(job.encode()):
                found.append(int(file.parent.name))
    return found


def _trainer(job: str) -> int:
    (found,) = _trainers(job)
    return found


def _elsewhere(query: str) -> subprocess.CompletedProcess[str]:
    """A query in a process of its own, which prints what it gives."""
    code = "import sqlfuncs, sys; print(sqlfuncs.connect().execute(sys.argv[1]).fetchall())"
    command = [sys.executable, "-c", code, query]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_what_one_process_trains_another_classifies_with(
    table: duckdb.DuckDBPyConnection, base: str
) -> None:
    row = _train(table, base)
    assert (row["status"], row["version"], row["base"], row["error"]) == (
        "SUCCEEDED",
        1,
        base,
        None,
    )
    said = _elsewhere(
        "SELECT llm_classify(t, model := 'mine@1') FROM (VALUES ('my late parcel')) v(t)"
    )
    assert said.stdout.strip() == "[('delivery',)]", said.stderr
    (job,) = jobs.listed()
    assert (job.status, job.progress, job.version) == ("SUCCEEDED", 1.0, 1)
    assert [entry.name for entry in jobs.folder(job.id).iterdir()] == ["lock"]


def test_it_goes_on_when_nobody_waits(table: duckdb.DuckDBPyConnection, base: str) -> None:
    row = _train(table, base, ", wait := false")
    assert row["status"] in ("PENDING", "RUNNING")
    assert _until(("RUNNING",)).progress < 1
    done = _until(_ENDED)
    assert (done.status, done.version, done.error) == ("SUCCEEDED", 1, None)
    assert row["job_id"] == done.id == models.find("mine").job_id
    again = _train(table, base)
    assert (again["version"], again["job_id"]) == (1, done.id)


def test_a_killed_trainer_is_noticed_and_can_go_on(
    table: duckdb.DuckDBPyConnection, base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    job = str(_train(table, base, ", wait := false")["job_id"])
    while not (jobs.folder(job) / "checkpoint.safetensors").exists():
        time.sleep(0.02)
    os.kill(_trainer(job), signal.SIGKILL)
    left = {entry.name for entry in jobs.folder(job).iterdir()}
    assert left == {"lock", "log", "checkpoint.safetensors"}  # and none of the rows
    dead = _until(_ENDED)
    assert dead.status == "FAILED"
    assert "killed" in str(dead.error)
    assert "resume := true" in str(dead.error)
    assert models.records() == []
    resumed = _train(table, base, ", resume := true")
    assert (resumed["status"], resumed["version"]) == ("SUCCEEDED", 1)
    # A whole training from the beginning comes to the same model.
    whole = models.load("mine")[1]
    table.execute("FROM drop_model('mine')").fetchall()
    _train(table, base)
    assert models.load("mine")[1] == whole


def test_a_checkpoint_is_not_kept_for_ever(
    table: duckdb.DuckDBPyConnection, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = str(_train(table, base, ", wait := false")["job_id"])
    checkpoint = jobs.folder(job) / "checkpoint.safetensors"
    while not checkpoint.exists():
        time.sleep(0.02)
    os.kill(_trainer(job), signal.SIGKILL)
    _until(("FAILED",))
    call = "FROM sqlfuncs.fine_tune('other', t, text, label, seed := $1)"
    table.execute(call, [1]).fetchall()
    assert checkpoint.exists()
    monkeypatch.setattr(run, "CHECKPOINT_SECONDS", 0.0)
    table.execute(call, [2]).fetchall()
    assert [entry.name for entry in jobs.folder(job).iterdir()] == ["lock"]
    assert [each.status for each in jobs.listed()] == ["SUCCEEDED", "SUCCEEDED", "FAILED"]
    resumed = _train(table, base, ", resume := true")
    assert (resumed["status"], resumed["version"]) == ("SUCCEEDED", 1)


def test_a_job_can_be_cancelled_from_elsewhere(table: duckdb.DuckDBPyConnection, base: str) -> None:
    job = str(_train(table, base, ", wait := false")["job_id"])
    _until(("RUNNING",))
    with sqlfuncs.connect() as other:
        assert other.execute(f"FROM cancel_job('{job}')").df()["job_id"][0] == job
    assert _until(_ENDED, seconds=30).status == "CANCELLED"
    assert models.records() == []
    with pytest.raises(duckdb.Error, match="has ended already: it is CANCELLED"):
        table.execute(f"FROM cancel_job('{job}')").df()
    with pytest.raises(duckdb.Error, match=f"there is no job 'no'. There are: {job}"):
        table.execute("FROM cancel_job('no')").df()


def test_one_that_waits_can_be_cancelled(table: duckdb.DuckDBPyConnection, base: str) -> None:
    failures: list[str] = []

    def train() -> None:
        try:
            _train(table.cursor(), base)
        except duckdb.Error as error:
            failures.append(str(error))

    thread = threading.Thread(target=train)
    thread.start()
    while thread.is_alive() and not (jobs.listed() and jobs.listed()[0].status == "RUNNING"):
        time.sleep(0.05)
    assert not failures
    jobs.stop(jobs.listed()[0].id)
    thread.join(timeout=300)
    assert jobs.listed()[0].status == "CANCELLED"
    assert "Cancelled" in failures[0]


def test_the_same_training_is_not_begun_twice(
    table: duckdb.DuckDBPyConnection, base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = _train(table, base, ", wait := false")
    _until(("RUNNING",))
    second = _train(table, base)
    assert second["job_id"] == first["job_id"]
    assert second["status"] == "RUNNING"
    assert "is training on exactly these rows" in capsys.readouterr().err
    _until(_ENDED)
    assert len(models.records()) == 1


def test_who_comes_second_leaves_a_job_alone(
    table: duckdb.DuckDBPyConnection, base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    job = str(_train(table, base, ", wait := false")["job_id"])
    checkpoint = jobs.folder(job) / "checkpoint.safetensors"
    while not checkpoint.exists():
        time.sleep(0.02)
    os.kill(_trainer(job), signal.SIGKILL)
    _until(("FAILED",))
    with jobs.running(job):
        row = _train(table, base)
        assert (row["status"], row["job_id"]) == ("RUNNING", job)
        assert "is training on exactly these rows" in capsys.readouterr().err
        assert checkpoint.exists()
        jobs.stop(job)
        assert "asked to stop" in str(jobs.listed()[0].error)


def test_two_trainings_under_one_name_are_two_versions(
    table: duckdb.DuckDBPyConnection, base: str
) -> None:
    for seed in (0, 1):
        _train(table, base, f", wait := false, seed := {seed}")
    while any(job.status not in _ENDED for job in jobs.listed()):
        time.sleep(0.1)
    assert [job.status for job in jobs.listed()] == ["SUCCEEDED", "SUCCEEDED"]
    assert {job.version for job in jobs.listed()} == {1, 2}
    assert [record.version for record in models.records()] == [1, 2]


def test_ctrl_c_is_for_the_shell_alone(table: duckdb.DuckDBPyConnection, base: str) -> None:
    job = str(_train(table, base, ", wait := false")["job_id"])
    _until(("RUNNING",))
    assert os.getpgid(_trainer(job)) != os.getpgid(0)
    os.kill(_trainer(job), signal.SIGTERM)
    assert _until(_ENDED).status == "FAILED"


def test_a_model_that_was_edited_by_hand_is_refused(
    table: duckdb.DuckDBPyConnection, base: str, home: Path
) -> None:
    _train(table, base)
    (file,) = (home / "models").glob("*/1/network.safetensors")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(duckdb.Error, match=r"DamagedModel: mine.*is not what was stored"):
        table.execute("SELECT llm_classify(text, model := 'mine') FROM t").df()


def test_a_base_that_changed_under_a_model_is_refused(
    table: duckdb.DuckDBPyConnection, base: str
) -> None:
    _train(table, base)
    config = Path(base) / "config.json"
    config.write_text(config.read_text() + " ")
    said = _elsewhere("SELECT llm_classify('my late parcel', model := 'mine@1')")
    assert "whose weights here are others than they were. Train it again" in said.stderr


def test_a_base_with_code_of_its_own_is_refused(
    table: duckdb.DuckDBPyConnection, base: str
) -> None:
    config = Path(base) / "config.json"
    text = config.read_text().replace('"bert"', '"strange"')
    config.write_text(text.replace("{", '{"auto_map": {"AutoModel": "own.Model"},', 1))
    (Path(base) / "own.py").write_text("open('was run', 'w')")
    with pytest.raises(duckdb.Error, match="needs code of its own to be run"):
        _train(table, base)
    assert jobs.listed() == []


def test_a_folder_that_holds_no_model_is_refused(
    table: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(duckdb.Error, match="holds no weights as safetensors or GGUF"):
        _train(table, str(tmp_path / "empty"))


def test_a_full_disk_fails_the_job_and_leaves_nothing(
    table: duckdb.DuckDBPyConnection, base: str, home: Path
) -> None:
    """Files may not grow beyond what SQLite takes: the model is larger."""
    code = (
        "import resource, sqlfuncs, sys; con = sqlfuncs.connect();"
        "from tests.learning.models.networks import tiny; texts, labels = tiny.rows(60);"
        "con.execute('CREATE TABLE t AS SELECT unnest($1) AS text, unnest($2) AS label',"
        " [texts, labels]);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000));"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "con.execute(\"FROM fine_tune('mine', t, text, label, base := $1)\", [sys.argv[1]])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, base], capture_output=True, text=True, check=False, timeout=300
    )
    assert "CannotKeep: a model cannot be kept" in said.stderr
    assert "no checkpoint is kept" in said.stderr
    (job,) = jobs.listed()
    assert job.status == "FAILED"
    assert "cannot be kept" in str(job.error)
    assert models.records() == []
    assert not list((home / "models").glob(".saving-*"))


@pytest.mark.parametrize("rows", [3, 40])
def test_few_rows(table: duckdb.DuckDBPyConnection, base: str, rows: int) -> None:
    table.execute(f"DELETE FROM t WHERE rowid >= {rows}")
    row = _train(table, base)
    assert row["status"] == "SUCCEEDED"
    assert row["rows"] == rows


def test_three_hundred_classes_with_odd_names(table: duckdb.DuckDBPyConnection, base: str) -> None:
    table.execute("""
        UPDATE t SET label = 'it''s "class" ' || (rowid % 300) || CASE rowid % 3
            WHEN 0 THEN ' 🎈' WHEN 1 THEN ' UPPER' ELSE ' upper' END
    """)
    row = _train(table, base)
    assert len(row["classes"]) == 300
    found = table.execute("SELECT DISTINCT llm_classify(text, model := 'mine') FROM t").fetchall()
    assert {label for (label,) in found} <= set(row["classes"])
