"""`cancel_job(id)`: stop a training."""

from __future__ import annotations

import pyarrow as pa

from sqlfuncs.errors import BadInput
from sqlfuncs.functions.jobs import COLUMNS, as_rows
from sqlfuncs.functions.spec import ListFunction
from sqlfuncs.store import jobs as store
from sqlfuncs.training import hosted
from sqlfuncs.wording import Call


def cancel_job(job_id: object) -> pa.StructArray:
    """Ask a training to stop; its row of jobs() comes back. It stops within seconds.

    What it had done by the end of its last epoch is kept for `resume := true`.

    Errors: an id that does not exist, listing those that do; a training that has ended.
    """
    if not isinstance(job_id, str):
        raise BadInput(
            f"cancel_job takes the id of a job, not {job_id!r}. "
            f"{Call('jobs', is_table=True)} lists them."
        )
    job = store.stop(job_id)
    if job.remote is not None:
        hosted.stop(job.remote)
    return as_rows([job])


FUNCTION = ListFunction(
    name="cancel_job", compute=cancel_job, returns=COLUMNS, arguments=("job_id",)
)
