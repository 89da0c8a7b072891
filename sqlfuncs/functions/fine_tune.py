"""`fine_tune(name, tbl, x, label)`: train a model on a table and keep it under a name."""

from __future__ import annotations

import time
from collections.abc import Sequence
from hashlib import sha256

import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.errors import BadInput, BadOption, NoUsableRows, TooFewClasses
from sqlfuncs.functions.spec import Column, TableFunction
from sqlfuncs.learning import classes as class_order
from sqlfuncs.learning import doubts, fast, features, inputs
from sqlfuncs.learning.folds import check_folds, digests
from sqlfuncs.learning.out_of_sample import out_of_sample, prepare, take
from sqlfuncs.store import models
from sqlfuncs.store.models import ModelRecord

BASES = features.MODELS
RECIPE = 4  # raised whenever the same rows would give another model


def fine_tune(
    rows: pa.StructArray, name: object, *, base: str = "fast", folds: int = 5, seed: int = 0
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
    of a small language model, where its weights are (sqlfuncs models fetch smollm2).

    Errors: fewer than two classes, no usable row, no label that two rows have, a name with '@' or
    ':', a home that cannot be written to.
    """
    model = models.check_name(name)
    if base not in BASES:
        raise BadOption.among("base", base, BASES)
    check_folds(folds)
    usable, labels = _usable(rows)
    classes = class_order.in_order(labels)
    if len(classes) < 2:
        raise TooFewClasses(
            f"every row has the label '{classes[0]}': it takes two classes or more. The label's "
            "column is written bare, without quotes."
        )
    fingerprint = _fingerprint(usable, labels, base, folds, seed)
    known = _trained_before(model, fingerprint)
    if known is not None:
        work.say(
            f"{model}: version {known.version} was trained on exactly these rows; it is reused"
        )
        return _row(known)
    models.check_home()
    doubts.about_spelling(classes)
    begun = time.perf_counter()
    codes = class_order.codes(labels, classes)
    prepared = prepare(usable, codes, len(classes), base)
    probs, unseen, pool = out_of_sample(prepared, folds=folds, seed=seed)
    if not inputs.usable(unseen).any():
        raise NoUsableRows(
            f"nothing can be learned: {inputs.describe(unseen)}. The label has {len(classes):,} "
            "different values: is it the right column?"
        )
    assert isinstance(prepared.features, features.Features)
    trained = fast.fit(prepared.features, prepared.views, prepared.codes, len(classes), pool)
    work.check()
    record = ModelRecord(
        name=model,
        base=base,
        job_id=f"ft-{fingerprint[:12]}",
        kind="embedding" if isinstance(usable, inputs.Embeddings) else "text",
        classes=classes,
        rows=len(labels),
        cv_accuracy=float((probs.argmax(axis=1) == codes).mean()),
        seconds=time.perf_counter() - begun,
        fingerprint=fingerprint,
        created_at=time.time(),
    )
    return _row(models.save(record, trained.to_files()))


def _usable(rows: pa.StructArray) -> tuple[inputs.Texts | inputs.Embeddings, list[str]]:
    """The rows that can be trained on, and their labels."""
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
    usable = inputs.usable(reasons)
    if not usable.any():
        raise NoUsableRows(f"no row can be trained on: {inputs.describe(reasons)}.")
    if not usable.all():
        work.say(f"left out of training: {inputs.describe(reasons)}")
    return take(values, usable), [
        label for label, use in zip(labels, usable, strict=True) if use and label is not None
    ]


def _fingerprint(
    rows: inputs.Texts | inputs.Embeddings, labels: Sequence[str], base: str, folds: int, seed: int
) -> str:
    """A digest of the rows, in whatever order they come, and of how they are trained on."""
    pairs = sorted(
        key + sha256(label.encode("utf-8", "surrogatepass")).digest()
        for key, label in zip(digests(rows), labels, strict=True)
    )
    recipe = f"{RECIPE}\0{base}\0{features.kind_for(rows, base)}\0{folds}\0{seed}\0"
    return sha256(recipe.encode() + b"".join(pairs)).hexdigest()


def _trained_before(model: str, fingerprint: str) -> ModelRecord | None:
    same = [r for r in models.records() if r.name == model and r.fingerprint == fingerprint]
    return same[-1] if same else None


def _row(record: ModelRecord) -> pa.StructArray:
    values = {
        "model": record.name,
        "version": record.version,
        "job_id": record.job_id,
        "status": "SUCCEEDED",
        "base": record.base,
        "rows": record.rows,
        "classes": list(record.classes),
        "cv_accuracy": record.cv_accuracy,
        "seconds": record.seconds,
        "error": None,
    }
    return pa.array([values], pa.struct([(c.name, c.computed_type) for c in FUNCTION.returns]))


FUNCTION = TableFunction(
    name="fine_tune",
    compute=fine_tune,
    arguments=("name",),
    inputs=("x", "label"),
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
