"""What it is worth to know who gave each label: `annotator`, beside the same labels unsigned.

    SQLFUNCS_BENCH=... python -m benchmarks.habits

Each label is that of one of a row's annotators, at random: people's on requests (sudhof/politeness,
Apache-2.0, in a folder of fetched repositories; true is the strict plurality of the other four),
simulated ones on the sample. The strength of habits was chosen on the first and the last.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, f1_score

import sqlfuncs
from benchmarks.cuts import git
from benchmarks.pages import ROOT, circumstances, write

REPOSITORY, BRANCH = "sudhof+politeness", "python3"
FORUMS = {"wikipedia": "wikipedia", "another forum": "stack-exchange"}
IMPOLITE, POLITE = 11, 18  # scores up to, and from


def requests(corpus: str, seed: int = 0) -> pd.DataFrame:
    """The columns text, label, true_label and annotator."""
    path = f"{BRANCH}:corpora/{corpus}.annotated.csv"
    table = pd.read_csv(io.BytesIO(git(REPOSITORY, "show", path)))
    scores = table[[f"Score{n}" for n in range(1, 6)]].to_numpy(dtype=float)
    classes = (scores > IMPOLITE).astype(int) + (scores >= POLITE)
    rows = np.arange(len(table))
    chosen = np.random.default_rng(seed).integers(5, size=len(table))
    counts = np.eye(3)[classes].sum(axis=1)
    counts[rows, classes[rows, chosen]] -= 1
    names = table[[f"TurkId{n}" for n in range(1, 6)]].to_numpy()
    drawn = pd.DataFrame(
        {
            "text": table.Request,
            "label": classes[rows, chosen],
            "true_label": counts.argmax(axis=1),
            "annotator": names[rows, chosen],
        }
    )
    is_strict = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) == 1
    kept: pd.DataFrame = drawn[is_strict].reset_index(drop=True)
    return kept


def sample() -> pd.DataFrame:
    """The same of the bundled sample."""
    votes = pd.read_csv(ROOT / "data" / "support_requests_votes.csv")
    votes = votes.sample(frac=1, random_state=0).groupby("id").first().reset_index()
    rows = pd.read_csv(ROOT / "data" / "support_requests.csv")
    return rows[["id", "text", "true_label"]].merge(votes, on="id")


def tables() -> Iterator[tuple[str, pd.DataFrame]]:
    """Each with its name."""
    for name, corpus in FORUMS.items():
        yield name, requests(corpus)
    yield "sample", sample()


def main() -> int:
    """Print the table."""
    lines = [
        "| average precision; F1 of flags; right after relabelling them | unsigned | signed |",
        "|---|---|---|",
    ]
    with sqlfuncs.connect() as con:
        for name, table in tables():
            con.register("signed", table)
            cells = []
            for annotator in ("NULL", "annotator"):
                call = f"FROM label_issues(signed, text, label, annotator := {annotator})"
                found = con.execute(call).df()
                found = found[found.not_judged.isna()]
                wrong = found.label != found.true_label
                relabelled = found.label.where(~found.is_label_issue, found.suggested_label)
                cells.append(
                    f"{average_precision_score(wrong, -found.label_quality):.3f}; "
                    f"{f1_score(wrong, found.is_label_issue.astype(bool)):.3f}; "
                    f"{(relabelled == found.true_label).mean():.3f}"
                )
            people = table.annotator.nunique()
            lines.append(f"| {name}, {len(table):,} labels by {people} | {' | '.join(cells)} |")
    write("habits", "\n".join([*lines, "", circumstances()]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
