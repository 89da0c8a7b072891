"""Labels that are steps of a scale: the option `ordered`, beside the score for classes.

Run by `benchmarks.tasks`. Politeness' scores from 1 to 25 in five steps of five.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

import sqlfuncs
from benchmarks.pages import circumstances, write
from benchmarks.task_numbers import CORPORA, SEEDS, Floats, corpora, one_of_five

STEPS = 5
WAYS = {"the plain score": "", "`ordered`": f", ordered := {[*range(1, STEPS + 1)]}"}


def steps(scores: Floats) -> Floats:
    """Scores from 1 to 25, or means of such, as steps from 1 to 5.

    >>> steps(np.array([1, 5, 5.5, 6, 25])).tolist()
    [1.0, 1.0, 1.0, 2.0, 5.0]
    """
    found: Floats = np.floor((scores - 1) / STEPS) + 1
    return found


def measure(folder: Path, corpus: str, seed: int) -> dict[str, tuple[float, float, float]]:
    """Of each way the average precision of far errors and of any, and how far suggestions are off.

    A far error is two steps or more from the true step, that of the mean of the four others; the
    suggestions are those of rows that both ways flag, in steps.
    """
    texts, given, others = one_of_five(folder, corpus, seed)
    true = steps(others)
    off = np.abs(steps(given) - true)
    with sqlfuncs.connect() as con:
        frame = pd.DataFrame({"text": texts, "step": steps(given).astype(int)})
        con.register("frame", frame)
        con.execute("CREATE TABLE t AS FROM frame")
        found = {
            name: con.execute(
                "SELECT label_quality, is_label_issue, suggested_label::DOUBLE AS suggested "
                f"FROM label_issues(t, text, step{option})"
            ).df()
            for name, option in WAYS.items()
        }
    both = np.logical_and.reduce([each.is_label_issue.to_numpy(bool) for each in found.values()])
    return {
        name: (
            float(average_precision_score(off >= 2, -each.label_quality)),
            float(average_precision_score(off >= 1, -each.label_quality)),
            float(np.abs(each.suggested.to_numpy() - true)[both].mean()),
        )
        for name, each in found.items()
    }


def main() -> None:
    """Print and write down the means over the seeds."""
    folder = corpora()
    if folder is None:
        return
    lines = [
        "| steps | by | average precision of errors of two steps and more | of any error "
        "| suggestions off by |",
        "|---|---|---|---|---|",
    ]
    for corpus in CORPORA:
        runs = [measure(folder, corpus, seed) for seed in SEEDS]
        for name in WAYS:
            far, any_, off = np.mean([run[name] for run in runs], axis=0)
            lines.append(f"| {corpus} | {name} | {far:.3f} | {any_:.3f} | {off:.2f} steps |")
    write(
        "ordered", "\n".join([*lines, "", f"Means over seeds 0 to {SEEDS[-1]}. {circumstances()}"])
    )
