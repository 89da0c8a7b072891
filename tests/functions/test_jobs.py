from __future__ import annotations

import time
from dataclasses import replace

import duckdb
import pytest

from sqlfuncs.errors import BadInput, Cancelled
from sqlfuncs.store import jobs
from sqlfuncs.store.jobs import Job


def _job(name: str = "ft-1") -> Job:
    return Job(name, "support", "fast", 12, time.time())


def test_a_training_is_a_row(sample: duckdb.DuckDBPyConnection) -> None:
    assert sample.execute("FROM jobs()").fetchall() == []
    sample.execute("FROM fine_tune('support', requests, text, label)")
    found = sample.execute("FROM jobs()")
    assert [column[0] for column in found.description or []] == [
        "job_id",
        "model",
        "version",
        "base",
        "rows",
        "status",
        "progress",
        "seconds",
        "seconds_left",
        "error",
        "created_at",
    ]
    ((_, *row, seconds, left, error, _),) = found.fetchall()
    assert row == ["support", 1, "fast", 1500, "SUCCEEDED", 1.0]
    assert seconds > 0
    assert (left, error) == (None, None)
    assert (
        sample.execute("SELECT job_id FROM models() JOIN jobs() USING (model, version)").df().size
    )


def test_a_training_that_failed_says_why(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS SELECT 'number ' || i AS text, i AS id FROM range(30) r(i)")
    with pytest.raises(duckdb.Error):
        con.execute("FROM fine_tune('keys', t, text, id)").fetchall()
    (row,) = con.execute("SELECT status, error, version FROM jobs()").fetchall()
    assert row[0] == "FAILED"
    assert "is it the right column" in row[1]
    assert row[2] is None


def test_what_is_left_to_do_is_told_from_what_is_done() -> None:
    jobs.create(_job())
    with jobs.running("ft-1") as running:
        time.sleep(0.2)
        running.report(0.25)
        (job,) = jobs.listed()
        assert (job.status, job.progress) == ("RUNNING", 0.25)
        assert job.seconds is not None
        assert job.seconds_left == pytest.approx(3 * job.seconds, rel=0.5)
        with pytest.raises(BadInput, match="another process is at the job"):
            _at_once("ft-1")
    # Whoever leaves without a word was killed.
    assert jobs.listed()[0].status == "FAILED"


def _at_once(job: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(jobs, "_LOCK_SECONDS", 0.1)
        with jobs.running(job):
            pass


def test_one_that_never_began_is_given_a_minute() -> None:
    jobs.create(_job())
    assert jobs.listed()[0].status == "PENDING"
    jobs.create(replace(_job(), created_at=time.time() - jobs.STARTING_SECONDS - 1))
    (job,) = jobs.listed()
    assert job.status == "FAILED"
    assert "resume := true" in str(job.error)


def test_one_that_was_cancelled_does_not_begin() -> None:
    jobs.create(_job())
    jobs.stop("ft-1")
    with pytest.raises(Cancelled), jobs.running("ft-1"):
        raise AssertionError
    assert jobs.listed()[0].status == "CANCELLED"


def test_a_file_that_is_no_database_is_put_aside(
    con: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs.create(_job())
    (jobs.folder("ft-1").parent / "jobs.sqlite").write_bytes(b"no database" * 100)
    assert con.execute("FROM jobs()").fetchall() == []
    assert "jobs.sqlite was damaged" in capsys.readouterr().err
    jobs.create(_job("ft-2"))
    assert [job.id for job in jobs.listed()] == ["ft-2"]
