"""A language model as an auditor of labels, beside the trained detector, on wikipedia.

    python -m benchmarks.llm_audit

The model is SmolLM2 (135 million parameters), the one that can be had everywhere; minutes.
"""

from __future__ import annotations

import pandas as pd
from sklearn.metrics import average_precision_score

import sqlfuncs
from benchmarks.detection import TABLES
from benchmarks.pages import circumstances, write

LABELS = ["impolite", "neutral", "polite"]
JUDGE = "instructions := 'How polite is this request of one Wikipedia editor to another?'"
SHOWN = """examples := [
    {text: 'Thanks for your help! Could you please look at the article when you have time?',
     label: 'polite'},
    {text: 'Why did you do that? Stop removing it.', label: 'impolite'},
    {text: 'The page was moved to a new title in 2009.', label: 'neutral'}]"""
ASKED = f"llm_class_probs(text, {LABELS}, model := 'local:smollm2'"
WAYS = {
    "`model := 'fast'`, trained out of sample": "text",
    "`local:smollm2`, the labels alone": f"{ASKED})",
    "`local:smollm2`, instructions": f"{ASKED}, {JUDGE})",
    "`local:smollm2`, instructions and three examples": f"{ASKED}, {JUDGE}, {SHOWN})",
}


def line(way: str, issues: pd.DataFrame) -> str:
    """One row of the table."""
    wrong = issues["label"] != issues["true_label"]
    flagged = issues["is_label_issue"]
    precision = average_precision_score(wrong, -issues["label_quality"])
    return (
        f"| {way} | {precision:.3f} | {wrong[flagged].mean():.3f} | {flagged[wrong].mean():.3f} | "
        f"{(issues['predicted_label'] == issues['true_label']).mean():.3f} |"
    )


def main() -> None:
    """Audit in each way and write the table."""
    with sqlfuncs.connect() as con:
        con.execute(f"CREATE TABLE train AS {TABLES['wikipedia'][0]}")
        found = {
            way: con.execute(f"FROM label_issues(train, {x}, label)").df()
            for way, x in WAYS.items()
        }
    issues = next(iter(found.values()))
    lines = [
        "| wikipedia | average precision | flags that are right | wrong labels flagged | "
        "predictions that are right |",
        "|---|---|---|---|---|",
        *(line(way, each) for way, each in found.items()),
        f"| chance | {(issues['label'] != issues['true_label']).mean():.3f} | | | |",
    ]
    write("llm_audit", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main()
