"""Labels that are tags, beside cleanlab's module for them on the same features.

Run by `benchmarks.tasks`. The tags are those of GoEmotions' development and test sets, of which
errors of raters are drawn; they come from copies of the files in a repository that is small enough
to be fetched. Ours has constants that were set on the training set, whose texts are left out.
"""

from __future__ import annotations

import io
import os
import subprocess
import time
import warnings
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
from cleanlab.multilabel_classification.rank import (
    get_label_quality_scores,
    get_label_quality_scores_per_class,
)
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import cross_val_predict
from sklearn.multiclass import OneVsRestClassifier

import sqlfuncs
from benchmarks.pages import circumstances, write

SEEDS = range(1, 4)
REPOSITORY = "ZavenJumayan+MoneyTree"
ROWS, TAGS = 10_000, 28
FORGOTTEN, ADDED = 0.25, 0.2  # of the tags, and to rows
ALONE = 4  # tags that are asked for one by one, for the time of all
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Figures = dict[str, tuple[float, float, float, float, float]]


def _read(folder: Path, part: str) -> pd.DataFrame:
    """The texts and tags of a part of the corpus, each text once."""
    name = f"HEAD:data/goemotions-{part}.tsv"
    content = subprocess.run(
        ["git", "-C", str(folder / REPOSITORY / "repo"), "show", name],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    names = ["text", "tags", "id"]
    found = pd.read_csv(io.BytesIO(content), sep="\t", header=None, names=names)
    return found.drop_duplicates("text")


def _sampled(texts: pd.DataFrame, rows: int, seed: int) -> tuple[pd.DataFrame, Mask]:
    """Some of the texts at random, and their tags as published: (rows, tags)."""
    frame = texts.sample(rows, random_state=seed).reset_index(drop=True)
    true = np.zeros((rows, TAGS), dtype=bool)
    for row, tags in enumerate(frame["tags"].astype(str)):
        true[row, [int(tag) for tag in tags.split(",")]] = True
    return frame, true


def drawn(folder: Path, rows: int, seed: int) -> tuple[pd.DataFrame, Mask]:
    """Texts of the training set at random, and their tags as published: (rows, tags)."""
    return _sampled(_read(folder, "train"), rows, seed)


def table(folder: Path, seed: int) -> tuple[pd.DataFrame, Mask, Mask]:
    """Texts with the tags given, and which tags these are and which are right: (rows, tags)."""
    whole = pd.concat([_read(folder, "dev"), _read(folder, "test")]).drop_duplicates("text")
    unseen = whole[~whole["text"].isin(_read(folder, "train")["text"])]
    frame, true = _sampled(unseen, ROWS, seed)
    random = np.random.default_rng(seed)
    given = true & (random.random(true.shape) >= FORGOTTEN)
    common = np.sqrt(true.mean(axis=0))
    more = random.choice(TAGS, ROWS, p=common / common.sum())
    some = np.flatnonzero(random.random(ROWS) < ADDED)
    given[some, more[some]] = True
    lists = [[f"t{tag:02}" for tag in np.flatnonzero(row)] for row in given]
    return pd.DataFrame({"id": range(ROWS), "text": frame["text"], "label": lists}), given, true


def _ours(con: duckdb.DuckDBPyConnection, x: str) -> tuple[Floats, Floats, Mask, float]:
    begun = time.process_time()
    found = con.execute(f"SELECT * FROM label_issues(t, {x}, label) ORDER BY id").df()
    seconds = time.process_time() - begun
    names = [f"t{tag:02}" for tag in range(TAGS)]
    qualities = np.array([[row[name] for name in names] for row in found.tag_qualities])
    flagged = np.array(
        [
            [name in wrong or name in missing for name in names]
            for wrong, missing in zip(found.wrong_tags, found.missing_tags, strict=True)
        ]
    )
    return qualities, found.label_quality.to_numpy(), flagged, seconds


def _theirs(vectors: Floats, given: Mask) -> tuple[Floats, Floats, Mask, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        begun = time.process_time()
        probs = cross_val_predict(
            OneVsRestClassifier(LogisticRegression(max_iter=400)),
            vectors,
            given.astype(int),
            method="predict_proba",
            cv=5,
        )
        lists = [np.flatnonzero(row).tolist() for row in given]
        of_tags = get_label_quality_scores_per_class(lists, probs)
        of_rows = get_label_quality_scores(lists, probs)
        seconds = time.process_time() - begun
    return of_tags, of_rows, of_tags < 0.5, seconds


def _one_by_one(con: duckdb.DuckDBPyConnection) -> float:
    """Seconds of a processor for as many calls as there are tags, by those for some."""
    begun = time.process_time()
    for tag in range(ALONE):
        con.sql(f"FROM label_issues(t, text, list_contains(label, 't{tag:02}'))").to_arrow_table()
    return (time.process_time() - begun) / ALONE * TAGS


def measure(folder: Path, seed: int) -> tuple[Figures, float]:
    """Of each way the average precisions of tags and rows, what it flagged, and seconds.

    And how many times as long as one call of ours all tags take one by one.
    """
    frame, given, true = table(folder, seed)
    wrong = given != true
    with sqlfuncs.connect() as con:
        con.register("frame", frame)
        con.execute(
            "CREATE TABLE t AS SELECT id, text, embed(text) AS e, label::VARCHAR[] AS label "
            "FROM frame"
        )
        vectors = np.stack(list(con.execute("SELECT e FROM t ORDER BY id").fetchnumpy()["e"]))
        _ours(con, "text")  # what is read once and kept is no part of the time
        found = {
            "`label_issues`": _ours(con, "text"),
            "`label_issues`, the same features": _ours(con, "e"),
            "cleanlab": _theirs(vectors.astype(np.float64), given),
        }
        ratio = _one_by_one(con) / found["`label_issues`"][3]
    figures = {
        name: (
            float(average_precision_score(wrong.ravel(), -of_tags.ravel())),
            float(average_precision_score(wrong.any(axis=1), -of_rows)),
            float(flagged.mean()),
            float(wrong[flagged].mean()),
            seconds,
        )
        for name, (of_tags, of_rows, flagged, seconds) in found.items()
    }
    return figures, ratio


def main() -> None:
    """Print and write down the means over the seeds."""
    folder = os.environ.get("SQLFUNCS_BENCH")
    if folder is None or not (Path(folder) / REPOSITORY / "repo").is_dir():
        print(f"Tags are left out: SQLFUNCS_BENCH has no {REPOSITORY}/repo.")
        return
    runs = [measure(Path(folder), seed) for seed in SEEDS]
    lines = [
        "| by | average precision of wrong tags | of rows | tags flagged | right of these "
        "| processor |",
        "|---|---|---|---|---|---|",
    ]
    for name in runs[0][0]:
        tags, rows, flagged, right, seconds = np.mean([run[name] for run, _ in runs], axis=0)
        lines.append(
            f"| {name} | {tags:.3f} | {rows:.3f} | {flagged:.4f} | {right:.2f} | {seconds:.0f} s |"
        )
    ratio = float(np.mean([ratio for _, ratio in runs]))
    lines += [
        "",
        f"{ROWS:,} texts with {TAGS} tags: a call for each tag takes {ratio:.1f} times as long as "
        f"one for all (by {ALONE} of them).  ",
        f"Means over seeds {SEEDS[0]} to {SEEDS[-1]}. {circumstances()}",
    ]
    write("tags", "\n".join(lines))
