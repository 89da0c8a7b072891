"""Models of tags and of numbers on unseen texts, beside what scikit-learn does in a few lines.

Run by `benchmarks.tasks`. Tags are GoEmotions' as published, numbers the mean of the five scores of
politeness. scikit-learn has TF-IDF of words and pairs of words.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import f1_score, mean_absolute_error, precision_recall_curve, r2_score
from sklearn.model_selection import cross_val_predict, train_test_split
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

import sqlfuncs
from benchmarks import task_numbers, task_tags
from benchmarks.pages import circumstances, write
from sqlfuncs.learning.models.out_of_sample import by_models, prepare
from sqlfuncs.learning.models.tag_target import TagTarget
from sqlfuncs.learning.rows.text import Texts
from sqlfuncs.statistics.tags import best_threshold

SEEDS = range(2)
SIZES = (1_000, 10_000)  # of the training set of tags
TEST = 8_000
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def _words() -> TfidfVectorizer:
    return TfidfVectorizer(sublinear_tf=True, min_df=2, ngram_range=(1, 2))


def _of_each(probs: Floats, given: Mask) -> Floats:
    """For each tag the threshold of its own highest F1."""
    found = np.ones(given.shape[1])
    for tag in np.flatnonzero(given.any(axis=0)):
        precision, recall, thresholds = precision_recall_curve(given[:, tag], probs[:, tag])
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
        found[tag] = thresholds[f1[:-1].argmax()]
    return found


def _told(probs: Floats, given: Mask) -> dict[str, float | Floats]:
    """Thresholds by what is told of rows that were held out."""
    return {
        "one threshold": best_threshold(probs, given),
        "one for each tag": _of_each(probs, given),
        ".5": 0.5,
    }


def _figures(said: Mask, true: Mask) -> tuple[float, ...]:
    either = (said | true).sum(axis=1)
    common = (said & true).sum(axis=1)
    return (
        float(f1_score(true, said, average="micro", zero_division=0)),
        float(f1_score(true, said, average="macro", zero_division=0)),
        float(np.where(either > 0, common / np.maximum(either, 1), 1).mean()),
        float((said == true).all(axis=1).mean()),
    )


def _by_fine_tune(
    con: duckdb.DuckDBPyConnection, train: pd.DataFrame, given: Mask, test: pd.DataFrame
) -> tuple[Mask, Floats]:
    """Which tags a trained model gives to the texts to test on, and how likely each is."""
    names = [f"t{tag:02}" for tag in range(given.shape[1])]
    lists = [[names[tag] for tag in np.flatnonzero(row)] for row in given]
    rows = pd.DataFrame({"text": train["text"], "tags": lists})
    con.register("rows", rows)
    con.execute("CREATE OR REPLACE TABLE train AS SELECT text, tags::VARCHAR[] AS tags FROM rows")
    con.execute("FROM fine_tune('tags', train, text, tags)").fetchall()
    con.register("tested", test)
    call = "text, model := 'tags', multi := true"
    found = con.execute(
        f"SELECT llm_classify({call}) AS said, llm_class_probs({call}) AS probs FROM tested"
    ).fetchall()
    con.execute("FROM drop_model('tags')").fetchall()  # else another run would take it again
    said = np.array([[name in each for name in names] for each, _ in found])
    return said, np.array([[probs.get(name, 0.0) for name in names] for _, probs in found])


def _held_out(train: pd.DataFrame, given: Mask) -> Floats:
    """What the models say that chose the threshold of that model."""
    texts = Texts(list(train["text"]), np.full(len(train), None, dtype=object))
    prepared = prepare(texts, TagTarget(given.astype(np.float64)), "fast")
    return by_models(prepared, folds=5, seed=0)[0]


def tags(folder: Path, size: int, seed: int) -> dict[str, tuple[float, ...]]:
    """Of each way micro F1, macro F1, Jaccard index, and the share of rows all right."""
    whole, true = task_tags.drawn(folder, size + TEST, seed)
    train, test, given, right = whole[:size], whole[size:], true[:size], true[size:]
    with sqlfuncs.connect() as con:
        said, probs = _by_fine_tune(con, train, given, test)
    found = {"`fine_tune`": _figures(said, right)}
    for name, threshold in _told(_held_out(train, given), given).items():
        if name != "one threshold":
            found[f"the same, {name}"] = _figures(probs >= threshold, right)
    learner = make_pipeline(_words(), OneVsRestClassifier(LogisticRegression(max_iter=400)))
    kept = given[:, (given.sum(axis=0) >= 10)]
    places = np.flatnonzero(given.sum(axis=0) >= 10)
    held_out, theirs = np.zeros(given.shape), np.zeros(right.shape)
    held_out[:, places] = cross_val_predict(
        learner, train["text"], kept.astype(int), method="predict_proba", cv=5
    )
    theirs[:, places] = learner.fit(train["text"], kept.astype(int)).predict_proba(test["text"])
    for name, threshold in _told(held_out, given).items():
        found[f"scikit-learn, {name}"] = _figures(theirs >= threshold, right)
    return found


def numbers(folder: Path, corpus: str, seed: int) -> dict[str, tuple[float, ...]]:
    """Of each way the mean absolute error and R squared."""
    texts, scores = task_numbers.scored(folder, corpus)
    rows = pd.DataFrame({"text": texts, "y": scores.mean(axis=1)})
    train, test = train_test_split(rows, test_size=0.25, random_state=seed)
    with sqlfuncs.connect() as con:
        con.register("train_rows", train)
        con.register("tested", test)
        con.execute("CREATE TABLE train AS FROM train_rows")
        con.execute("FROM fine_tune('y', train, text, y)").fetchall()
        call = "llm_classify(text, model := 'y')::DOUBLE"
        said = con.execute(f"SELECT {call} AS said FROM tested").fetchnumpy()["said"]
        con.execute("FROM drop_model('y')").fetchall()
    ridge = make_pipeline(_words(), RidgeCV(np.logspace(-2, 2, 9))).fit(train["text"], train["y"])
    ways: dict[str, Any] = {
        "`fine_tune`": said,
        "scikit-learn": ridge.predict(test["text"]),
        "the mean": np.full(len(test), train["y"].mean()),
    }
    return {
        name: (float(mean_absolute_error(test["y"], each)), float(r2_score(test["y"], each)))
        for name, each in ways.items()
    }


def _rows(title: str, measure: Callable[[int], dict[str, tuple[float, ...]]]) -> list[str]:
    runs = [measure(seed) for seed in SEEDS]
    return [
        f"| {title} | {name} | "
        + " | ".join(f"{figure:.3f}" for figure in np.mean([run[name] for run in runs], axis=0))
        + " |"
        for name in runs[0]
    ]


def main() -> None:
    """Print and write down the means over the seeds."""
    folder = Path(os.environ.get("SQLFUNCS_BENCH", ""))
    if not (folder / task_tags.REPOSITORY / "repo").is_dir():
        print(f"Training is left out: SQLFUNCS_BENCH has no {task_tags.REPOSITORY}/repo.")
        return
    lines = [
        "| tags | by | micro F1 | macro F1 | Jaccard | all right |",
        "|---|---|---|---|---|---|",
    ]
    for size in SIZES:
        title = f"{size:,} texts"
        lines += _rows(title, lambda seed, size=size: tags(folder, size, seed))  # type: ignore[misc]
    lines += ["", "| numbers | by | mean absolute error | R² |", "|---|---|---|---|"]
    for corpus in task_numbers.CORPORA:
        title = f"politeness, {corpus}"
        lines += _rows(title, lambda seed, corpus=corpus: numbers(folder, corpus, seed))  # type: ignore[misc]
    lines += ["", f"Means over seeds 0 to {SEEDS[-1]}. {circumstances()}"]
    write("task training", "\n".join(lines))


if __name__ == "__main__":
    main()
