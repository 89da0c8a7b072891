"""Models trained by fine_tune, applied: what they say of rows. Reads the registry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.errors import BadInput, BadOption
from sqlfuncs.learning.features.features import TextFeatures
from sqlfuncs.learning.models import cross_fitted
from sqlfuncs.learning.models.cross_fitted import CrossFitted
from sqlfuncs.learning.models.decoding import Decoder, Said, refuse_multi
from sqlfuncs.learning.models.fast import FastModel
from sqlfuncs.learning.models.networks.model import RECIPE, NetworkModel
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import is_usable
from sqlfuncs.learning.rows.embedding import Embeddings
from sqlfuncs.learning.rows.text import Texts
from sqlfuncs.learning.tasks import registry as tasks
from sqlfuncs.store.loaded import Loaded
from sqlfuncs.store.models import ModelRecord
from sqlfuncs.wording import Call, Given, Option


@dataclass(frozen=True)
class _Trained:
    """A model, and what reads its predictions."""

    model: FastModel | NetworkModel | CrossFitted
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
    values = registry.read(rows)
    if not values.can_be_trained_on:
        raise BadInput(
            f"llm_classify cannot read {values.called}. It takes {Texts.example} or "
            f"{Embeddings.example}."
        )
    usable = is_usable(values.reasons)
    # Without rows too, for labels that the model does not have are an error there as well.
    nothing = np.zeros((0, max(1, len(record.classes))))
    predicted = trained.model.predict(values.take(usable)) if usable.any() else nothing
    return decoder.said(predicted, labels, record.name), usable


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
    _, trained = _loaded.get(model)
    rows = registry.read(pa.nulls(0, of))
    own = trained.model
    reads_text = isinstance(own, NetworkModel) or isinstance(own.features, TextFeatures)
    if reads_text != (rows.texts is not None) and not pa.types.is_null(of):
        kind = "text" if reads_text else "embeddings"
        raise BadInput(f"the model was trained on {kind}; it cannot read {rows.called}.")


def bring(record: ModelRecord, files: Mapping[str, bytes]) -> str:
    """Have a model at hand in this process that came from another; the name that it has here."""
    return _loaded.bring(record, files)


def _restored(record: ModelRecord, files: Mapping[str, bytes]) -> _Trained:
    decoder = tasks.named(record.task).decoder(record.classes, files)
    if RECIPE in files:
        return _Trained(NetworkModel.from_files(files, len(record.classes) or 1), decoder)
    if cross_fitted.ABOUT in files:  # of a judge that label_issues has kept
        return _Trained(CrossFitted.from_files(files), decoder)
    return _Trained(FastModel.from_files(files), decoder)


_loaded: Loaded[_Trained] = Loaded(_restored)
