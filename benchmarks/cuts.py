"""Every cut on probabilities that others published, with labels of known truth.

SQLFUNCS_BENCH is a folder of fetched repositories (owner+name/repo, bare).

    SQLFUNCS_BENCH=... python -m benchmarks.cuts

The powers of `noise.correction` were chosen on the first table. The second has people's labels that
took no part: one of the 51 that CIFAR-10H has of each image, and one of the three or more votes on
tweets, which `fast` reads.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.annotators import CIFAR, CIFAR_LABELS, CIFAR_MODEL
from benchmarks.learned_scores import Table
from benchmarks.pages import circumstances, write
from sqlfuncs.learning.detection import confident, corrections, noise

LABEL_ERRORS = "cleanlab+label-error-detection-benchmarks"  # AGPL; CIFAR-10N labels CC BY-NC
CONFIDENT = "cgnorthcutt+confidentlearning-reproduce"  # MIT
TWEETS = "t-davidson+hate-speech-and-offensive-language", "data/labeled_data.csv"  # MIT
DRAWN = range(3)  # seeds of which person's label is drawn
TITLES = {
    "cifar-10n-aggregate": "CIFAR-10N aggregate",
    "cifar-10n-worst": "CIFAR-10N worst",
    "roman-numeral": "roman numerals",
    "cifar-10": "CIFAR-10S",
}
NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
SHOWN = ("auto", "noise_corrected", *confident.CLEANLAB_CUTS[:5])
Case = tuple[str, npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.int64] | None]


def git(repository: str, *arguments: str) -> bytes:
    """What git says of a fetched repository."""
    folder = Path(os.environ["SQLFUNCS_BENCH"]) / repository / "repo"
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


def array(repository: str, path: str) -> npt.NDArray[np.generic]:
    """An array in a repository."""
    content = io.BytesIO(git(repository, "show", f"HEAD:{path}"))
    loaded: npt.NDArray[np.generic] = np.load(content, allow_pickle=False)
    return loaded


def published() -> Iterator[tuple[Case, npt.NDArray[np.bool_]]]:
    """Title, given classes, probabilities and true classes, if known; and which are wrong."""
    listed = git(LABEL_ERRORS, "ls-tree", "-r", "--name-only", "HEAD", "src/experiments").decode()
    for path in sorted(p for p in listed.split() if p.endswith("/pred_probs.npy")):
        folder = path.rpartition("/")[0]
        title = f"{TITLES[folder.split('/')[2]]}, {folder.rpartition('_cv_')[2]}"
        probs = array(LABEL_ERRORS, path).astype(np.float64)
        probs /= probs.sum(axis=1, keepdims=True)
        if f"{folder}/label_errors_mask.npy" in listed:
            wrong = array(LABEL_ERRORS, f"{folder}/label_errors_mask.npy").astype(bool)
            given = array(LABEL_ERRORS, f"{folder}/labels.npy").astype(np.int64)
            yield (title, given, probs, None), wrong
        else:
            given = array(LABEL_ERRORS, f"{folder}/noisy_labels.npy").astype(np.int64)
            true = array(LABEL_ERRORS, f"{folder}/true_labels.npy").astype(np.int64)
            yield (title, given, probs, true), given != true
    for changed in (0, 2, 4):
        for sparse in (0, 4) if changed else (0,):
            yield confident_learning(sparse, changed)


def confident_learning(sparse: int, noise: int) -> tuple[Case, npt.NDArray[np.bool_]]:
    """Probabilities of the confident-learning paper, in the order of the sorted file names."""
    stem = "cifar10_noisy_labels__frac_zero_noise_rates__{}__noise_amount__{}"
    labels = f"cifar10/cifar10_noisy_labels/{stem.format(f'0.{sparse}', f'0.{noise}')}.json"
    probs = f"cifar10/{stem.format(f'0_{sparse}', f'0_{noise}')}"
    given_by_file = json.loads(git(CONFIDENT, "show", f"HEAD:{labels}"))
    files = sorted(given_by_file)
    given = np.array([given_by_file[file] for file in files])
    true = np.array([NAMES.index(file.split("/")[-2]) for file in files])
    values = array(CONFIDENT, f"{probs}/cifar10__train__model_resnet50__pyx.npy").astype(float)
    values /= values.sum(axis=1, keepdims=True)
    title = f"confident-learning paper, {noise}0 % noise, sparsity .{sparse}"
    return (title, given, values, true), given != true


def one_of(counts: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.int64]:
    """One of the votes on each row, by how many each class has: (rows,)."""
    generator = np.random.default_rng(seed)
    below = np.cumsum(counts / counts.sum(axis=1, keepdims=True), axis=1)
    drawn: npt.NDArray[np.int64] = (generator.random(len(counts))[:, None] > below).sum(axis=1)
    return drawn.clip(0, counts.shape[1] - 1)


def tweets(seed: int) -> pd.DataFrame:
    """Columns text, label (one of the votes) and true_label (most of three or more)."""
    table = pd.read_csv(io.BytesIO(git(TWEETS[0], "show", f"HEAD:{TWEETS[1]}")))
    table = table[table["count"] >= 3]
    names = np.array(["hate", "offensive", "neither"])
    votes = table[["hate_speech", "offensive_language", "neither"]].to_numpy()
    return pd.DataFrame(
        {
            "text": table.tweet.to_numpy(),
            "label": names[one_of(votes, seed)],
            "true_label": names[table["class"].to_numpy()],
        }
    )


def held_out() -> Iterator[Case]:
    """People's labels on which nothing was chosen."""
    repository, path = CIFAR
    counts = array(repository, path.removeprefix("HEAD:")).astype(np.int64)
    probs, true = (
        array(repository, path.removeprefix("HEAD:"))
        for repository, path in (CIFAR_MODEL, CIFAR_LABELS)
    )
    probs = probs.astype(np.float64) / probs.sum(axis=1, keepdims=True)
    for seed in DRAWN:
        title = f"CIFAR-10H, one person's label of 51, draw {seed}"
        yield title, one_of(counts, seed), probs, true.astype(np.int64)
    for seed in DRAWN:
        judged = Table.of(tweets(seed))
        seen = judged.prediction.judged
        yield f"tweets, one vote of three or more, draw {seed}", seen.codes, seen.probs, judged.true


