"""`fine_tune(name, tbl, x, label)`: train a model on a table and keep it under a name."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.errors import BadInput, BadOption, NoUsableRows, TooFewClasses
from sqlfuncs.functions.spec import Column, TableFunction
from sqlfuncs.learning import doubts, features, inputs
from sqlfuncs.learning.folds import check_folds
from sqlfuncs.learning.heads import RowWeights
from sqlfuncs.learning.out_of_sample import take
from sqlfuncs.store import jobs, models, weights
from sqlfuncs.store.models import ModelRecord
from sqlfuncs.training import hosted, network, run
from sqlfuncs.training.request import Request


def fine_tune(
    rows: pa.StructArray,
    name: object,
    *,
    base: str = "fast",
    folds: int = 5,
    seed: int = 0,
    wait: bool = True,
    resume: bool = False,
) -> pa.StructArray:
    """Train a model on a table and keep it under a name, for llm_classify.

    One row comes back: `model, version, job_id, status, base, rows, classes, cv_accuracy,
    seconds, error`. `cv_accuracy` is the accuracy against the labels given, each row judged by
    models that did not see it; where labels are wrong, it says how well the model agrees with
    them, not how good it is.
    A name that exists gets a new version; the same rows again give the version they gave.
    Rows without a label or without text are left out, and said.

    `x` is text (VARCHAR) or an embedding (FLOAT[]). `base` is 'fast': linear heads on TF-IDF
    and, with the extra `local`, a sentence embedding; or 'best', which adds the middle layers
    of a small language model, where its weights are (sqlfuncs models fetch smollm2). Any other
    base is a pretrained model of texts: an encoder ('minilm', an id of the Hugging Face hub, a
    folder), of which all weights are trained, or a causal language model ('smollm2', an id, a
    folder), beside whose lower layers adapters are trained. A tenth of the rows is held out:
    training stops where it foretells these best, and `cv_accuracy` is measured on them.
    'openai:MODEL' is trained at OpenAI, or a service that OPENAI_BASE_URL names, by
    OPENAI_API_KEY; fine_tune_file shows what is sent. There is no `cv_accuracy` then.

    `weights` is a column that says how much each row counts, 0 or more; `drop` one that is true
    where a row is to be left out: `label_quality` and `is_label_issue` of a label_issues result.

    With `wait := false` the training goes on in a process of its own; jobs() shows it. With
    `resume := true` one that was broken off goes on from its last epoch.

    Errors: fewer than two classes, no usable row, no label that two rows have, a name with '@' or
    ':', a base that cannot be trained, a home that cannot be written to.
    """
    model = models.check_name(name)
    check_folds(folds)
    usable, labels, weights = _usable(rows)
    full_base, way = _base(base, usable)
    request = Request(model, full_base, way, folds, seed, usable, labels, weights)
    classes = request.classes
    if len(classes) < 2:
        raise TooFewClasses(
            f"every row has the label '{classes[0]}': it takes two classes or more. The label's "
            "column is written bare, without quotes."
        )
    known = _trained_before(model, request.fingerprint)
    if known is not None:
        work.say(
            f"{model}: version {known.version} was trained on exactly these rows; it is reused"
        )
        return _row(request, known)
    models.check_home()
    doubts.about_spelling(classes)
    if jobs.is_alive(request.job):
        work.say(f"{model}: the job '{request.job}' is training on exactly these rows")
        return _row(request, None)
    run.note(request, resume=resume)
    if wait:
        return _row(request, run.here(request))
    run.apart(request)
    return _row(request, None)


def _base(base: str, rows: inputs.Texts | inputs.Embeddings) -> tuple[str, str]:
    """A base's full name, and how it reads rows."""
    if base in features.MODELS:
        return base, features.kind_for(rows, base)
    if hosted.is_hosted(base):
        if isinstance(rows, inputs.Embeddings):
            raise BadOption(f"base := '{base}' reads text. Embeddings may have base := 'fast'.")
        return base, "chats"
    full = weights.full_name(base, option="base")
    if isinstance(rows, inputs.Embeddings):
        raise BadOption(f"base := '{base}' reads text. Embeddings may have base := 'fast'.")
    return full, network.way(full)


