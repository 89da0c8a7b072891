"""What a figure of average precision means: how many more people's labels find as much.

    SQLFUNCS_DATA=... SQLFUNCS_BENCH=... python -m benchmarks.worth

Each request has five people's votes (sudhof/politeness, Apache-2.0, in a folder of fetched
repositories). How people vote about a request is a point among the shares of the classes; where
these points lie is estimated from the votes (nonparametric maximum likelihood on a grid: Laird,
JASA 1978). From such points requests are drawn with votes, a given label and a true one, by the
rule of each table, and their labels are ranked by how likely they are wrong given some more votes.
The ceiling knows the point itself: no reader of the text can know more.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from itertools import pairwise

import duckdb
import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score

import sqlfuncs
from benchmarks.alternatives import DATA
from benchmarks.ambiguity import politeness
from benchmarks.pages import circumstances, refuse_fallback, write

PEOPLE = (0, 1, 2, 3, 5, 8, 12)
MODELS = ("fast", "best")
STEPS = 20  # of the grid, in each direction
ROUNDS = 500
DRAWN = 1_000_000
Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Drawn = tuple[Counts, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]
Rule = Callable[[Floats, np.random.Generator], Drawn]


def grid() -> Floats:
    """Shares of three classes: (points, 3)."""
    points = [(a, b, STEPS - a - b) for a in range(STEPS + 1) for b in range(STEPS + 1 - a)]
    return np.array(points) / STEPS


def weights(counts: Counts) -> Floats:
    """How often each point of the grid occurs, from the votes on items: (items, 3)."""
    likelihood = np.exp(counts @ np.log(np.maximum(grid(), 1e-9)).T)
    found = np.full(likelihood.shape[1], 1 / likelihood.shape[1])
    for _ in range(ROUNDS):
        parts = found * likelihood
        found = (parts / parts.sum(axis=1, keepdims=True)).mean(axis=0)
    return found


def votes(shares: Floats, people: int, random: np.random.Generator) -> Counts:
    """How many people call each item what: (items, 3)."""
    counts = np.zeros(shares.shape, dtype=np.int64)
    rows, below = np.arange(len(shares)), shares.cumsum(axis=1)
    for _ in range(people):
        said = (random.random(len(rows))[:, None] > below).sum(axis=1)
        counts[rows, said.clip(max=2)] += 1
    return counts


def one_against_four(shares: Floats, random: np.random.Generator) -> Drawn:
    """Wikipedia: one person's label, true is the strict plurality of four others."""
    given, four = votes(shares, 1, random).argmax(axis=1), votes(shares, 4, random)
    is_strict = (four == four.max(axis=1, keepdims=True)).sum(axis=1) == 1
    return given, given != four.argmax(axis=1), is_strict


def dissenters(counts: Counts, is_right: npt.NDArray[np.bool_]) -> Rule:
    """Blog: true is the plurality of five; by how they are split, the given label is it so often.

    `counts` and `is_right` (rows,) are the votes on its rows, and whether these were given that.
    """
    splits, split = np.unique(-np.sort(-counts, axis=1), axis=0, return_inverse=True)
    share = np.bincount(split, is_right) / np.bincount(split)

    def rule(shares: Floats, random: np.random.Generator) -> Drawn:
        five = votes(shares, 5, random)
        true = (five + random.random(five.shape)).argmax(axis=1)
        others = five.astype(np.float64)
        others[np.arange(len(true)), true] = 0
        below = (others / np.maximum(others.sum(axis=1, keepdims=True), 1)).cumsum(axis=1)
        other = (random.random(len(true))[:, None] > below).sum(axis=1).clip(max=2)
        own = -np.sort(-five, axis=1)
        likely = share[(own[:, None] == splits).all(axis=2).argmax(axis=1)]
        is_given = random.random(len(true)) < likely
        return np.where(is_given, true, other), ~is_given, np.ones(len(true), dtype=bool)

    return rule


def worth(counts: Counts, rule: Rule) -> list[float]:
    """Average precision by so many `PEOPLE` more, and by the shares themselves."""
    random = np.random.default_rng(0)
    places = random.choice(len(grid()), DRAWN, p=weights(counts))
    shares = grid()[places]
    given, wrong, kept = rule(shares, random)
    digits = np.array([1, 100, 10_000])
    known = [votes(shares, people, random) @ digits for people in PEOPLE]
    return [_average_precision((3 * what + given)[kept], wrong[kept]) for what in (*known, places)]


def _average_precision(known: Counts, wrong: npt.NDArray[np.bool_]) -> float:
    """Of ranking items by the share of wrong ones among those of which the same is known."""
    _, alike = np.unique(known, return_inverse=True)
    share = np.bincount(alike, wrong) / np.bincount(alike)
    return float(average_precision_score(wrong, share[alike]))


def as_people(reached: float, by_people: list[float]) -> float:
    """How many more people's labels find as much."""
    for (fewer, low), (more, high) in pairwise(zip(PEOPLE, by_people, strict=True)):
        if reached < high:
            return fewer + (more - fewer) * (reached - low) / (high - low)
    return float(PEOPLE[-1])


def ours(con: duckdb.DuckDBPyConnection, name: str, model: str) -> float:
    """Average precision of label_quality."""
    con.execute(f"CREATE OR REPLACE TABLE train AS {DATA[name]}")
    found = con.execute(f"FROM label_issues(train, text, label, model := '{model}')").df()
    return float(average_precision_score(found.label != found.true_label, -found.label_quality))


def voted(con: duckdb.DuckDBPyConnection, name: str) -> tuple[Counts, Rule]:
    """The five votes on each text, and the rule by which labels were made of such votes.

    Of wikipedia's whole corpus, from which the rule chose, and of the rows of blog.
    """

    def letters(text: object) -> str:
        return re.sub(r"\W+", " ", str(text)).strip().lower()

    table, counts = politeness("wikipedia")
    if name == "wikipedia":
        return counts, one_against_four
    by_text = dict(zip(map(letters, table["Request"]), counts, strict=True))
    rows = con.execute(DATA[name]).df()
    found = np.stack([by_text[letters(text)] for text in rows.text])
    return found, dissenters(found, (rows.label == rows.true_label).to_numpy())


def main() -> int:
    """Print the table."""
    refuse_fallback("benchmarks.worth")
    titles = [f"{people} more" if people else "nobody" for people in PEOPLE]
    models = " | ".join(f"`{model}`, in people" for model in MODELS)
    lines = [
        f"| average precision by votes of | {' | '.join(titles)} | ceiling | {models} |",
        "|---|" + "---|" * (len(PEOPLE) + 1 + len(MODELS)),
    ]
    with sqlfuncs.connect() as con:
        for name in ("wikipedia", "blog"):
            *by_people, ceiling = worth(*voted(con, name))
            cells = [f"{each:.3f}" for each in (*by_people, ceiling)]
            for model in MODELS:
                reached = ours(con, name, model)
                cells.append(f"{reached:.3f}, {as_people(reached, by_people):.1f}")
            lines.append(f"| {name} | {' | '.join(cells)} |")
    write("worth", "\n".join([*lines, "", circumstances()]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
