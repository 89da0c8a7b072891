"""How soon a reviewed sample releases corrections, how often wrongly, and what is gained by it.

    SQLFUNCS_DATA=... python -m benchmarks.decisions

People's answers are simulated by the true labels, in many random orders of the candidates. Beside
it, in the same draws, the prototype: fixed bets on the flagged rows of quality below one half, on
all and on the worse half of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binomtest

import sqlfuncs
from benchmarks.alternatives import DATA
from benchmarks.draws import changed
from benchmarks.pages import circumstances, write
from sqlfuncs.learning.detection.verification import Candidates, Reviews, candidates, verify

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

DRAWS = 300
REVIEWED = (30, 40, 60, 120)
RISK = 0.05
SMALL, SMALL_SEEDS, SMALL_DRAWS = (700, 1300), range(200, 212), 25
WORTH_IT = 0.02  # of label accuracy, by relabelling all candidates
_BETS = np.array([0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8])  # of the prototype


@dataclass(frozen=True)
class Table:
    """A table's judged rows: (rows,), `probs` (rows, classes); `true` is -1 where unknown."""

    codes: Codes
    true: Codes
    probs: Floats
    quality: Floats
    flagged: npt.NDArray[np.bool_]
    suggested: Codes

    @property
    def gain(self) -> Floats:
        """What relabelling each row is worth: 1, 0 or -1."""
        gain: Floats = (self.suggested == self.true).astype(np.float64)
        gain -= self.codes == self.true
        return gain

    @property
    def accuracy(self) -> float:
        """The share of given labels that are right."""
        return float((self.codes == self.true).mean())


def judged(con: duckdb.DuckDBPyConnection, rows: pd.DataFrame, model: str = "fast") -> Table:
    """What label_issues says of the columns text, label and true_label."""
    con.register("train", rows)
    found = con.execute(f"FROM label_issues(train, text, label, model := '{model}')").df()
    found = found[found.not_judged.isna()]
    names = sorted({*found.label, *found.true_label, *found.class_probs.iloc[0]})
    place = {name: code for code, name in enumerate(names)}
    return Table(
        found.label.map(place).to_numpy(),
        found.true_label.map(place).to_numpy(),
        np.array([[each.get(name, 0.0) for name in names] for each in found.class_probs]),
        found.label_quality.to_numpy(),
        found.is_label_issue.to_numpy(dtype=bool),
        found.predicted_label.map(place).to_numpy(),
    )


@dataclass(frozen=True)
class Draws:
    """Of some draws: whether corrections were released, did harm, and the label accuracy then."""

    released: npt.NDArray[np.bool_]
    harmful: npt.NDArray[np.bool_]
    accuracy: Floats


Way = Callable[[Table, Candidates, Codes, int], Codes]


def ours(table: Table, found: Candidates, order: Codes, reviewed: int) -> Codes:
    """The rows that are released: `order` (rows,) is random, the first candidates are reviewed."""
    known = np.zeros(len(order), dtype=bool)
    known[found.places[np.argsort(order[found.places])[:reviewed]]] = True
    wrong = known & (table.codes != table.true)
    reviews = Reviews(order, known, wrong, wrong & (table.suggested == table.true))
    return verify(found, reviews, excludes=False, risk=RISK, precision=None).released


def prototype(table: Table, found: Candidates, order: Codes, reviewed: int) -> Codes:
    """The same by the prototype, from candidates of its own."""
    drawn = np.argsort(order[found.places])[:reviewed]
    for share, risk in ((1.0, RISK * 0.6), (0.5, RISK * 0.4)):
        top = int(len(found.places) * share)
        inside = drawn[drawn < top]
        gains = table.gain[found.places[inside]]
        wealth = np.cumprod(1 + _BETS[:, None] * gains, axis=1).mean(axis=0)
        if len(inside) and wealth.max() >= 1 / risk:
            return np.delete(found.places[:top], inside)
    return np.zeros(0, dtype=np.int64)


def of_ours(table: Table) -> Candidates:
    """Our candidates."""
    return candidates(table.codes, table.probs, table.flagged, table.suggested)


def of_prototype(table: Table) -> Candidates:
    """The prototype's candidates, by quality."""
    places = np.flatnonzero((table.suggested != table.codes) & (table.quality < 0.5))
    places = places[np.argsort(table.quality[places], kind="stable")]
    return Candidates(places, np.zeros(len(places)), np.zeros(len(places)))


