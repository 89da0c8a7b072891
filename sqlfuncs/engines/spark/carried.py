"""A function of a row in the workers, beside the columns of a table. A model may come along."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from sqlfuncs import wording
from sqlfuncs.engines.spark import frames, scalars
from sqlfuncs.engines.spark.artifacts import Artifact
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.learning.tasks import trained
from sqlfuncs.store.manifests import ModelRecord

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Carried:
    """A function with its options, applied to the column at a place, of a `type`.

    It is found by name on a worker.
    """

    function: str
    options: Mapping[str, object]
    place: int
    into: str
    type: pa.DataType
    model: tuple[ModelRecord, Artifact] | None = None

    def beside(self, df: DataFrame) -> DataFrame:
        """All columns of a table, and what the function says of each row; lazily."""
        from pyspark.sql.pandas.types import from_arrow_type
        from pyspark.sql.types import StructField, StructType

        function = scalars.scalar_function(self.function)
        own = from_arrow_type(function.returned(self.options, self.type))
        types = StructType([*df.schema.fields, StructField(self.into, own)])
        return frames.in_batches(df, self, types)

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The rows with one column more."""
        function = scalars.scalar_function(self.function)
        query = [None] if function.per_query else []
        _use_one_thread()
        with wording.speaking(DIALECT):
            for batch in batches:
                options = dict(self.options)
                if self.model is not None:
                    record, files = self.model
                    options["model"] = trained.bring(record, files.files())
                said = function.compute(batch.column(self.place), *query, **options)
                yield batch.append_column(self.into, said)


def _use_one_thread() -> None:
    """A core has one worker, and a worker one core. Loading torch takes seconds: not for this."""
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(1)
    else:
        os.environ["OMP_NUM_THREADS"] = "1"  # which it reads once it is loaded
