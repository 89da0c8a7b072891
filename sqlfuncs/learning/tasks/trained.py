"""Models trained by fine_tune, applied: what they say of rows. Reads the registry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.errors import BadInput, BadOption
from sqlfuncs.learning.models.decoding import Decoder, Said, refuse_multi
from sqlfuncs.learning.rows.base import is_usable
from sqlfuncs.learning.rows.text import Texts
from sqlfuncs.learning.tasks import registry as tasks
from sqlfuncs.learning.tasks.stored import Model
from sqlfuncs.store.loaded import Loaded
from sqlfuncs.store.models import ModelRecord
from sqlfuncs.wording import Call, Given, Option


@dataclass(frozen=True)
class _Trained:
    """A model, and what reads its predictions."""

    model: Model
    decoder: Decoder


def said(
    rows: pa.Array, model: str, labels: Sequence[str] | None, *, multi: bool = False
) -> tuple[Iterator[Said], npt.NDArray[np.bool_]]:
    """What a model says of the usable rows, in their order, and which rows those are: (rows,).

    Of `labels` alone, if they are given. Raises UnknownModel, DamagedModel, BadOption for a label
    that the model does not have and for `multi` where it gives one label for a row, or is needed,
    and BadInput for rows of a kind that it cannot read.
    """
    record, trained = _loaded.get(model)
    decoder = trained.decoder
    refuse_multi(model, multi, is_multi=decoder.is_multi, gives=decoder.gives)
    values = tasks.named(record.task).asked(rows, model)
    usable = is_usable(values.reasons)
    values = values.take(usable)
    # Without rows too, for labels that the model does not have are an error there as well.
    nothing = np.zeros((0, max(1, len(record.classes))))
    predicted = trained.model.predict(values) if usable.any() else nothing
    return decoder.said(predicted, labels, record.name, values.words), usable


def refuse_without_probabilities(model: str) -> None:
    """Raise BadOption if a model does not say how likely labels are.

    Raises UnknownModel, DamagedModel.
    """
    decoder = _loaded.get(model)[1].decoder
    if not decoder.has_probabilities:
        raise BadOption(
            f"'{model}' was trained to give {decoder.gives}, and knows no probabilities: "
            f"{Call('llm_classify', 'x', Option('model', Given(model)))} gives it."
        )


def find(model: str) -> ModelRecord:
    """The record of a model. Raises UnknownModel, DamagedModel."""
    return _loaded.find(model)


def refuse_type(of: pa.DataType, model: str) -> None:
    """Raise BadInput if a model cannot read columns of a type, which a column of NULL never says.

    Raises UnknownModel, DamagedModel.
    """
    record = _loaded.find(model)
    rows = tasks.named(record.task).asked(pa.nulls(0, of), model)
    if rows.kind != record.kind and not pa.types.is_null(of):
        kind = "text" if record.kind == Texts.kind else "embeddings"
        raise BadInput(f"the model was trained on {kind}; it cannot read {rows.called}.")


def bring(record: ModelRecord, files: Mapping[str, bytes]) -> str:
    """Have a model at hand in this process that came from another; the name that it has here."""
    return _loaded.bring(record, files)


def _restored(record: ModelRecord, files: Mapping[str, bytes]) -> _Trained:
    of = tasks.named(record.task)
    return _Trained(of.restored(record.classes, files), of.decoder(record.classes, files))


_loaded: Loaded[_Trained] = Loaded(_restored)