WAYS: dict[str, tuple[Callable[[Table], Candidates], Way]] = {
    "prototype": (of_prototype, prototype),
    "ours": (of_ours, ours),
}


def simulate(
    table: Table, way: str, reviewed: int, draws: int, generator: np.random.Generator
) -> Draws:
    """Review so many rows in each of some random orders, and correct what is released."""
    choose, release = WAYS[way]
    found = choose(table)
    released, harmful, accuracy = [], [], []
    for _ in range(draws):
        order = generator.permutation(len(table.codes))
        rows = release(table, found, order, reviewed)
        known = found.places[np.argsort(order[found.places])[:reviewed]]
        mended = table.gain[rows].sum() + (table.codes[known] != table.true[known]).sum()
        released.append(len(rows) > 0)
        harmful.append(table.gain[rows].sum() < 0)
        accuracy.append(table.accuracy + mended / len(table.codes))
    return Draws(np.array(released), np.array(harmful), np.array(accuracy))


def tables(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each table as people labelled it, with its true labels, and with 5 % of these changed."""
    for name, sql in DATA.items():
        rows = con.execute(f"SELECT text, label, true_label FROM ({sql})").df()
        yield name, rows
        yield f"{name}, true labels", rows.assign(label=rows.true_label)
        yield f"{name}, 5 % changed", rows.assign(label=changed(rows.true_label, 0.05, 0))


def line(name: str, table: Table, way: str, reviewed: int) -> str:
    """A line of the first table."""
    found = simulate(table, way, reviewed, DRAWS, np.random.default_rng(0))
    harm = binomtest(int(found.harmful.sum()), DRAWS).proportion_ci(method="exact").high
    mended = (found.accuracy.mean() - table.accuracy) * len(table.codes) / reviewed
    return (
        f"| {name} | {way} | {len(WAYS[way][0](table).places)} | {reviewed} "
        f"| {found.released.mean():.2f} | {found.harmful.mean():.3f} (at most {harm:.3f}) "
        f"| {table.accuracy:.3f} | {found.accuracy.mean():.3f} | {mended:.1f} |"
    )


def small(con: duckdb.DuckDBPyConnection, name: str, rows: pd.DataFrame, size: int) -> str:
    """A line of the second table: draws in which relabelling is worth it, 40 reviewed."""
    generator = np.random.default_rng(0)
    shares: dict[str, list[float]] = {way: [] for way in WAYS}
    harmed = dict.fromkeys(WAYS, 0)
    for seed in SMALL_SEEDS:
        table = judged(con, rows.sample(size, random_state=seed).reset_index(drop=True))
        worth = table.gain[of_ours(table).places].sum() / size
        for way in WAYS:
            found = simulate(table, way, 40, SMALL_DRAWS, generator)
            harmed[way] += int(found.harmful.sum())
            if worth >= WORTH_IT:
                shares[way].append(float(found.released.mean()))
    cells = " | ".join(
        f"{np.mean(shares[way]):.2f} | {harmed[way]}" if shares[way] else f"- | {harmed[way]}"
        for way in WAYS
    )
    return f"| {name} | {size} | {len(shares['ours'])} of {len(SMALL_SEEDS)} | {cells} |"


def main() -> None:
    """A line for each table, way and number of reviewed rows; then one for each size of draws."""
    lines = [
        f"| {DRAWS} draws each | | candidates | reviewed | released | did harm | given labels "
        "right | after | labels mended a reviewed row |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    with sqlfuncs.connect() as con:
        for name, rows in tables(con):
            table = judged(con, rows)
            lines += [line(name, table, way, n) for way in WAYS for n in REVIEWED]
        lines += [
            "",
            f"| {SMALL_DRAWS} orders each of draws of seeds {SMALL_SEEDS[0]} to {SMALL_SEEDS[-1]}, "
            f"40 reviewed | rows | worth it | released: {' | harmful | released: '.join(WAYS)} "
            "| harmful |",
            "|---|---|---|---|---|---|---|",
        ]
        for name, sql in DATA.items():
            rows = con.execute(f"SELECT text, label, true_label FROM ({sql})").df()
            lines += [small(con, name, rows, size) for size in SMALL]
    write("decisions", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main()
