"""`label_issues(tbl, x, label)`: which labels of a table are probably wrong."""

from __future__ import annotations

import time

import pyarrow as pa

from sqlfuncs.functions.spec import (
    ANNOTATOR,
    AUTO,
    LABEL_OR_WORDS,
    NUMBERS,
    TAGS,
    VOTES,
    WORDS,
    Column,
    TableFunction,
)
from sqlfuncs.learning.detection import judges
from sqlfuncs.learning.tasks import registry
from sqlfuncs.learning.tasks.base import Options
from sqlfuncs.learning.tasks.word_issues import TYPE as WORD_ISSUES


def label_issues(
    rows: pa.StructArray,
    *,
    model: str = "fast",
    cut: str = "auto",
    method: str = "auto",
    folds: int = 5,
    seed: int = 0,
    task: str = AUTO,
    ordered: list[str] | None = None,
    false_flags: float | None = None,
    risk: float | None = None,
    judge: str | None = None,
) -> pa.StructArray:
    """Which labels of a table are probably wrong, and what they should be.

    Every row of the table comes back with `label_quality` (high is good: 0 worst, 1 best),
    `is_label_issue`, `suggested_label` and `suggested_confidence` (NULL unless flagged),
    `predicted_label`, `class_probs` (out of sample) and `not_judged` (why a row could not
    be judged; else NULL).

    `x` is what a row is: text (VARCHAR), an embedding (FLOAT[]), several fields (a STRUCT of
    numbers, dates, categories and free text), an image (BLOB, or text that is paths of image files)
    or your own out-of-sample class probabilities (MAP(VARCHAR, DOUBLE)). Unless it is the last,
    rows are cut into `folds` parts, three times, and each row is judged by the models that did not
    see its part. The result does not depend on the order of the rows or on the number of threads.

    `model` reads text, that of a STRUCT too: 'fast' (TF-IDF and a sentence encoder), 'best' (adds
    the middle layers of a larger encoder, where its weights are, or else of a small language
    model), or an encoder by its name: 'minilm', 'mpnet', 'smollm2', the id of a model of the
    Hugging Face hub, the path of a folder that holds one. Where x is text alone, it may also be a
    model that fine_tune made: one is then trained in the same way for each fold, so that none
    judges a row it has seen. That takes as many trainings as there are folds.

    `cut` says how many rows are flagged. 'auto' fits the noise in the data (label_health says
    which it took): 'noise_corrected', by the probability that the label is right, which reckons in
    what classes are mistaken for which, and whether people err on hard rows; or 'prune_by_class'.
    The other filters are cleanlab's: 'both', 'confident_learning', 'low_normalized_margin',
    'low_self_confidence', 'predicted_neq_given', 'prune_by_noise_rate'.
    `method` is the score: 'self_confidence', 'normalized_margin', 'confidence_weighted_entropy',
    'noise_corrected', or 'auto': the first for your own probabilities, else the last.

    `votes := [gpt_label, rule_1]` are columns of labels, or of maps of class probabilities, by
    others: language models, rules, older models, other people; NULL where they do not say. A list
    of columns of one type, a STRUCT of any (`votes := {gpt: gpt_label, old: old_probs}`), or one
    column. What they mean is learned from the labels, out of sample, and multiplies what is said by
    x where that makes the labels likelier. With NULL for x, rows are judged by votes alone. A vote
    that foretells every label is left out: it is the label, or made of it.

    `annotator := column` says who gave each label, a person or a rule; NULL where nobody knows. How
    often each of them gives a class, against how often the models expected it of their rows, is
    their habit: a label is doubted by the noise of whoever gave it.

    With `key := column, log := decisions`, a decision log, models learn labels as people decided
    them (rows that are excluded teach nothing), and what they found in 20 or more rows of a random
    sample, of all rows or of those that may be corrected (the query file review_queue with
    order=random or purpose=verify), sharpens all scores: `label_quality` is the probability that
    the label is right, a row is flagged where that is below one half, and the suggestion is the
    likeliest other class. Labels stay as the table has them, and no model and no calibration that
    learned what was decided of a row is asked about it. Rows that were chosen otherwise are learned
    from, and calibrate nothing.

    `false_flags := 0.1`, with a log that holds a random sample of all rows, flags as many rows as
    it can, of which a tenth is expected to be false at most: none where that cannot be had. That is
    an average over such samples; with `risk := 0.05` as well, of the rows that `cut` flags without
    a sample the most doubtful are, of which more than that are false with a chance of .05 at most.

    With more than 200,000 rows of classes, models learn from as many of them, drawn by a hash of
    their content, and judge all.

    `judge := 'name'` keeps what was learned, for rows that come later: judge_labels judges those
    without learning again. A name that exists gets a new version; models() lists it, drop_model
    drops it. x has to be text or an embedding then, and the cut one that judges a row by itself
    ('auto', 'noise_corrected', 'prune_by_class', 'predicted_neq_given').

    A row without a label is never flagged; a label is suggested for it.

    `ordered := ['bad', 'fair', 'good']`: classes are steps of a scale. Then `label_quality` is 1
    less how far the label is expected to be off, as a share of the whole scale, so that far errors
    come first, and the suggestion is the median of what the label may be.

    `votes`, `annotator`, `judge` and `ordered` are for classes; `cut` and all methods for classes
    and labels of words; `false_flags` and `risk` for classes and numbers. With other labels they
    are refused. Beside a list of words tags take a text: array_to_string(x, ' ').

    `task` says what labels are: 'classification', 'regression' for numbers, 'multilabel' for tags
    or 'token_classification' for one for each word. 'auto' goes by their type: VARCHAR[] are tags,
    and then `tag_qualities` says how likely each tag is right, given or lacking, and `missing_tags`
    and `wrong_tags` what to change. Beside words, x VARCHAR[], or your own predictions of them,
    MAP(VARCHAR, DOUBLE)[], they are a label for each word, and `word_issues` lists the words that
    are flagged, the worst first. FLOAT, DOUBLE and DECIMAL of many values are numbers, and then
    `label_low` and `label_high` say what the label may be: one outside is flagged, and
    `suggested_confidence` is how likely the true number is nearer to the suggestion. `method` may
    be 'residual', cleanlab's score of that name, and x your own predictions, DOUBLE or
    STRUCT(mean, sd).

    Errors: fewer than two classes, or more than 1,000; no row that can be judged; a column of the
    table that is called like one of the result's; `false_flags` without a reviewed sample; votes
    that are no labels, that all say nothing, or that stand beside your own probabilities.
    """
    options = Options(
        model=model,
        cut=cut,
        method=method,
        folds=folds,
        seed=seed,
        false_flags=false_flags,
        risk=risk,
        judge=judge,
        ordered=ordered,
    )
    if judge is not None:
        judges.check(judge)
    begun = time.perf_counter()
    found = registry.of(rows, task=task).judge(rows, options)
    if judge is not None:
        seconds = time.perf_counter() - begun
        judges.keep(judge, found.judge(), model=model, kind=found.rows.kind, seconds=seconds)
    return FUNCTION.result(found.issues())


