"""Wrong labels among rows that are equal: repeated texts, few categories, fields that interact.

    python -m benchmarks.copies

Beside `label_issues` stand the commonest label of the rows of one content, as SQL's
`mode(label) OVER (PARTITION BY x)` gives it, and cleanlab's plain recipe: 5 folds of a random
forest on the categories (of a logistic regression on TF-IDF for texts) and `find_label_issues`.
The tables are drawn with seeds that took no part in setting any constant.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from cleanlab.filter import find_label_issues
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.preprocessing import OneHotEncoder

import sqlfuncs
from benchmarks.pages import ROOT, circumstances, write

SEEDS = range(500, 502)
ERRORS = 0.05
Drawn = tuple[pd.DataFrame, list[str]]


def _mislabeled(table: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """The table with `label`: the truth, but for a share of the rows."""
    names = sorted(table.truth.unique())
    wrong = random.random(len(table)) < ERRORS
    others = [random.choice([n for n in names if n != t] or ["odd"]) for t in table.truth]
    return table.assign(label=np.where(wrong, others, table.truth), id=range(len(table)))


def _texts(random: np.random.Generator, count: int) -> pd.DataFrame:
    sample = pd.read_csv(ROOT / "data" / "support_requests.csv").drop_duplicates("text")
    some = sample.sample(count, random_state=int(random.integers(2**31)))
    return pd.DataFrame({"text": some.text, "truth": some.true_label}).reset_index(drop=True)


def repeated_texts(random: np.random.Generator) -> Drawn:
    """40 texts, 20 times each."""
    return _texts(random, 40).loc[np.repeat(np.arange(40), 20)].reset_index(drop=True), ["text"]


def zipf(random: np.random.Generator) -> Drawn:
    """1,500 rows of 220 texts, a few of them very common."""
    shares = 1 / np.arange(1, 221)
    at = random.choice(220, 1500, p=shares / shares.sum())
    return _texts(random, 220).loc[at].reset_index(drop=True), ["text"]


def one_field(values: int) -> Callable[[np.random.Generator], Drawn]:
    """900 rows of one categorical field of so many values, which belong to three classes."""

    def draw(random: np.random.Generator) -> Drawn:
        of_value = random.permutation(np.arange(values) % 3)
        at = random.integers(values, size=900)
        return pd.DataFrame(
            {"v": [f"value {n}" for n in at], "truth": [f"class {of_value[n]}" for n in at]}
        ), ["v"]

    return draw


def xor(values: int, fields: int, noise: bool) -> Callable[[np.random.Generator], Drawn]:
    """800 rows whose class is whether the sum of some numbers is even."""

    def draw(random: np.random.Generator) -> Drawn:
        numbers = random.integers(values, size=(800, fields))
        table = pd.DataFrame(numbers, columns=[f"f{at}" for at in range(fields)])
        if noise:
            table["noise"] = random.random(800)
        names = list(table.columns)
        return table.assign(truth=np.where(numbers.sum(axis=1) % 2, "odd", "even")), names

    return draw


def identical(random: np.random.Generator) -> Drawn:
    """300 rows of one text, of which a few are called otherwise."""
    return pd.DataFrame({"text": ["the same text"] * 300, "truth": ["usual"] * 300}), ["text"]


TABLES: dict[str, Callable[[np.random.Generator], Drawn]] = {
    "40 texts, 20 times each": repeated_texts,
    "1,500 rows of 220 texts, Zipf": zipf,
    **{f"one field of {n} values": one_field(n) for n in (6, 15, 60, 150)},
    **{f"XOR of two fields of {n} values": xor(n, 2, False) for n in (2, 4, 8)},
    **{f"the same of {n}, and a column of noise": xor(n, 2, True) for n in (4, 8)},
    "XOR of three fields of 3 values": xor(3, 3, False),
    "300 rows of one text": identical,
}


def ours(table: pd.DataFrame, fields: list[str]) -> np.ndarray:
    """What `label_issues` flags."""
    x = "text" if fields == ["text"] else "{" + ", ".join(f"{f}: {f}" for f in fields) + "}"
    with sqlfuncs.connect() as con:
        con.register("given", table)
        found = con.execute(f"SELECT is_label_issue FROM label_issues(given, {x}, label)")
        return np.array([flag for (flag,) in found.fetchall()], dtype=bool)


def majority(table: pd.DataFrame, fields: list[str]) -> np.ndarray:
    """Rows that are not called what most rows of their content are."""
    most = table.groupby(fields).label.transform(lambda labels: labels.mode().iloc[0])
    return (most != table.label).to_numpy()


def cleanlabs(table: pd.DataFrame, fields: list[str]) -> np.ndarray | None:
    """What a user would write; None where it fails, with too few labels of a class for a fold."""
    codes = np.unique(table.label, return_inverse=True)[1]
    if fields == ["text"]:
        view, model = TfidfVectorizer().fit_transform(table.text), LogisticRegression()
    else:
        view = OneHotEncoder().fit_transform(table[[f for f in fields if f != "noise"]])
        model = RandomForestClassifier(random_state=0)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            probs = cross_val_predict(model, view, codes, cv=folds, method="predict_proba")
        except ValueError:
            return None
        flags: np.ndarray = find_label_issues(codes, probs, n_jobs=1)
    return flags


def main() -> None:
    """Print the sums over the seeds."""
    lines = [
        "| flagged, of these right; sums of seeds 500 and 501 | rows | wrong | `label_issues` "
        "| majority of the copies | cleanlab's recipe |",
        "|---|---|---|---|---|---|",
    ]
    for name, draw in TABLES.items():
        rows, errors, cells, failed = 0, 0, np.zeros((3, 2), dtype=int), 0
        for seed in SEEDS:
            random = np.random.default_rng(seed)
            drawn, fields = draw(random)
            table = _mislabeled(drawn, random)
            wrong = (table.label != table.truth).to_numpy()
            rows, errors = rows + len(table), errors + int(wrong.sum())
            for place, way in enumerate((ours, majority, cleanlabs)):
                if way is majority and "noise" in fields:
                    continue
                flags = way(table, fields)
                if flags is None:
                    failed += 1
                    continue
                cells[place] += [flags.sum(), (flags & wrong).sum()]
        told = [f"{flagged}, {right}" for flagged, right in cells]
        told[2] = "it fails" if failed else told[2]
        if "noise" in name:
            told[1] = "-"
        lines.append(f"| {name} | {rows} | {errors} | {' | '.join(told)} |")
    write("copies", "\n".join([*lines, "", circumstances()]))


if __name__ == "__main__":
    main()
