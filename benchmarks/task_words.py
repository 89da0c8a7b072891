"""Labels of words, beside cleanlab's module for them on the same features and probabilities.

Run by `benchmarks.tasks`. The labels are those of NoiseBench (Merdjanovska, Aynetdinov, Akbik,
EMNLP 2024): the same sentences of CoNLL-2003 with right labels, and with those of experts, a crowd,
rules, dictionaries and a language model. It has no words, which come from CrossWeigh's copy of the
corpus: a sentence is found by its document and its experts' labels, and left out where that is not
enough.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cleanlab.token_classification.rank import get_label_quality_scores
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from benchmarks.pages import circumstances, write
from sqlfuncs.learning.encoders import words as encoders
from sqlfuncs.learning.features.word_features import WordFeatures
from sqlfuncs.learning.labels import tags
from sqlfuncs.learning.labels.classes import codes, in_order
from sqlfuncs.learning.labels.labels import KIND
from sqlfuncs.learning.tasks.base import Options
from sqlfuncs.learning.tasks.token_classification import TokenClassification
from sqlfuncs.learning.tasks.word_prediction import WordPrediction

SEEDS = range(3)
ROWS = 2_000
LABELS, WORDS = "elenamer+NoiseBench/repo", "ZihanWangKi+CrossWeigh/repo"
JUDGED = ("expert", "crowd", "distant", "llm")  # constants were set on crowdbest and weak
Floats = npt.NDArray[np.float64]
Sentence = list[tuple[str, str]]  # words and their labels
Labels = list[list[str]]
Figures = dict[str, tuple[float, float, float]]  # average precisions and seconds


def read(folder: Path, repository: str, file: str) -> list[Sentence]:
    content = subprocess.run(
        ["git", "-C", str(folder / repository), "show", f"HEAD:{file}"],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout.decode()
    sentences = [[line.split() for line in block.splitlines()] for block in content.split("\n\n")]
    return [[(row[0], row[-1]) for row in each if row] for each in sentences if any(each)]


def iob2(sentence: Sentence) -> tuple[str, ...]:
    """Its labels, of which each entity's first begins with B."""
    found, before = list[str](), "O"
    for _, label in sentence:
        begins = label.startswith("I-") and (before == "O" or before[2:] != label[2:])
        found.append(f"B-{label[2:]}" if begins else label)
        before = label
    return tuple(found)


def _documents(starts: Sequence[int], count: int) -> list[range]:
    ends = [*starts[1:], count]
    return [range(start + 1, end) for start, end in zip(starts, ends, strict=True)]


def _pairs(masked: list[Sentence], whole: list[Sentence], index: Sequence[str]) -> dict[int, int]:
    """Which sentence of the corpus each masked one is, of those that are sure."""
    ours, theirs = [iob2(each) for each in masked], [iob2(each) for each in whole]
    own = _documents([n for n, at in enumerate(index) if at == "docstart"], len(index))
    others = _documents(
        [n for n, each in enumerate(whole) if each[0][0] == "-DOCSTART-"], len(whole)
    )
    counted = [Counter(theirs[n] for n in document) for document in others]
    words = [sum(len(theirs[n]) for n in document) for document in others]
    pairs = dict[int, int]()
    for document in own:
        keys = Counter(ours[n] for n in document)
        length = sum(len(ours[n]) for n in document)
        alike = np.array(
            [
                2 * sum(min(n, each[key]) * len(key) for key, n in keys.items()) / (length + total)
                for each, total in zip(counted, words, strict=True)
            ]
        )
        second, best = np.argsort(alike)[-2:]
        if alike[best] <= 0.5 or alike[second] >= alike[best] - 0.15:
            continue
        there = others[best]
        matcher = SequenceMatcher(
            None, [ours[n] for n in document], [theirs[n] for n in there], autojunk=False
        )
        for block in matcher.get_matching_blocks():
            for step in range(block.size):
                pairs[document[block.a + step]] = there[block.b + step]
    return pairs


