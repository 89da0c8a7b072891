"""`fine_tune(name, tbl, x, label)`: train a model on a table and keep it under a name."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs import work
from sqlfuncs.errors import BadOption
from sqlfuncs.functions.spec import AUTO, LABEL_OR_TAGS, Column, Input, TableFunction
from sqlfuncs.learning.models.folds import check_folds
from sqlfuncs.store import jobs, stores
from sqlfuncs.store.models import ModelRecord, check_name
from sqlfuncs.training import preflight, run, trainers
from sqlfuncs.training.preflight import Preflight
from sqlfuncs.training.request import Request
from sqlfuncs.training.rows import to_test_on, to_train_on
from sqlfuncs.wording import Given, Option, Words


def fine_tune(
    rows: pa.StructArray,
    name: object,
    *,
    base: str = "fast",
    folds: int = 5,
    seed: int = 0,
    wait: bool = True,
    resume: bool = False,
    balanced: bool = False,
    dry_run: bool = False,
    task: str = AUTO,
) -> pa.StructArray:
    """Train a model on a table and keep it under a name, for llm_classify.

    One row comes back: `model, version, job_id, status, base, rows, classes, cv_accuracy,
    seconds, error, preflight`. `cv_accuracy` is the accuracy against the labels given, each row
    judged by models that did not see it; where labels are wrong, it says how well the model
    agrees with them, not how good it is.
    A name that exists gets a new version; the same rows again give the version they gave, and
    under another name the same model, without another training.
    Rows without a label or without text are left out, and said.

    Labels are classes, tags (VARCHAR[]), numbers (FLOAT, DOUBLE, DECIMAL; others with
    task := 'regression') or, where x is VARCHAR[] too, those of words, one for each. Of tags and
    numbers `cv_accuracy` is the share of rows of which all tags are right, or R squared, and
    `classes` are the tags, or empty. Of words it is the F1 of entities, of sentences that were not
    seen; a row that has not as many labels as words is left out, and said.

    `x` is text (VARCHAR), an embedding (FLOAT[]) or words (VARCHAR[]). `base` is 'fast': linear
    heads on TF-IDF and, with the extra `local`, a sentence embedding; or 'best', which adds the
    middle layers of a larger encoder, where its weights are (sqlfuncs models fetch mpnet). Any
    other base is a pretrained model of texts: an encoder ('minilm', an id of the Hugging Face hub,
    a folder), of which all layers are trained, or a causal language model ('smollm2', an id, a
    folder), beside whose lower layers adapters are trained. A tenth of the rows is held out:
    training stops before it predicts these worse, and `cv_accuracy` is measured on them. Labels of
    words are learned by 'fast', or an encoder with a head on the first token of each word.
    'openai:MODEL' is trained at OpenAI, or a service that OPENAI_BASE_URL names, by
    OPENAI_API_KEY; fine_tune_file shows what is sent. There is no `cv_accuracy` then.

    `weights` is a column that says how much each row counts, 0 or more; `drop` one that is true
    where a row is to be left out: `label_quality` and `is_label_issue` of a label_issues result.
    With `balanced := true` all classes count the same, however many rows they have.

    `preflight` says what was known before a second or a cent was spent: rows of each class,
    `duplicates`, `contradictions` (rows of a text that has several labels), `issue_rate` (the
    estimated share of wrong labels), `overlap` (rows that are in `test` as well), `tokens`,
    `seconds`, `usd` and `warnings`. With `dry_run := true` that is all that is done. `issue_rate`
    and `seconds` are left out for 'fast' and 'best' unless it is a dry run: they take as long as
    the training. `usd` is known where SQLFUNCS_PRICES states a price for 'openai:MODEL training'.
    `test` names the table that the model is to be tested on, with a column for `x` of the same
    name: a row of it among those to train on is an error.

    With `wait := false` the training goes on in a process of its own; jobs() shows it. With
    `resume := true` one that was broken off goes on from its last epoch.

    Errors: fewer than two classes, tags or numbers that are the same in each row, no usable row,
    no label that two rows have, rows of `test`, a name with '@' or ':', a base that cannot be
    trained or does not learn such labels, a home that cannot be written to.
    """
    model = check_name(name)
    check_folds(folds)
    is_tested = rows.field("test").cast(pa.bool_())
    # Without rows to test on nothing is copied.
    to_learn = rows.filter(pc.invert(is_tested)) if is_tested.true_count else rows
    kind, usable, labels, weights = to_train_on(to_learn, task)
    tested = to_test_on(rows.filter(is_tested), kind) if is_tested.true_count else None
    trainer = trainers.of(base)
    full_base, reading = trainer.named(base, usable)
    request = Request(model, full_base, reading, folds, seed, kind, usable, labels, weights)
    taught = request.taught
    taught.refuse_useless()
    trainer.refuse_labels(base, taught)
    if balanced:
        request = replace(request, weights=taught.balanced(weights))
    if request.weights is not None and not trainer.TAKES_WEIGHTS:
        raise BadOption(
            f"{Option('base', Given(base))} is trained at a service, where every row counts the "
            "same: leave weights and balanced out. "
            f"{Option('drop', Words('is_label_issue'))} leaves rows out there, too."
        )
    if dry_run:
        return _row(request, None, preflight.look(request, tested, wholly=True), dry=True)
    preflight.refuse_overlap(request, tested)
    known = run.trained_before(request)
    if known is not None:
        return _row(request, known)
    trainer.check()
    stores.models().check_home()
    found = None
    if not jobs.is_alive(request.job):
        found = preflight.look(request, tested, wholly=not trainer.IS_QUICK)
        for warning in found.warnings:
            work.say_once(warning)
    if not run.note(request, resume=resume):
        work.say(f"{model}: the job '{request.job}' is training on exactly these rows")
        return _row(request, None, found)
    if wait:
        return _row(request, run.run_inline(request), found)
    run.spawn(request)
    return _row(request, None, found)


def _row(
    request: Request,
    record: ModelRecord | None,
    before: Preflight | None = None,
    *,
    dry: bool = False,
) -> pa.StructArray:
    """What came of a request, or where its job stands if there is no model yet and it is one."""
    job = None if record or dry else jobs.find(request.job)
    values = {
        "model": request.model,
        "version": record.version if record else None,
        "job_id": record.job_id if record else job.id if job else None,
        "status": jobs.SUCCEEDED if record else job.status if job else None,
        "base": record.base if record else request.base,
        "rows": len(request.labels),
        "classes": list(request.classes),
        "cv_accuracy": record.cv_accuracy if record else None,
        "seconds": record.seconds if record else None,
        "error": job.error if job else before.refusal if before else None,
        "preflight": None if before is None else _preflight(before),
    }
    return pa.array([values], pa.struct([(c.name, c.computed_type) for c in FUNCTION.returns]))


def _preflight(before: Preflight) -> dict[str, object]:
    return {
        "class_counts": list(before.class_counts.items()),
        "duplicates": before.duplicates,
        "contradictions": before.contradictions,
        "issue_rate": before.issue_rate,
        "overlap": before.overlap,
        "tokens": before.expected.tokens,
        "seconds": before.expected.seconds,
        "usd": before.expected.usd,
        "warnings": list(before.warnings),
    }


_PREFLIGHT = pa.struct(
    [
        ("class_counts", pa.map_(pa.string(), pa.int64())),
        ("duplicates", pa.int64()),
        ("contradictions", pa.int64()),
        ("issue_rate", pa.float64()),
        ("overlap", pa.int64()),
        ("tokens", pa.int64()),
        ("seconds", pa.float64()),
        ("usd", pa.float64()),
        ("warnings", pa.list_(pa.string())),
    ]
)
FUNCTION = TableFunction(
    name="fine_tune",
    compute=fine_tune,
    arguments=("name",),
    inputs=(
        Input("x"),
        LABEL_OR_TAGS,
        Input("weights", is_optional=True),
        Input("drop", is_optional=True),
    ),
    second="test",
    keeps_rows=False,
    returns=(
        Column("model", pa.string(), "the name to classify with"),
        Column("version", pa.int64(), "name@version pins it"),
        Column("job_id", pa.string(), "what the training is called"),
        Column("status", pa.string(), "PENDING, RUNNING, SUCCEEDED, FAILED or CANCELLED"),
        Column("base", pa.string(), "what was trained"),
        Column("rows", pa.int64(), "how many rows it was trained on"),
        Column("classes", pa.list_(pa.string()), "the labels it can give; none of numbers"),
        Column("cv_accuracy", pa.float64(), "or R squared, or F1 of entities; cross-validated"),
        Column("seconds", pa.float64(), "how long the training took"),
        Column("error", pa.string(), "why it failed or would; else NULL"),
        Column("preflight", _PREFLIGHT, "what was known before it began"),
    ),
)
