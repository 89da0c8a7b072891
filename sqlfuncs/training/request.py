"""What is to be trained: rows, labels and how; kept in the job's folder for its process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import pyarrow as pa

from sqlfuncs.learning.features.heads import RowWeights
from sqlfuncs.learning.rows.base import Rows
from sqlfuncs.learning.tasks import registry as tasks
from sqlfuncs.learning.tasks.taught import Taught
from sqlfuncs.store.home import made_file

_ABOUT, _ROWS = "request.json", "rows.arrow"
RECIPE = 6  # raised whenever the same rows would give another model


@dataclass(frozen=True)
class Request:
    """A model to be trained on rows that can be used.

    `base` is 'fast', 'best' or the full name of a pretrained model; `reading` is how it reads rows
    on this machine, and with what weights. `task` is what the `labels` (rows,) are, texts as its
    `to_learn` has them; `weights` (rows,) are how much each row counts.
    """

    model: str
    base: str
    reading: str
    folds: int
    seed: int
    task: str
    rows: Rows
    labels: list[str]
    weights: RowWeights | None = None

    @cached_property
    def taught(self) -> Taught:
        """What the labels are to a model."""
        return tasks.named(self.task).taught(self.labels)

    @property
    def classes(self) -> tuple[str, ...]:
        """Those that the model will be able to give, in their order; none of numbers."""
        return self.taught.classes

    @property
    def kind(self) -> str:
        """What a row is, as models() calls it."""
        return self.rows.kind

    @property
    def fingerprint(self) -> str:
        """A digest of the rows, in whatever order they come, and of how they are trained on."""
        each = sorted(
            key + sha256(label.encode("utf-8", "surrogatepass")).digest() + weight
            for key, label, weight in zip(
                self.rows.digests(), self.labels, self._weight_bytes(), strict=True
            )
        )
        how = f"{RECIPE}\0{self.base}\0{self.reading}\0{self.folds}\0{self.seed}\0"
        how += self.taught.way
        return sha256(how.encode() + b"".join(each)).hexdigest()

    def _weight_bytes(self) -> list[bytes]:
        if self.weights is None:
            return [b""] * len(self.labels)
        return [weight.tobytes() for weight in self.weights]

    @property
    def job(self) -> str:
        """What its training is called: the same rows under the same name are the same job."""
        own = f"{self.model}\0{self.fingerprint}"
        return f"ft-{sha256(own.encode()).hexdigest()[:12]}"

    def save(self, folder: Path) -> None:
        """Write it down for another process. Raises OSError."""
        about = {
            "model": self.model,
            "base": self.base,
            "reading": self.reading,
            "folds": self.folds,
            "seed": self.seed,
            "task": self.task,
            "kind": self.kind,
        }
        columns = {"x": self.rows.to_arrow(), "label": pa.array(self.labels)}
        if self.weights is not None:
            columns["weight"] = pa.array(self.weights)
        table = pa.table(columns)
        with (
            pa.OSFile(str(made_file(folder / _ROWS)), "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as to,
        ):
            to.write_table(table)
        made_file(folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Request:
        """What `save` wrote, which is not there any longer. Raises OSError."""
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        with pa.OSFile(str(folder / _ROWS)) as source:
            table = pa.ipc.open_file(source).read_all().combine_chunks()
        for name in (_ABOUT, _ROWS):
            (folder / name).unlink()
        rows = tasks.named(about["task"]).beside(table.column("x").combine_chunks())
        del about["kind"]
        return cls(
            **about,
            rows=rows,
            labels=table.column("label").to_pylist(),
            weights=table.column("weight").to_numpy() if "weight" in table.column_names else None,
        )