def corpus(folder: Path) -> tuple[Labels, Labels, dict[str, Labels]]:
    """The words of each sentence, the right labels, and those of each kind of noise."""
    index = subprocess.run(
        ["git", "-C", str(folder / LABELS), "show", "HEAD:data/annotations/index.txt"],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout.decode()
    noisy = {
        kind: read(folder, LABELS, f"data/annotations/noise_{kind}.traindev") for kind in JUDGED
    }
    clean = read(folder, LABELS, "data/annotations/clean.traindev")
    whole = read(folder, WORDS, "data/conllpp_train.txt")
    pairs = _pairs(noisy["expert"], whole, index.split())

    def labels(of: list[Sentence]) -> Labels:
        return [[label for _, label in of[at]] for at in pairs]

    words = [[word for word, _ in whole[at]] for at in pairs.values()]
    return words, labels(clean), {kind: labels(of) for kind, of in noisy.items()}


def _ours(words: Labels, given: Labels, seed: int) -> tuple[WordPrediction, float]:
    """What label_issues finds of words, and seconds of a processor."""
    rows = pa.StructArray.from_arrays(
        [pa.array(words), pa.array([json.dumps(each) for each in given])],
        fields=[
            pa.field("x", pa.list_(pa.string())),
            pa.field("label", pa.string(), metadata={KIND: tags.KIND}),
        ],
    )
    begun = time.process_time()
    found = TokenClassification.judge(rows, Options(seed=seed))
    return found, time.process_time() - begun


def _theirs(words: Labels, given: Labels) -> tuple[Floats, Floats, float]:
    """Scores of sentences and words by logistic regressions on the same features, averaged."""
    begun = time.process_time()
    states = encoders.of_fast()
    assert states is not None
    names = in_order({label for each in given for label in each})
    flat = codes([label for each in given for label in each], names)
    groups = np.repeat(np.arange(len(words)), [len(each) for each in words])
    probs = np.zeros((len(flat), len(names)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for features in (WordFeatures.learn(words)[1], states.encode(words)):
            probs += cross_val_predict(
                LogisticRegression(max_iter=200),
                features,
                flat,
                groups=groups,
                method="predict_proba",
                cv=GroupKFold(5),
            )
    of_rows, of_words = _scored(given, names, probs / 2)
    return of_rows, of_words, time.process_time() - begun


def _scored(given: Labels, names: Sequence[str], probs: Floats) -> tuple[Floats, Floats]:
    """The scores that cleanlab gives to sentences and words."""
    ends = np.cumsum([len(each) for each in given])[:-1]
    labels = [codes(each, names).tolist() for each in given]
    of_rows, of_words = get_label_quality_scores(labels, np.split(probs, ends))
    return of_rows, np.concatenate([each.to_numpy() for each in of_words])


def measure(words: Labels, given: Labels, true: Labels, seed: int) -> tuple[Figures, Floats]:
    """Of each way the average precision of wrong words, of sentences with one, and seconds.

    And which shares of words are wrong and flagged, and how many of the flagged are wrong.
    """
    pairs = [zip(one, other, strict=True) for one, other in zip(given, true, strict=True)]
    bad = [np.array([a != b for a, b in each], dtype=bool) for each in pairs]
    wrong, wrong_rows = np.concatenate(bad), np.array([each.any() for each in bad])
    found, seconds = _ours(words, given, seed)
    judged = found.judged
    of_rows, of_words = _scored(given, judged.names, judged.probs)
    plain_rows, plain_words, others = _theirs(words, given)

    def figures(rows: Floats, each: Floats, took: float) -> tuple[float, float, float]:
        return (
            float(average_precision_score(wrong, -each)),
            float(average_precision_score(wrong_rows, -rows)),
            took,
        )

    flagged = found.flagged_words
    return {
        "`label_issues`": figures(found.scores, found.qualities, seconds),
        "cleanlab, the same probabilities": figures(of_rows, of_words, float("nan")),
        "cleanlab, the same features": figures(plain_rows, plain_words, others),
    }, np.array([wrong.mean(), flagged.mean(), wrong[flagged].mean()])


def main() -> None:
    """Print and write down the means over the seeds."""
    folder = os.environ.get("SQLFUNCS_BENCH")
    missing = [each for each in (LABELS, WORDS) if not (Path(folder or "") / each).is_dir()]
    if folder is None or missing:
        print(f"Words are left out: SQLFUNCS_BENCH has no {', '.join(missing or [LABELS])}.")
        return
    words, true, noisy = corpus(Path(folder))
    lines = [
        "| labels of | by | average precision of wrong words | of sentences | processor |",
        "|---|---|---|---|---|",
    ]
    shares = list[str]()
    for kind in JUDGED:
        runs = []
        for seed in SEEDS:
            rows = np.random.default_rng(seed).choice(len(words), ROWS, replace=False).tolist()
            some, given, right = (
                [each[row] for row in rows] for each in (words, noisy[kind], true)
            )
            runs.append(measure(some, given, right, seed))
        for name in runs[0][0]:
            each, rows_with, seconds = np.mean([run[name] for run, _ in runs], axis=0)
            took = "" if np.isnan(seconds) else f"{seconds:.0f} s"
            lines.append(f"| {kind} | {name} | {each:.3f} | {rows_with:.3f} | {took} |")
        wrong, flagged, precise = np.mean([share for _, share in runs], axis=0)
        shares.append(f"{kind} {wrong:.3f}, {flagged:.3f}, {precise:.2f}")
    lines += [
        "",
        f"{ROWS:,} of {len(words):,} sentences. The share of words that is wrong, that is flagged, "
        f"and of these the share that is wrong: {'; '.join(shares)}.  ",
        f"Means over seeds 0 to {SEEDS[-1]}. {circumstances()}",
    ]
    write("words", "\n".join(lines))
