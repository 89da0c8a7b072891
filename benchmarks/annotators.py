"""Several annotators: consensus labels and their quality, beside cleanlab's on the same votes.

SQLFUNCS_BENCH is a folder of fetched repositories (owner+name/repo, bare); without it only the
bundled sample is measured. Votes are drawn at random, a few for each item.

    SQLFUNCS_BENCH=... python -m benchmarks.annotators
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
from cleanlab.multiannotator import get_label_quality_multiannotator, get_majority_vote_label
from sklearn.metrics import roc_auc_score

import sqlfuncs
from benchmarks.pages import ROOT, circumstances, write
from sqlfuncs.learning.annotators import annotated

SEEDS = range(3)
CIFAR = "jcpeterson+cifar-10h", "HEAD:data/cifar10h-counts.npy"
CIFAR_MODEL = (
    "cleanlab+label-errors",
    "HEAD:cross_validated_predicted_probabilities/cifar10_test_set_pyx.npy",
)
CIFAR_LABELS = (
    "cleanlab+label-errors",
    "HEAD:original_test_labels/cifar10_test_set_original_labels.npy",
)
POLITENESS = "sudhof+politeness", "python3:corpora/wikipedia.annotated.csv"
CROWD = 500  # annotators of CIFAR-10H's images, whose own names the counts do not keep
Floats = npt.NDArray[np.float64]
Measured = dict[str, tuple[float, float, float]]  # accuracy, AUROC, seconds


@dataclass(frozen=True)
class Case:
    """Votes with the truth, both long."""

    title: str
    votes: pd.DataFrame  # item, annotator, label, x
    truth: pd.DataFrame  # item, true_label
    x: str  # in SQL, of the votes' column x


def sample(seed: int, most: int) -> Case:
    """The bundled sample: synthetic texts, five unlike annotators."""
    votes = pd.read_csv(ROOT / "data" / "support_requests_votes.csv")
    texts = pd.read_csv(ROOT / "data" / "support_requests.csv")
    drawn = votes.sample(frac=1, random_state=seed).groupby("id").head(most)
    joined = drawn.merge(texts[["id", "text"]], on="id").rename(columns={"id": "item", "text": "x"})
    truth = texts[["id", "true_label"]].rename(columns={"id": "item"})
    title = f"the sample, at most {most} votes"
    return Case(title, joined, truth, "x")


def cifar(folder: Path, seed: int, votes_each: int) -> Case:
    """CIFAR-10H: what 50 people said of each of 10,000 images; who said it is drawn at random."""
    random = np.random.default_rng(seed)
    counts = _array(folder, *CIFAR).astype(int)
    probs, labels = _array(folder, *CIFAR_MODEL), _array(folder, *CIFAR_LABELS)
    said = [
        random.choice(np.repeat(np.arange(10), row), votes_each, replace=False) for row in counts
    ]
    who = [random.choice(CROWD, votes_each, replace=False) for _ in counts]
    votes = pd.DataFrame(
        {
            "item": np.repeat(np.arange(len(counts)), votes_each),
            "annotator": np.concatenate(who),
            "label": np.concatenate(said),
            "x": list(np.repeat(probs / probs.sum(axis=1, keepdims=True), votes_each, axis=0)),
        }
    )
    truth = pd.DataFrame({"item": np.arange(len(counts)), "true_label": labels})
    title = f"CIFAR-10H, {votes_each} of 51 votes"
    return Case(title, votes, truth, "MAP([k::VARCHAR FOR k IN range(10)], x)")


def politeness(folder: Path, seed: int) -> Case:
    """Wikipedia requests: 3 of 5 scores as votes, the mean of the other two as the truth."""
    table = pd.read_csv(io.BytesIO(_bytes(folder, *POLITENESS)))
    scores = table[[f"Score{at}" for at in range(1, 6)]].to_numpy()
    people = table[[f"TurkId{at}" for at in range(1, 6)]].to_numpy()
    random = np.random.default_rng(seed)
    order = np.argsort(random.random(scores.shape), axis=1)
    scores = np.take_along_axis(scores, order, axis=1)
    people = np.take_along_axis(people, order, axis=1)
    items = np.arange(len(table))
    votes = pd.DataFrame(
        {
            "item": np.repeat(items, 3),
            "annotator": people[:, :3].ravel(),
            "label": _polite(scores[:, :3].ravel()),
            "x": np.repeat(table["Request"].to_numpy(), 3),
        }
    ).drop_duplicates(["item", "annotator"])
    truth = pd.DataFrame({"item": items, "true_label": _polite(scores[:, 3:].mean(axis=1))})
    return Case("politeness, 3 of 5 votes, the other 2 as truth", votes, truth, "x")


def _polite(scores: npt.NDArray[np.generic]) -> npt.NDArray[np.str_]:
    values = np.asarray(scores, dtype=np.float64)
    return np.where(values < 11.5, "impolite", np.where(values < 17.5, "neutral", "polite"))


def _bytes(folder: Path, repository: str, name: str) -> bytes:
    return subprocess.run(
        ["git", "-C", str(folder / repository / "repo"), "show", name],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout


def _array(folder: Path, repository: str, name: str) -> npt.NDArray[np.generic]:
    loaded: npt.NDArray[np.generic] = np.load(
        io.BytesIO(_bytes(folder, repository, name)), allow_pickle=False
    )
    return loaded


def measure(case: Case) -> Measured:
    """Both sides on the same votes; cleanlab's CROWDLAB gets the probabilities ours had."""
    with sqlfuncs.connect() as con:
        frame = case.votes
        con.register("frame", frame)
        con.execute(f"CREATE TABLE votes AS SELECT * REPLACE ({case.x} AS x) FROM frame")
        con.unregister("frame")
        measured = {
            name: _ours(con, case, options)
            for name, options in (
                ("`majority`", "method := 'majority'"),
                ("`dawid_skene`", "method := 'dawid_skene'"),
                ("`crowdlab`", "x := x"),
            )
        }
        rows = con.sql("""
            SELECT item::VARCHAR AS item, annotator::VARCHAR AS annotator,
                label::VARCHAR AS label, x
            FROM votes
        """).to_arrow_table()
    votes, _, probs = annotated.read_with_model(
        rows.to_struct_array().combine_chunks(), folds=5, seed=0
    )
    wide = np.full((len(votes.item_names), len(votes.annotator_names)), np.nan)
    wide[votes.items, votes.annotators] = votes.labels
    true = case.truth.assign(item=case.truth["item"].astype(str)).set_index("item").true_label
    truth = np.array([str(true[name]) for name in votes.item_names])
    return measured | _theirs(wide, probs, truth, np.array(votes.classes))


