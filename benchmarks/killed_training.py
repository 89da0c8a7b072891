"""Trainings killed at fifty moments: what the registry and jobs() say afterwards.

    python -m benchmarks.killed_training [HOW MANY]

A tiny encoder is trained in a process of its own, which is killed (SIGKILL) at a random moment,
while it trains, while its model is being saved, or just as it is there. Nothing is cleaned up in
between.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from benchmarks.pages import circumstances, write
from sqlfuncs.store import jobs, models
from tests.learning.models.networks import tiny

CODE = """
import sys, sqlfuncs
from tests.learning.models.networks import tiny
texts, labels = tiny.rows(400)
con = sqlfuncs.connect()
con.execute("CREATE TABLE t AS SELECT unnest($1) AS text, unnest($2) AS label", [texts, labels])
print("ready", flush=True)
call = "FROM fine_tune('m', t, text, label, base := $1, seed := $2)"
con.execute(call, [sys.argv[1], int(sys.argv[2])])
"""
MOMENTS = ("at random", "while it trained", "while it was saved", "when it was there")
TRAINING_SECONDS = 1.5  # about as long as the epochs take


def killed(base: Path, seed: int, moment: str, usual: float) -> None:
    """Start a training and kill it; `usual` is how many seconds one takes."""
    root, chance = Path(os.environ["SQLFUNCS_HOME"]) / "models", random.Random(seed)
    root.mkdir(exist_ok=True)
    before, saving_before, jobs_before = manifests(root), saving(root), noted(root)
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(base), str(seed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    if moment == "at random":
        time.sleep(chance.uniform(0, usual))
    while process.poll() is None and moment != "at random":
        if moment == "while it trained" and len(noted(root)) > len(jobs_before):
            time.sleep(chance.uniform(0, TRAINING_SECONDS))
            break
        if moment == "while it was saved" and saving(root) - saving_before:
            break
        if moment == "when it was there" and manifests(root) - before:
            time.sleep(chance.uniform(0, 0.01))
            break
    process.kill()
    process.wait()
    process.stdout.close()


def manifests(root: Path) -> set[Path]:
    """The manifests of the models that are there."""
    folders = [entry for entry in root.iterdir() if not entry.name.startswith(".")]
    return {file for folder in folders for file in folder.glob("*/manifest.json")}


def saving(root: Path) -> set[Path]:
    """The folders in which files of a model are being written."""
    found = set()
    for entry in root.glob(".saving-*"):
        with suppress(FileNotFoundError):
            if any(entry.iterdir()):
                found.add(entry)
    return found


def noted(root: Path) -> set[Path]:
    """The folders of jobs."""
    return set(root.parent.glob("jobs/ft-*"))


def wrong() -> list[str]:
    """What is not as it should be: half a model, a job that is not as its row says."""
    found = []
    records = models.records()
    for record in records:
        models.load(f"{record.name}@{record.version}")  # raises for what is damaged
    for job in jobs.listed():
        made = [record.version for record in records if record.job_id == job.id]
        says = (job.status, job.version)
        if says not in [("SUCCEEDED", version) for version in made] and (
            made or says != ("FAILED", None)
        ):
            found.append(f"{job.id} is {says}, but its models are {made}")
    return found


def usual_seconds(base: Path) -> float:
    """How long a training takes that nobody kills."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", CODE, str(base), "-1"], check=True, capture_output=True)
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import sqlfuncs"], check=True)
    return started - begun - (time.perf_counter() - started)


def main(count: int) -> None:
    """Kill so many and say what was found."""
    with tempfile.TemporaryDirectory() as empty:
        os.environ["SQLFUNCS_HOME"] = empty
        base = tiny.encoder(Path(empty) / "base")
        usual, consistent = usual_seconds(base), 0
        for turn in range(count):
            killed(base, turn, MOMENTS[turn % len(MOMENTS)], usual)
            # A job whose process never began to train is given a minute to begin.
            pending = [job.id for job in jobs.listed() if job.status == jobs.PENDING]
            if pending:
                time.sleep(jobs.STARTING_SECONDS)
            faults = wrong()
            consistent += not faults
            print(turn, *faults, flush=True)
        ended = Counter(job.status for job in jobs.listed())
        versions = len(models.records())
    lines = [
        f"| kill -9 while an encoder is trained, {count} times | |",
        "|---|---|",
        "| times that every model was whole and every job said what had come of it | "
        f"{consistent} |",
        f"| jobs that had failed; had succeeded, the uninterrupted one included | "
        f"{ended[jobs.FAILED]}; {ended[jobs.SUCCEEDED]} |",
        f"| models in the registry | {versions} |",
    ]
    write("killed training", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
