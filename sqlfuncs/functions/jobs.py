"""`jobs()`: the trainings that have been started, and where they stand."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from sqlfuncs.functions.spec import Column, ListFunction
from sqlfuncs.store.jobs import Job, listed


def jobs() -> pa.StructArray:
    """Every training that was started, a row each, the newest first.

    `status` is PENDING, RUNNING, SUCCEEDED, FAILED or CANCELLED, and true of this moment: a
    training whose process was killed is FAILED. `progress` is 0 to 1.
    """
    return as_rows(listed())


def as_rows(given: Iterable[Job]) -> pa.StructArray:
    """Jobs as rows."""
    return pa.array(
        [
            {
                "job_id": job.id,
                "model": job.model,
                "version": job.version,
                "base": job.base,
                "rows": job.rows,
                "status": job.status,
                "progress": job.progress,
                "seconds": job.seconds,
                "seconds_left": job.seconds_left,
                "error": job.error,
                "created_at": int(job.created_at * 1_000_000),
            }
            for job in given
        ],
        pa.struct([(column.name, column.computed_type) for column in COLUMNS]),
    )


COLUMNS = (
    Column("job_id", pa.string(), "for cancel_job"),
    Column("model", pa.string(), "the name the model will have"),
    Column("version", pa.int64(), "of the model, once there is one"),
    Column("base", pa.string(), "what is trained"),
    Column("rows", pa.int64(), "how many rows it is trained on"),
    Column("status", pa.string(), "PENDING, RUNNING, SUCCEEDED, FAILED or CANCELLED"),
    Column("progress", pa.float64(), "how much is done, 0 to 1"),
    Column("seconds", pa.float64(), "how long it has run"),
    Column("seconds_left", pa.float64(), "how long it will take yet"),
    Column("error", pa.string(), "why it failed; else NULL"),
    Column("created_at", pa.timestamp("us"), "when it was asked for (UTC)"),
)

FUNCTION = ListFunction(name="jobs", compute=jobs, returns=COLUMNS)
