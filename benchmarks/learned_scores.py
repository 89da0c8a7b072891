"""What a reviewed random sample does to scores, flags and suggestions of the other rows.

    SQLFUNCS_DATA=... python -m benchmarks.learned_scores

People's answers are the true labels. Beside it, in the same draws, the prototype: a logistic
regression with ridge penalty 2 on whether labels are right, with the log-odds of the quality as
offset and a term for each given and each predicted class.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from scipy.optimize import minimize
from sklearn.metrics import average_precision_score

import sqlfuncs
from benchmarks.decisions import tables
from benchmarks.pages import circumstances, write
from sqlfuncs.learning.detection.confident import Found
from sqlfuncs.learning.detection.sampling import Drawn
from sqlfuncs.learning.labels import classes
from sqlfuncs.learning.tasks.base import Options
from sqlfuncs.learning.tasks.class_prediction import ClassPrediction
from sqlfuncs.learning.tasks.classification import Classification
from sqlfuncs.learning.tasks.reviewed_classes import Samples, find_by_sample

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

DRAWS = 100
REVIEWED = (50, 100, 200)
FALSE_FLAGS, REVIEWED_FOR_FLAGS = 0.2, 100
_PENALTY = 2.0  # of the prototype


@dataclass(frozen=True)
class Table:
    """What models say of a table, all of whose rows are judged; `true` (rows,) are its classes."""

    prediction: ClassPrediction
    true: Codes

    @classmethod
    def of(cls, rows: pd.DataFrame) -> Table:
        """Of the columns text, label and true_label."""
        arrays = [pa.array(rows[name], pa.string()) for name in ("text", "label")]
        given = pa.StructArray.from_arrays(arrays, names=["x", "label"])
        prediction = Classification.judge(given, Options())
        return cls(prediction, classes.codes([*rows.true_label], prediction.judged.classes))

    @property
    def wrong(self) -> Mask:
        """Which labels are."""
        wrong: Mask = self.prediction.judged.codes != self.true
        return wrong

    def drawn(self, places: Codes) -> Drawn:
        """What people found of some rows."""
        return Drawn(places, self.wrong[places], self.true[places])

    def learned(self, places: Codes, options: Options | None = None) -> Found:
        """What is found with these rows reviewed."""
        drawn = self.drawn(places)
        return find_by_sample(
            self.prediction.judged,
            self.prediction.found,
            Samples(of_all=drawn, calibrating=drawn),
            options or Options(),
        )


def prototype(table: Table, places: Codes) -> Floats:
    """The quality by the prototype: (rows,)."""
    judged, quality = table.prediction.judged, table.prediction.found.quality
    held = np.clip(quality, 1e-4, 1 - 1e-4)
    offset = np.log(held / (1 - held))
    width = len(judged.classes)
    terms = np.hstack(
        [
            np.ones((len(offset), 1)),
            np.eye(width)[judged.codes],
            np.eye(width)[judged.probs.argmax(axis=1)],
        ]
    )
    right = ~table.wrong[places]

    def loss(slopes: Floats) -> tuple[float, Floats]:
        scores = offset[places] + terms[places] @ slopes
        surprise = np.logaddexp(0, np.where(right, -scores, scores)).sum()
        slope = terms[places].T @ (1 / (1 + np.exp(-scores)) - right)
        return surprise + _PENALTY * (slopes**2).sum() / 2, slope + _PENALTY * slopes

    found = minimize(loss, np.zeros(terms.shape[1]), jac=True, method="L-BFGS-B")
    learned: Floats = offset + terms @ found.x
    return learned


def ranked(table: Table, quality: Floats, places: Codes) -> float:
    """Average precision of the rows that were not reviewed."""
    others = np.ones(len(quality), dtype=bool)
    others[places] = False
    return float(average_precision_score(table.wrong[others], -quality[others]))


@dataclass(frozen=True)
class Flags:
    """Of the flags of rows not reviewed: how many, the shares right and found, and mended rows.

    `mended` is what relabelling them all does to the share of right labels.
    """

    flags: float
    right: float
    found: float
    mended: float


def flags(table: Table, found: Found, places: Codes) -> Flags:
    """Of what was found with these rows reviewed."""
    others = np.ones(len(found.flagged), dtype=bool)
    others[places] = False
    flagged, wrong = found.flagged & others, table.wrong & others
    right = (flagged & wrong).sum()
    gain = (found.suggested == table.true)[flagged].sum() - (flagged & ~wrong).sum()
    return Flags(
        float(flagged.sum()),
        float(right / max(1, flagged.sum())),
        float(right / wrong.sum()),
        float(gain / len(wrong)),
    )


def line(name: str, table: Table, reviewed: int) -> str:
    """A line of the first table: means over draws."""
    generator = np.random.default_rng(0)
    before: list[float] = []
    learned: list[float] = []
    of_prototype: list[float] = []
    were: list[Flags] = []
    are: list[Flags] = []
    for _ in range(DRAWS):
        places = generator.permutation(len(table.true))[:reviewed]
        found = table.learned(places)
        before.append(ranked(table, table.prediction.found.quality, places))
        of_prototype.append(ranked(table, prototype(table, places), places))
        learned.append(ranked(table, found.quality, places))
        were.append(flags(table, table.prediction.found, places))
        are.append(flags(table, found, places))

    def cells(of: list[Flags]) -> str:
        mean = np.mean([[each.flags, each.right, each.found, each.mended] for each in of], axis=0)
        return f"{mean[0]:.0f} | {mean[1]:.2f} | {mean[2]:.2f} | {mean[3]:+.3f}"

    return (
        f"| {name} | {reviewed} | {np.mean(before):.3f} | {np.mean(of_prototype):.3f} "
        f"| {np.mean(learned):.3f} | {cells(were)} | {cells(are)} |"
    )


def false_flags_line(name: str, table: Table) -> str:
    """A line of the second table."""
    generator = np.random.default_rng(0)
    options = Options(false_flags=FALSE_FLAGS)
    found = []
    for _ in range(DRAWS):
        places = generator.permutation(len(table.true))[:REVIEWED_FOR_FLAGS]
        found.append(flags(table, table.learned(places, options), places))
    false = [1 - each.right if each.flags else 0.0 for each in found]
    return (
        f"| {name} | {np.mean([each.flags for each in found]):.0f} | {np.mean(false):.3f} "
        f"| {np.mean([each.found for each in found]):.3f} |"
    )


def chosen(con: duckdb.DuckDBPyConnection) -> dict[str, Table]:
    """The tables in which labels are wrong."""
    return {name: Table.of(rows) for name, rows in tables(con) if "true labels" not in name}


def main() -> None:
    """A line for each table and number of reviewed rows; then one for each table."""
    with sqlfuncs.connect() as con:
        found = chosen(con)
    lines = [
        f"| {DRAWS} draws each | reviewed | average precision without | prototype | learned "
        "| flags without | right | found | relabelled | flags learned | right | found "
        "| relabelled |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
        *(line(name, table, reviewed) for name, table in found.items() for reviewed in REVIEWED),
        "",
        f"| {DRAWS} draws, {REVIEWED_FOR_FLAGS} reviewed | flags with `false_flags := "
        f"{FALSE_FLAGS}` | false, mean | wrong labels found |",
        "|---|---|---|---|",
        *(false_flags_line(name, table) for name, table in found.items()),
    ]
    write("learned_scores", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main()
