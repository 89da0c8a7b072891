"""Models of labels of words on unseen sentences, beside a plain one of scikit-learn's.

Run by `benchmarks.tasks`. They learn from NoiseBench's sentences with right labels, as `task_words`
finds their words, and are tested on CoNLL-2003's test set in CrossWeigh's correction. scikit-learn
has a logistic regression on what a word and its two neighbours are like, one dictionary a word.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import sqlfuncs
from benchmarks.pages import circumstances, write
from benchmarks.task_words import LABELS, WORDS, Labels, corpus, iob2, read
from sqlfuncs.learning.features.word_features import shape

SIZES = (1_000, 4_000)  # of the training set
# What a model is trained from, what the line is called, and up to how many sentences.
BASES = (
    ("fast", "`fine_tune`", max(SIZES)),
    ("minilm", "`fine_tune`, `base := 'minilm'`", min(SIZES)),  # minutes for each thousand
)
SEEDS = range(1)


def tested(folder: Path) -> tuple[Labels, Labels]:
    """The words and labels of the test set."""
    sentences = read(folder, WORDS, "data/conllpp_test.txt")
    sentences = [each for each in sentences if each[0][0] != "-DOCSTART-"]
    return [[word for word, _ in each] for each in sentences], [[*iob2(each)] for each in sentences]


def _like(words: Sequence[str]) -> Iterator[dict[str, bool]]:
    for at, _ in enumerate(words):
        features = dict[str, bool]()
        for step in (-1, 0, 1):
            word = words[at + step] if 0 <= at + step < len(words) else ""
            for name in (word.lower(), shape(word), f"{word[:3]}-", f"-{word[-3:]}"):
                features[f"{step} {name}"] = True
        yield features


def _by_scikit_learn(words: Labels, labels: Labels, asked: Labels) -> Labels:
    learner = make_pipeline(DictVectorizer(), LogisticRegression(max_iter=300))
    learner.fit(
        [f for each in words for f in _like(each)], [one for each in labels for one in each]
    )
    said = learner.predict([f for each in asked for f in _like(each)]).tolist()
    ends = np.cumsum([len(each) for each in asked])
    return [said[end - len(each) : end] for each, end in zip(asked, ends, strict=True)]


def _table(con: duckdb.DuckDBPyConnection, name: str, **columns: Labels) -> None:
    con.register("given", pd.DataFrame(columns))
    cast = ", ".join(f"{column}::VARCHAR[] AS {column}" for column in columns)
    con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {cast} FROM given")


def _figures(con: duckdb.DuckDBPyConnection, true: Labels, said: Labels) -> tuple[float, float]:
    _table(con, "said", actual=true, predicted=said)
    (row,) = con.execute(
        "SELECT f1, word_accuracy FROM "
        "evaluate(said, actual, predicted, task := 'token_classification')"
    ).fetchall()
    return row


def measure(words: Labels, labels: Labels, test: tuple[Labels, Labels]) -> dict[str, list[float]]:
    """Of each way the F1 of entities, the share of words right, what was foreseen, and seconds."""
    asked, true = test
    with sqlfuncs.connect() as con:
        _table(con, "train", words=words, labels=labels)
        _table(con, "test", words=asked)
        found = dict[str, list[float]]()
        for base, name, most in BASES:
            if len(words) > most:
                continue
            begun = time.process_time()
            call = f"fine_tune('words', train, words, labels, base := '{base}')"
            ((foreseen,),) = con.execute(f"SELECT cv_accuracy FROM {call}").fetchall()
            took = time.process_time() - begun
            said = [
                each
                for (each,) in con.execute(
                    "SELECT llm_classify(words, model := 'words') FROM test"
                ).fetchall()
            ]
            con.execute("FROM drop_model('words')").fetchall()
            found[name] = [*_figures(con, true, said), foreseen, took]
        begun = time.process_time()
        plain = _by_scikit_learn(words, labels, asked)
        took = time.process_time() - begun
        return found | {"scikit-learn": [*_figures(con, true, plain), float("nan"), took]}


def main() -> None:
    """Print and write down the means over the seeds."""
    folder = Path(os.environ.get("SQLFUNCS_BENCH", ""))
    missing = [each for each in (LABELS, WORDS) if not (folder / each).is_dir()]
    if missing:
        print(f"Training on words is left out: SQLFUNCS_BENCH has no {', '.join(missing)}.")
        return
    words, true, _ = corpus(folder)
    test = tested(folder)
    lines = [
        "| words | by | F1 of entities | words right | F1 foreseen | processor |",
        "|---|---|---|---|---|---|",
    ]
    for size in SIZES:
        runs = []
        for seed in SEEDS:
            rows = np.random.default_rng(seed).permutation(len(words))[:size].tolist()
            runs.append(measure([words[row] for row in rows], [true[row] for row in rows], test))
        for name in runs[0]:
            f1, right, foreseen, took = np.mean([run[name] for run in runs], axis=0)
            ahead = "" if np.isnan(foreseen) else f"{foreseen:.3f}"
            lines.append(
                f"| {size:,} sentences | {name} | {f1:.3f} | {right:.3f} | {ahead} | {took:.0f} s |"
            )
    lines += ["", f"{len(test[0]):,} sentences to test on; seed 0. {circumstances()}"]
    write("word training", "\n".join(lines))


if __name__ == "__main__":
    main()