def _theirs(
    given: Floats, probs: Floats, truth: npt.NDArray[np.str_], classes: npt.NDArray[np.str_]
) -> Measured:
    """Their majority with its agreement as the quality, and its CROWDLAB."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.random.seed(0)  # cleanlab breaks some ties by it
        begun = time.perf_counter()
        majority = get_majority_vote_label(given, verbose=False)
        between = time.perf_counter()
        found = get_label_quality_multiannotator(given, probs, verbose=False)["label_quality"]
        ended = time.perf_counter()
    agreement = (given == majority[:, None]).sum(axis=1) / (~np.isnan(given)).sum(axis=1)
    right = classes[found.consensus_label.to_numpy()] == truth
    return {
        "cleanlab, majority": (*_figures(classes[majority] == truth, agreement), between - begun),
        "cleanlab, CROWDLAB": (
            *_figures(right, found.consensus_quality_score.to_numpy()),
            ended - between,
        ),
    }


def _ours(con: duckdb.DuckDBPyConnection, case: Case, options: str) -> tuple[float, float, float]:
    begun = time.perf_counter()
    found = con.execute(f"FROM consensus(votes, item, annotator, label, {options})").df()
    seconds = time.perf_counter() - begun
    joined = found.merge(case.truth, on="item")
    right = joined.consensus_label.astype(str) == joined.true_label.astype(str)
    return (*_figures(right.to_numpy(), joined.consensus_quality.to_numpy()), seconds)


def _figures(right: npt.NDArray[np.bool_], quality: Floats) -> tuple[float, float]:
    wrong = ~right
    return float(right.mean()), float(roc_auc_score(wrong, -quality)) if wrong.any() else np.nan


def cases(seed: int) -> list[Case]:
    """What can be measured here."""
    found = [sample(seed, 2), sample(seed, 5)]
    folder = os.environ.get("SQLFUNCS_BENCH")
    if folder is None:
        print("CIFAR-10H and politeness are left out: SQLFUNCS_BENCH names no folder.")
        return found
    for repository in {CIFAR[0], CIFAR_MODEL[0], POLITENESS[0]}:
        if not (Path(folder) / repository / "repo").is_dir():
            raise SystemExit(f"SQLFUNCS_BENCH={folder} has no {repository}/repo.")
    here = Path(folder)
    return [*found, cifar(here, seed, 2), cifar(here, seed, 3), politeness(here, seed)]


def main() -> None:
    """Print and write down the means over the seeds."""
    measured: dict[str, list[Measured]] = {}
    for seed in SEEDS:
        for case in cases(seed):
            measured.setdefault(case.title, []).append(measure(case))
    lines = ["| votes | method | consensus right | AUROC of its quality |", "|---|---|---|---|"]
    for title, runs in measured.items():
        for method in runs[0]:
            right, auroc, _ = np.mean([run[method] for run in runs], axis=0)
            lines.append(f"| {title} | {method} | {right:.4f} | {auroc:.3f} |")
    lines.append("")
    for title, runs in measured.items():
        if title.startswith("CIFAR"):  # there both are given the probabilities
            ratios = [run["`crowdlab`"][2] / run["cleanlab, CROWDLAB"][2] for run in runs]
            lines.append(
                f"{title}: `crowdlab`, reading the table included, takes {np.median(ratios):.3f} "
                "times as long as cleanlab's on a matrix in memory.  "
            )
    write(
        "annotators",
        "\n".join([*lines, "", f"Means over seeds 0 to {SEEDS[-1]}. {circumstances()}"]),
    )


if __name__ == "__main__":
    main()