def of_people(case: Case) -> str:
    """One line of the second table: what is flagged, and what relabelling all of it does."""
    title, given, probs, true = case
    assert true is not None
    wrong = given != true
    careful = noise.careful_correction(given, probs).apply(given, probs)
    found = confident.find(given, probs, "auto", "auto")
    ways = {
        "auto": (found.flagged, found.suggested),
        "word": (probs.argmax(axis=1) != given, probs.argmax(axis=1)),
        "careful": (careful.argmax(axis=1) != given, careful.argmax(axis=1)),
    }
    cells = []
    for flags, suggested in ways.values():
        right = (flags & wrong).sum() / max(1, flags.sum())
        after = (np.where(flags, suggested, given) == true).mean()
        cells.append(f"{flags.sum():,}; {right:.2f}; {f1(flags, wrong):.3f}; {after:.3f}")
    return f"| {title} | {wrong.mean():.3f} | {' | '.join(cells)} |"


def f1(flags: npt.NDArray[np.bool_], wrong: npt.NDArray[np.bool_]) -> float:
    """The harmonic mean of precision and recall; 0 where nothing is wrong."""
    return float(2 * (flags & wrong).sum() / max(1, flags.sum() + wrong.sum()))


def row(case: Case, wrong: npt.NDArray[np.bool_]) -> str:
    """One line of the table."""
    title, given, probs, true = case
    found = {cut: confident.find(given, probs, cut, "auto") for cut in SHOWN}
    figures = " | ".join(f"{f1(found[cut].flagged, wrong):.3f}" for cut in SHOWN)
    auto = found["auto"]
    made = corrections.worth_making(given, probs, auto.flagged, auto.suggested)
    gain = "-"
    if true is not None:
        after = np.where(made, auto.suggested, given)
        gain = f"{(given == true).mean():.3f} -> {(after == true).mean():.3f}"
    return f"| {title} | {figures} | {gain} |"


def main() -> None:
    """Print the table."""
    if "SQLFUNCS_BENCH" not in os.environ:
        sys.exit("benchmarks.cuts: SQLFUNCS_BENCH names no folder of fetched repositories.")
    names = " | ".join(f"`{cut}`" for cut in SHOWN)
    lines = [
        f"| F1 of the flags | {names} | label accuracy, `auto_corrections` |",
        "|---|" + "---|" * (len(SHOWN) + 1),
        *(row(case, wrong) for case, wrong in published()),
        "",
        "| flagged; of these wrong; F1; label accuracy if all are relabelled | wrong | `auto` "
        "| the likeliest class is another (`predicted_neq_given`) | by the careful probability |",
        "|---|---|---|---|---|",
        *(of_people(case) for case in held_out()),
    ]
    write("cuts", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main()