FUNCTION = TableFunction(
    name="label_issues",
    compute=label_issues,
    inputs=("x", LABEL_OR_WORDS, VOTES, ANNOTATOR),
    reviews=True,
    returns=(
        Column("label_quality", pa.float64(), "0 worst .. 1 best"),
        Column("is_label_issue", pa.bool_(), "whether the label is probably wrong"),
        Column("suggested_label", "label", "the label to use instead; NULL unless flagged"),
        Column("suggested_confidence", pa.float64(), "how likely that one is"),
        Column("predicted_label", "label", "the most likely label, out of sample"),
        Column("class_probs", pa.map_(pa.string(), pa.float64()), "out of sample", given="x"),
        Column("label_low", pa.float64(), "the least the label may be", only=NUMBERS),
        Column("label_high", pa.float64(), "the most it may be", only=NUMBERS),
        Column(
            "tag_qualities",
            pa.map_(pa.string(), pa.float64()),
            "how likely each tag, given or lacking, is right",
            only=TAGS,
        ),
        Column("missing_tags", pa.list_(pa.string()), "tags to add", only=TAGS),
        Column("wrong_tags", pa.list_(pa.string()), "tags to take away", only=TAGS),
        Column("word_issues", WORD_ISSUES, "the words flagged, worst first", only=WORDS),
        Column("not_judged", pa.string(), "why a row could not be judged; else NULL"),
    ),
)
