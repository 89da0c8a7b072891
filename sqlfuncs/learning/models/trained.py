"""Models trained by fine_tune, applied: which class, and how likely each. Reads the registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.errors import BadInput, BadOption
from sqlfuncs.learning.features.features import TextFeatures
from sqlfuncs.learning.labels.labels import NUMBER, TEXT, canonical
from sqlfuncs.learning.models import cross_fitted
from sqlfuncs.learning.models.cross_fitted import CrossFitted
from sqlfuncs.learning.models.fast import FastModel
from sqlfuncs.learning.models.networks.model import RECIPE, NetworkModel
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import Floats, is_usable
from sqlfuncs.learning.rows.embedding import Embeddings
from sqlfuncs.learning.rows.text import Texts
from sqlfuncs.store.loaded import Loaded
from sqlfuncs.store.models import ModelRecord

_Model = FastModel | NetworkModel | CrossFitted


def class_probabilities(
    rows: pa.Array, model: str, labels: Sequence[str] | None
) -> tuple[tuple[str, ...], Floats, npt.NDArray[np.bool_]]:
    """The classes (`labels`, or all of the model's), probabilities of the usable rows, and which
    rows those are: (classes,), (usable rows, classes), (rows,).

    Raises UnknownModel, DamagedModel, BadOption for a label that is no class of the model, and
    BadInput for rows of a kind that it cannot read.
    """
    record, trained = _loaded.get(model)
    allowed = _allowed(record, labels)
    values = registry.read(rows)
    if not values.can_be_trained_on:
        raise BadInput(
            f"llm_classify cannot read {values.called}. It takes {Texts.example} or "
            f"{Embeddings.example}."
        )
    usable = is_usable(values.reasons)
    names = tuple(record.classes[place] for place in allowed)
    if not usable.any():
        return names, np.zeros((0, len(names))), usable
    probs = trained.probabilities(values.take(usable))[:, allowed]
    total = probs.sum(axis=1, keepdims=True)
    return names, np.where(total > 0, probs / np.maximum(total, 1e-300), 1 / len(names)), usable


def find(model: str) -> ModelRecord:
    """The record of a model. Raises UnknownModel, DamagedModel."""
    return _loaded.find(model)


def refuse_type(of: pa.DataType, model: str) -> None:
    """Raise BadInput if a model cannot read columns of a type, which a column of NULL never says.

    Raises UnknownModel, DamagedModel.
    """
    _, trained = _loaded.get(model)
    rows = registry.read(pa.nulls(0, of))
    reads_text = isinstance(trained, NetworkModel) or isinstance(trained.features, TextFeatures)
    if reads_text != (rows.texts is not None) and not pa.types.is_null(of):
        kind = "text" if reads_text else "embeddings"
        raise BadInput(f"the model was trained on {kind}; it cannot read {rows.called}.")


def bring(record: ModelRecord, files: Mapping[str, bytes]) -> str:
    """Have a model at hand in this process that came from another; the name that it has here."""
    return _loaded.bring(record, files)


def _allowed(record: ModelRecord, labels: Sequence[str] | None) -> list[int]:
    if labels is None:
        return list(range(len(record.classes)))
    if len(set(labels)) < 2:
        raise BadOption(f"labels has to hold two different labels or more, not {list(labels)!r}.")
    found = [_class_of(record, label) for label in labels]
    unknown = [label for label in found if label not in record.classes]
    if unknown:
        raise BadOption(
            f"the model '{record.name}' has no class {', '.join(map(repr, unknown))}. Its classes "
            f"are {', '.join(map(repr, record.classes))}."
        )
    return [record.classes.index(label) for label in found]


def _class_of(record: ModelRecord, label: str) -> str:
    """The class that a label stands for: 1 is 1.0, whichever a model was trained on."""
    if label in record.classes:
        return label
    wanted = canonical(label, TEXT, NUMBER)
    same = [name for name in record.classes if canonical(name, TEXT, NUMBER) == wanted]
    return same[0] if len(same) == 1 else label


def _restored(record: ModelRecord, files: Mapping[str, bytes]) -> _Model:
    if RECIPE in files:
        return NetworkModel.from_files(files, len(record.classes))
    if cross_fitted.ABOUT in files:  # of a judge that label_issues has kept
        return CrossFitted.from_files(files)
    return FastModel.from_files(files)


_loaded: Loaded[_Model] = Loaded(_restored)
