"""`llm_classify(text, model := 'name')`: the label a model gives a text."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import BadInput, BadOption, UnknownModel
from sqlfuncs.functions.spec import ScalarFunction
from sqlfuncs.learning import inputs
from sqlfuncs.learning.fast import FastModel
from sqlfuncs.learning.out_of_sample import take
from sqlfuncs.store import models
from sqlfuncs.store.models import ModelRecord

_LOADED_MODELS = 4
_loaded: OrderedDict[tuple[str, int, str], FastModel] = OrderedDict()
_loading = Lock()


def llm_classify(
    text: pa.Array, *, labels: list[str] | None = None, model: str | None = None
) -> pa.Array:
    """The label a model gives a text: exactly one of its classes, or NULL.

    `model` is the name of a model trained by fine_tune; `name@2` pins a version. Without it,
    the session's: SET VARIABLE sqlfuncs_model = 'name'. `labels`, if given, are the only
    answers allowed; each has to be a class of the model. For a model trained on embeddings,
    `text` is an embedding. NULL, blank and unusable input gives NULL.

    Errors: no model named, a model or a label that does not exist.
    """
    if isinstance(labels, str):
        raise BadOption(
            f"the second argument of llm_classify is a list of labels, not '{labels}'. A model is "
            f"named: llm_classify(text, model := '{labels}')."
        )
    if model is None:
        raise UnknownModel(
            "llm_classify needs a model: llm_classify(text, model := 'name'), or once a session "
            "SET VARIABLE sqlfuncs_model = 'name'. FROM models() lists them."
        )
    record, trained = _load(model)
    allowed = _allowed(record, labels)
    rows = inputs.read(text)
    if not isinstance(rows, inputs.Texts | inputs.Embeddings):
        raise BadInput(
            f"llm_classify cannot read {inputs.KINDS[type(rows)]}. It takes text (VARCHAR) or an "
            "embedding (FLOAT[])."
        )
    usable = inputs.usable(rows.reasons)
    if not usable.any():
        return pa.nulls(len(usable), pa.string())
    probs = trained.probabilities(take(rows, usable))[:, allowed]
    answers = np.full(len(usable), None, dtype=object)
    names = np.array(record.classes, dtype=object)[allowed]
    answers[usable] = names[probs.argmax(axis=1)]
    return pa.array(answers, pa.string())


def _allowed(record: ModelRecord, labels: list[str] | None) -> list[int]:
    if labels is None:
        return list(range(len(record.classes)))
    if len(set(labels)) < 2:
        raise BadOption(f"labels has to hold two different labels or more, not {labels!r}.")
    unknown = [label for label in labels if label not in record.classes]
    if unknown:
        raise BadOption(
            f"the model '{record.name}' has no class {', '.join(map(repr, unknown))}. Its classes "
            f"are {', '.join(map(repr, record.classes))}."
        )
    return [record.classes.index(label) for label in labels]


def _load(reference: str) -> tuple[ModelRecord, FastModel]:
    """A model from disk, or the one already in memory if it is still the same."""
    record = models.find(reference)
    key = (record.name, record.version, record.fingerprint)
    with _loading:
        if key not in _loaded:
            _, files = models.load(f"{record.name}@{record.version}")
            _loaded[key] = FastModel.from_files(files)
        _loaded.move_to_end(key)
        while len(_loaded) > _LOADED_MODELS:
            _loaded.popitem(last=False)
        return record, _loaded[key]


FUNCTION = ScalarFunction(
    name="llm_classify",
    compute=llm_classify,
    inputs=("text",),
    returns=pa.string(),
    session={"model": "sqlfuncs_model"},
)