def _usable(
    rows: pa.StructArray,
) -> tuple[inputs.Texts | inputs.Embeddings, list[str], RowWeights | None]:
    """The rows that can be trained on, their labels, and how much each counts."""
    labels: list[str | None] = rows.field("label").to_pylist()
    if not labels:
        raise NoUsableRows("the table has no rows: there is nothing to train on.")
    values = inputs.read_column(rows.field("x"))
    if not isinstance(values, inputs.Texts | inputs.Embeddings):
        raise BadInput(
            f"fine_tune cannot train on {inputs.KINDS[type(values)]}. x may be text (VARCHAR) or "
            "an embedding (FLOAT[])."
        )
    reasons = values.reasons.copy()
    reasons[[label is None for label in labels]] = "the label is NULL"
    weights = _weights(rows.field("weights"), reasons)
    reasons[_dropped(rows.field("drop"))] = "drop is true"
    usable = inputs.usable(reasons)
    if not usable.any():
        raise NoUsableRows(f"no row can be trained on: {inputs.describe(reasons)}.")
    if not usable.all():
        work.say(f"left out of training: {inputs.describe(reasons)}")
    return (
        take(values, usable),
        [label for label, use in zip(labels, usable, strict=True) if use and label is not None],
        None if weights is None else weights[usable],
    )


def _weights(given: pa.Array, reasons: inputs.Reasons) -> RowWeights | None:
    """How much each row counts; one without a weight is left out, and `reasons` says so."""
    if pa.types.is_null(given.type):
        return None
    if not (
        pa.types.is_integer(given.type)
        or pa.types.is_floating(given.type)
        or pa.types.is_decimal(given.type)
    ):
        raise BadOption(
            f"weights is of type {inputs.type_in_sql(given.type)}. It is a column of numbers, 0 or "
            "more, such as label_quality of a label_issues result."
        )
    weights: RowWeights = given.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float32)
    reasons[np.isnan(weights)] = "weights is NULL"
    wrong = weights[~np.isnan(weights) & ~((weights >= 0) & (weights < np.inf))]
    if len(wrong):
        raise BadOption(f"weights has to be 0 or more in every row, not {wrong[0]:g}.")
    return weights


def _dropped(given: pa.Array) -> npt.NDArray[np.bool_]:
    """Which rows are to be left out."""
    if pa.types.is_null(given.type):
        return np.zeros(len(given), dtype=bool)
    if not pa.types.is_boolean(given.type):
        raise BadOption(
            f"drop is of type {inputs.type_in_sql(given.type)}. It is a column that is true where "
            "a row is to be left out, such as is_label_issue of a label_issues result."
        )
    dropped: npt.NDArray[np.bool_] = given.fill_null(False).to_numpy(zero_copy_only=False)
    return dropped


def _trained_before(model: str, fingerprint: str) -> ModelRecord | None:
    same = [r for r in models.records() if r.name == model and r.fingerprint == fingerprint]
    return same[-1] if same else None


def _row(request: Request, record: ModelRecord | None) -> pa.StructArray:
    """What came of a request, or where its job stands if there is no model yet."""
    job = None if record else jobs.find(request.job)
    values = {
        "model": request.model,
        "version": record.version if record else None,
        "job_id": record.job_id if record else request.job,
        "status": job.status if job else jobs.SUCCEEDED,
        "base": record.base if record else request.base,
        "rows": len(request.labels),
        "classes": list(request.classes),
        "cv_accuracy": record.cv_accuracy if record else None,
        "seconds": record.seconds if record else None,
        "error": job.error if job else None,
    }
    return pa.array([values], pa.struct([(c.name, c.computed_type) for c in FUNCTION.returns]))


FUNCTION = TableFunction(
    name="fine_tune",
    compute=fine_tune,
    arguments=("name",),
    inputs=("x", "label", "weights", "drop"),
    optional=("weights", "drop"),
    keeps_rows=False,
    returns=(
        Column("model", pa.string(), "the name to classify with"),
        Column("version", pa.int64(), "name@version pins it"),
        Column("job_id", pa.string(), "what the training is called"),
        Column("status", pa.string(), "PENDING, RUNNING, SUCCEEDED, FAILED or CANCELLED"),
        Column("base", pa.string(), "what was trained"),
        Column("rows", pa.int64(), "how many rows it was trained on"),
        Column("classes", pa.list_(pa.string()), "the labels it can give"),
        Column("cv_accuracy", pa.float64(), "cross-validated, against the labels given"),
        Column("seconds", pa.float64(), "how long the training took"),
        Column("error", pa.string(), "why it failed; else NULL"),
    ),
)
