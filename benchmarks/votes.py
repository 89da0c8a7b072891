"""What votes add: columns of labels by others beside the text, and how they can mislead.

    SQLFUNCS_DATA=... python -m benchmarks.votes

A scripted model says the true label in a share of the rows, and elsewhere one of the other classes,
each as often, whatever the given label. Other votes are the given label in a share of the rows; of
no meaning; what the text's own heads say; and the same vote three times. How votes are weighed was
chosen on wikipedia and blog, with the sample in view; tweets took no part (4,000 of them, if
SQLFUNCS_BENCH has them, as for `benchmarks.cuts`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score

import sqlfuncs
from benchmarks.alternatives import DATA
from benchmarks.cuts import tweets
from benchmarks.pages import circumstances, write

Labels = npt.NDArray[np.object_]
REVIEWED, TWEETS = 200, 4_000


def scripted(right: pd.Series, share: float, seed: int = 0) -> Labels:
    """What is right in a share of the rows, and another class elsewhere."""
    names = np.array(sorted(right.unique()), dtype=object)
    codes = right.map({name: code for code, name in enumerate(names)}).to_numpy(copy=True)
    generator = np.random.default_rng(seed)
    wrong = generator.random(len(codes)) >= share
    codes[wrong] = (codes[wrong] + generator.integers(1, len(names), wrong.sum())) % len(names)
    said: Labels = names[codes]
    return said


def figures(con: duckdb.DuckDBPyConnection, call: str) -> tuple[float, int, float, float]:
    """Average precision of wrong labels, flags, the wrong ones among them, right suggestions."""
    found = con.execute(f"FROM label_issues({call})").df()
    found = found[found.not_judged.isna()]
    wrong = (found.label != found.true_label).to_numpy()
    flags = found[found.is_label_issue.astype(bool)]
    return (
        float(average_precision_score(wrong, -found.label_quality)),
        len(flags),
        float((flags.label != flags.true_label).mean()),
        float((flags.suggested_label == flags.true_label).mean()),
    )


def votes_of(rows: pd.DataFrame, predicted: pd.Series) -> Mapping[str, list[Labels | pd.Series]]:
    """The votes that are tried, by what they are."""
    true, given = rows.true_label, rows.label
    by_chance = 1 / true.nunique()
    return {
        "no votes": [],
        "right in .70 of the rows": [scripted(true, 0.7)],
        "right in .80": [scripted(true, 0.8)],
        "right in .70, one row of ten": [
            pd.Series(scripted(true, 0.7)).where(rows.index % 10 == 0, None)
        ],
        "three, each right in .70": [scripted(true, 0.7, seed) for seed in range(3)],
        "one right in .70, three times": [scripted(true, 0.7)] * 3,
        "at random": [scripted(true, by_chance)],
        "eight at random": [scripted(true, by_chance, seed) for seed in range(8)],
        "what the text's heads predict": [predicted],
        "the same, and one right in .70": [predicted, scripted(true, 0.7)],
        "the given label in .60": [scripted(given, 0.6)],
    }


def line(name: str, what: str, how: str, found: tuple[float, int, float, float]) -> str:
    """A line of the table."""
    precision, flagged, right, suggested = found
    return (
        f"| {name} | {what} | {how} | {precision:.3f} | {flagged:,} | {right:.3f} "
        f"| {suggested:.3f} |"
    )


def reviewed(con: duckdb.DuckDBPyConnection) -> None:
    """A log of rows drawn at random, as somebody who knows the true labels decides them."""
    con.execute(f"""
        CREATE OR REPLACE TABLE decisions AS
        SELECT id AS key, if(label = true_label, 'keep', 'relabel') AS action, label AS old_label,
            if(label = true_label, NULL, true_label) AS new_label, 'me' AS decided_by,
            NULL::VARCHAR AS reason, now() AT TIME ZONE 'UTC' AS decided_at
        FROM train ORDER BY sqlfuncs.main._sf_random_order(id) LIMIT {REVIEWED}
    """)


def measured(con: duckdb.DuckDBPyConnection, name: str, rows: pd.DataFrame) -> list[str]:
    """The lines of a data set."""
    rows = rows.assign(id=range(len(rows)))
    con.register("train", rows)
    plain = con.execute("SELECT predicted_label FROM label_issues(train, text, label)").df()
    lines = []
    for what, votes in votes_of(rows, plain.predicted_label).items():
        table = rows.assign(**{f"vote_{at}": vote for at, vote in enumerate(votes)})
        con.register("train", table)
        named = ", ".join(f"vote_{at}" for at in range(len(votes)))
        option = f", votes := [{named}]" if votes else ""
        lines.append(line(name, what, "", figures(con, f"train, text, label{option}")))
        if what in ("no votes", "right in .70 of the rows", "at random"):
            reviewed(con)
            log = f"{option}, key := id, log := decisions"
            said = f"with {REVIEWED} reviewed rows"
            lines.append(line(name, what, said, figures(con, f"train, text, label{log}")))
        if what in ("right in .70 of the rows", "three, each right in .70"):
            lines.append(line(name, what, "no x", figures(con, f"train, NULL, label{option}")))
    return lines


def main() -> None:
    """A line for each data set and kind of votes."""
    lines = [
        "| | votes | | average precision | flagged | wrong among them | right suggestions |",
        "|---|---|---|---|---|---|---|",
    ]
    with sqlfuncs.connect() as con:
        for name, sql in DATA.items():
            rows = con.execute(f"SELECT text, label, true_label FROM ({sql})").df()
            lines += measured(con, name, rows)
        if "SQLFUNCS_BENCH" in os.environ:
            drawn = tweets(1).sample(TWEETS, random_state=0, ignore_index=True)
            lines += measured(con, "tweets", drawn)
    write("votes", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main()
