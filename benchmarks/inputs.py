"""Wrong labels among tabular rows and images, beside what a user would write with cleanlab.

The data is what scikit-learn ships, its labels flipped here at random to another class. The
reference is cleanlab's usual recipe: 5-fold out-of-sample probabilities of scikit-learn's
HistGradientBoostingClassifier (on the pixels, for images) and find_label_issues.
"""

from __future__ import annotations

import warnings
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits

import sqlfuncs
from benchmarks.pages import circumstances, write
from tests.functions.pictures import digits, flipped

SEEDS = range(3)
TABLES: dict[str, tuple[Any, float]] = {
    "wine": (load_wine, 0.2),
    "breast_cancer": (load_breast_cancer, 0.2),
    "digits as numbers": (load_digits, 0.2),
    "digits as PNG": (load_digits, 0.1),
}


def figures(wrong: np.ndarray, quality: np.ndarray, flags: np.ndarray) -> list[float]:
    """AUROC and average precision of the score, precision and recall of the flags."""
    return [
        float(roc_auc_score(wrong, -quality)),
        float(average_precision_score(wrong, -quality)),
        float(wrong[flags].mean()),
        float(flags[wrong].mean()),
    ]


def reference(values: np.ndarray, label: np.ndarray, wrong: np.ndarray) -> list[float]:
    """What a user would write."""
    codes = np.unique(label, return_inverse=True)[1]
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        probs = cross_val_predict(
            HistGradientBoostingClassifier(random_state=0),
            values,
            codes,
            cv=folds,
            method="predict_proba",
        )
        flags = find_label_issues(codes, probs)
    return figures(wrong, get_label_quality_scores(codes, probs), flags)


def ours(con: duckdb.DuckDBPyConnection, frame: pd.DataFrame, x: str) -> list[float]:
    """The same by one statement."""
    con.register("frame", frame)
    con.execute("CREATE OR REPLACE TABLE given AS FROM frame")
    con.unregister("frame")
    found = con.execute(f"FROM label_issues(given, {x}, label)").df()
    wrong = (found.label != found.true_label).to_numpy()
    return figures(wrong, found.label_quality.to_numpy(), found.is_label_issue.to_numpy())


def main() -> None:
    """Print the means over the seeds."""
    lines = [
        "| seeds 0 to 2: mean, `label_issues` (reference) | AUROC | average precision "
        "| right among flags | found of all |",
        "|---|---|---|---|---|",
    ]
    for name, (load, rate) in TABLES.items():
        values, codes = load(return_X_y=True)
        true = [f"class {code}" for code in codes]
        names = [f"f{at}" for at in range(values.shape[1])]
        x = "{" + ", ".join(f"{field}: {field}" for field in names) + "}"
        frame = pd.DataFrame(values, columns=names)
        if name.endswith("PNG"):
            frame, x = pd.DataFrame({"picture": digits()[0]}), "picture"
        measured = []
        for seed in SEEDS:
            label = np.array(flipped(true, rate, seed))
            with sqlfuncs.connect() as con:
                own = ours(con, frame.assign(label=label, true_label=true), x)
            measured.append((own, reference(values, label, label != np.array(true))))
        means = np.mean(measured, axis=0)
        cells = " | ".join(f"{a:.3f} ({b:.3f})" for a, b in means.T)
        lines.append(f"| {name}: {len(true)} rows, {rate:.0%} wrong | {cells} |")
    write("inputs", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main()
