"""Labels that are numbers, beside cleanlab's module for them on the same features.

Run by `benchmarks.tasks`. Without SQLFUNCS_BENCH only what scikit-learn has is measured. cleanlab's
own set of wrong numbers holds them as pickles, which are not read.
"""

from __future__ import annotations

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
from cleanlab.regression.learn import CleanLearning
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.metrics import average_precision_score

import sqlfuncs
from benchmarks.pages import circumstances, write

SEEDS = range(3)
REPOSITORY = "sudhof+politeness"
CORPORA = {"Wikipedia": "wikipedia", "Stack Exchange": "stack-exchange"}
FAR = 6  # of 24 steps between a score and the mean of the four others: then it is wrong
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Case:
    """Rows with a number each, of which some are `wrong` (rows,).

    `x` is what ours reads, in SQL, of the columns of `rows`; `alone` that for the same features as
    cleanlab's, `features` (rows, any).
    """

    title: str
    rows: pd.DataFrame
    wrong: Mask
    x: str
    alone: str
    features: Floats


def scored(folder: Path, corpus: str) -> tuple[pd.Series[str], Floats]:
    """Texts, and the scores that five people gave each: (texts, 5)."""
    name = f"python3:corpora/{CORPORA[corpus]}.annotated.csv"
    content = subprocess.run(
        ["git", "-C", str(folder / REPOSITORY / "repo"), "show", name],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    table = pd.read_csv(io.BytesIO(content))
    return table["Request"], table[[f"Score{at}" for at in range(1, 6)]].to_numpy(dtype=np.float64)


def one_of_five(folder: Path, corpus: str, seed: int) -> tuple[pd.Series[str], Floats, Floats]:
    """Texts, one person's score as given, the mean of the other four: (texts,)."""
    texts, scores = scored(folder, corpus)
    who = np.random.default_rng(seed).integers(5, size=len(texts))
    given = scores[np.arange(len(texts)), who]
    return texts, given, (scores.sum(axis=1) - given) / 4


def politeness(folder: Path, corpus: str, seed: int) -> Case:
    """One of five people's scores as given, the mean of the other four as the truth."""
    requests, given, others = one_of_five(folder, corpus, seed)
    wrong = np.abs(given - others) >= FAR
    with sqlfuncs.connect() as con:
        texts = pd.DataFrame({"text": requests})
        con.register("texts", texts)
        found = con.execute("SELECT embed(text) AS e FROM texts").fetchnumpy()["e"]
    features = np.stack(list(found)).astype(np.float64)
    rows = pd.DataFrame({"text": requests, "e": list(features), "y": given})
    title = f"politeness' scores, {corpus}"
    return Case(title, rows, wrong, "text", "e::FLOAT[]", features)


def diabetes(seed: int) -> Case:
    """442 patients: in a tenth of the rows another's number."""
    frame = load_diabetes(as_frame=True).frame
    random = np.random.default_rng(seed)
    true = frame.pop("target").to_numpy(dtype=np.float64)
    wrong = random.random(len(true)) < 0.1
    given = np.where(wrong, random.permutation(true), true)
    fields = "{" + ", ".join(f"{name}: {name}" for name in frame) + "}"
    features = frame.to_numpy(dtype=np.float64)
    return Case("diabetes, swapped", frame.assign(y=given), wrong, fields, fields, features)


def _ours(con: duckdb.DuckDBPyConnection, case: Case, x: str) -> tuple[float, float, Mask]:
    begun = time.process_time()
    found = con.execute(
        f"SELECT label_quality, is_label_issue FROM label_issues(t, {x}, y, task := 'regression')"
    ).df()
    seconds = time.process_time() - begun
    flagged = found.is_label_issue.to_numpy(dtype=bool)
    return _precision(case, found.label_quality.to_numpy()), seconds, flagged


def _theirs(case: Case, model: object) -> tuple[float, float, Mask]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        begun = time.process_time()
        learner = CleanLearning(model, seed=0)
        found = learner.find_label_issues(case.features, case.rows["y"].to_numpy())
        seconds = time.process_time() - begun
    flagged = found.is_label_issue.to_numpy(dtype=bool)
    return _precision(case, found.label_quality.to_numpy()), seconds, flagged


def _precision(case: Case, quality: Floats) -> float:
    return float(average_precision_score(case.wrong, -quality))


def measure(case: Case) -> dict[str, tuple[float, float, float, float]]:
    """Of each way the average precision, seconds of a processor, and what it flagged."""
    with sqlfuncs.connect() as con:
        rows = case.rows
        con.register("rows", rows)
        con.execute("CREATE TABLE t AS FROM rows")
        _ours(con, case, case.x)  # what is read once and kept is no part of the time
        found = {
            "`label_issues`": _ours(con, case, case.x),
            "`label_issues`, the same features": _ours(con, case, case.alone),
            "cleanlab, `LinearRegression`": _theirs(case, LinearRegression()),
            "cleanlab, `RidgeCV`": _theirs(case, RidgeCV(np.logspace(-3, 3, 13))),
        }
    return {
        name: (
            precision,
            seconds,
            float(flagged.mean()),
            float(case.wrong[flagged].mean()) if flagged.any() else np.nan,
        )
        for name, (precision, seconds, flagged) in found.items()
    }


def corpora() -> Path | None:
    """Where the repository of politeness' scores is; None, which is said, where nothing is."""
    folder = os.environ.get("SQLFUNCS_BENCH")
    if folder is None:
        print("Politeness is left out: SQLFUNCS_BENCH names no folder.")
        return None
    if not (Path(folder) / REPOSITORY / "repo").is_dir():
        raise SystemExit(f"SQLFUNCS_BENCH={folder} has no {REPOSITORY}/repo.")
    return Path(folder)


def cases(seed: int) -> list[Case]:
    """What can be measured here."""
    found, folder = [diabetes(seed)], corpora()
    return (
        found
        if folder is None
        else [*found, *(politeness(folder, corpus, seed) for corpus in CORPORA)]
    )


def main() -> None:
    """Print and write down the means over the seeds."""
    measured: dict[str, list[dict[str, tuple[float, float, float, float]]]] = {}
    wrong: dict[str, list[float]] = {}
    for seed in SEEDS:
        for case in cases(seed):
            measured.setdefault(case.title, []).append(measure(case))
            wrong.setdefault(case.title, []).append(float(case.wrong.mean()))
    lines = [
        "| numbers | wrong | by | average precision | flagged | right of these | processor |",
        "|---|---|---|---|---|---|---|",
    ]
    for title, runs in measured.items():
        for method in runs[0]:
            precision, seconds, flagged, right = np.array([run[method] for run in runs]).T
            shown = "" if np.isnan(right).all() else f"{np.nanmean(right):.2f}"
            lines.append(
                f"| {title} | {np.mean(wrong[title]):.3f} | {method} | {precision.mean():.3f} | "
                f"{flagged.mean():.3f} | {shown} | {seconds.mean():.1f} s |"
            )
    write(
        "numbers", "\n".join([*lines, "", f"Means over seeds 0 to {SEEDS[-1]}. {circumstances()}"])
    )
