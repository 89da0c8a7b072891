"""Fine-tuning at the fault server: states, failures and events, by the types of the client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent, JobCreateParams
from pydantic import TypeAdapter

if TYPE_CHECKING:
    from tests.llm.fault_server import Behaviour, Reply

PATH = "/v1/fine_tuning/jobs"
_EVENTS, _CANCEL = "/events", "/cancel"


class Tunings:
    """The jobs of one server. Each look brings a job one state further."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.looks: dict[str, int] = {}

    def reply(
        self, method: str, path: str, body: bytes, files: dict[str, str], now: Behaviour
    ) -> Reply:
        """What is answered below `PATH`."""
        path = path.partition("?")[0]
        if method == "POST" and not path:
            return self.create(json.loads(body), files, now)
        name = path.strip("/").removesuffix(_EVENTS).removesuffix(_CANCEL)
        if name not in self.jobs:
            return 404, _error(f"Could not find fine tune: {name}", "fine_tune_not_found"), {}
        job = self.jobs[name]
        if path.endswith(_CANCEL):
            job["status"] = "cancelled"
        elif path.endswith(_EVENTS):
            return 200, {"object": "list", "data": [self.event(job)], "has_more": False}, {}
        else:
            self.look(job, now)
        return 200, FineTuningJob.model_validate(job).model_dump(mode="json"), {}

    def create(self, asked: dict[str, Any], files: dict[str, str], now: Behaviour) -> Reply:
        """A new job, or why there is none."""
        TypeAdapter(JobCreateParams).validate_python(asked)
        if now.tuning == "forbidden":
            said = "Fine-tuning is no longer offered to this organization"
            return 403, _error(said, "fine_tuning_not_available"), {}
        chats = [json.loads(line) for line in files[asked["training_file"]].split("\n")]
        if len(chats) < 10:
            said = f"Training file has {len(chats)} example(s), but must have at least 10 examples"
            return 400, _error(said, "invalid_n_examples"), {}
        for chat in chats:
            assert [message["role"] for message in chat["messages"]] == [
                "system",
                "user",
                "assistant",
            ]
        name = f"ftjob-{len(self.jobs)}"
        self.jobs[name] = {
            "id": name,
            "object": "fine_tuning.job",
            "created_at": 0,
            "hyperparameters": {"n_epochs": "auto"},
            "model": asked["model"],
            "organization_id": "org",
            "result_files": [],
            "seed": asked.get("seed", 0),
            "status": "validating_files",
            "training_file": asked["training_file"],
            "suffix": asked.get("suffix"),
        }
        self.looks[name] = 0
        return 200, FineTuningJob.model_validate(self.jobs[name]).model_dump(mode="json"), {}

    def look(self, job: dict[str, Any], now: Behaviour) -> None:
        """One state further, unless it is over or is held in the queue."""
        if job["status"] in ("succeeded", "failed", "cancelled"):
            return
        self.looks[job["id"]] += 1
        looks = self.looks[job["id"]]
        job["status"] = "queued" if looks <= now.tuning_queued else "running"
        if looks <= now.tuning_queued + 1:
            return
        job["status"] = now.tuning
        if now.tuning == "failed":
            said = "The job failed due to an unsafe training file"
            job["error"] = {"code": "unsafe_file", "message": said, "param": "training_file"}
        elif now.tuning == "succeeded":
            job |= {
                "fine_tuned_model": f"ft:{job['model']}:org:{job['suffix']}:{job['id']}",
                "trained_tokens": 1234,
                "finished_at": 1,
            }

    def event(self, job: dict[str, Any]) -> dict[str, Any]:
        """The latest that happened to a job."""
        event = {
            "id": f"ftevent-{self.looks[job['id']]}",
            "object": "fine_tuning.job.event",
            "created_at": 0,
            "level": "info",
            "message": f"The job is now {job['status']}",
        }
        return FineTuningJobEvent.model_validate(event).model_dump(mode="json")


def _error(message: str, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": code}}
