"""Fields with free text: how several texts are read, and what stands beside them is weighed.

    SQLFUNCS_DATA=... python -m benchmarks.mixed_fields

Texts are cut in two: after half of their words, and after the first sentence; or another row's text
stands beside them, which tells nothing. Numbers and categories beside them are made here: such as
tell the true label in part, whatever the text says, such as tell nothing, and such as are made of
the text. Figures are average precisions of wrong labels. It was all chosen on these tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any
from unittest import mock

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import hstack
from sklearn.metrics import average_precision_score

import sqlfuncs
from benchmarks.alternatives import DATA
from benchmarks.pages import circumstances, write
from benchmarks.votes import scripted
from sqlfuncs.learning.detection import confident
from sqlfuncs.learning.features import heads
from sqlfuncs.learning.features.field_texts import FieldTexts
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.models import fast
from sqlfuncs.learning.models.class_target import ClassTarget
from sqlfuncs.learning.models.folds import fold_numbers
from sqlfuncs.learning.models.pooling import Pool
from sqlfuncs.learning.rows.normalized_text import letters

Floats = npt.NDArray[np.float64]
PARTS = ("part 1", "part 2")  # of what the encoder says
EACH, ALL = ("one", "other"), ("one", "other", "whole")
_SENTENCE = re.compile(r"[.!?]\s+")


def half(text: str) -> tuple[str, str]:
    """A text after half of its words."""
    words = text.split()
    middle = (len(words) + 1) // 2
    return " ".join(words[:middle]), " ".join(words[middle:])


def sentence(text: str) -> tuple[str, str]:
    """A text after its first sentence: the rest may be nothing."""
    end = _SENTENCE.search(text)
    return (text[: end.end()].strip(), text[end.end() :]) if end else (text, "")


class Views:
    """Views by what they are, each a linear head's, and what these say out of sample."""

    def __init__(self, rows: pd.DataFrame, views: Mapping[str, Any]) -> None:
        """Rows with the columns text, label and true_label."""
        names = sorted(rows.label.unique())
        self.codes = np.array([names.index(label) for label in rows.label], dtype=np.int64)
        self.wrong = (rows.label != rows.true_label).to_numpy()
        keys = [sha256(letters(text).encode()).digest() for text in rows.text]
        cuts = [fold_numbers(keys, self.codes, 5, f"0.{cut}") for cut in range(3)]
        said: list[Floats] = []

        def keep(predictions: Sequence[Floats]) -> Pool:
            said.extend(predictions)
            return Pool.even(len(predictions))

        target = ClassTarget(self.codes, len(names))
        fast.cross_predict(self, list(views.values()), target, np.stack(cuts), None, keep)
        self.said = dict(zip(views, said, strict=True))

    def fit_head(self, place: int, view: Any, codes: Codes, n_classes: int) -> heads.Head:
        """As a head on texts is fitted."""
        return heads.fit(view, codes, n_classes, 0.5)

    def precision(self, names: Sequence[str]) -> float:
        """Of the heads on these views, pooled."""
        predictions = [self.said[name] for name in names]
        probs = Pool.learn(predictions, self.codes)(predictions)
        nobody = np.zeros(len(probs), dtype=bool)
        found = confident.find(self.codes, probs, "auto", "auto", nobody)
        return float(average_precision_score(self.wrong, -found.quality))


def views_of(one: Sequence[str], other: Sequence[str]) -> dict[str, Any]:
    """Every view of two texts of each row that is tried."""
    _, learned = FieldTexts.learn([("one", one), ("other", other)], "fast")
    names = [f"{view}, {of}" for of in ALL for view in ("words", *PARTS)]
    views = dict(zip(names, learned, strict=True))
    views["words, beside"] = hstack([views["words, one"], views["words, other"]]).tocsr()
    for part in PARTS:
        views[f"{part}, beside"] = np.hstack([views[f"{part}, one"], views[f"{part}, other"]])
    return views


def heads_on(words: Sequence[str], meaning: Sequence[str]) -> list[str]:
    """The names of some views."""
    parts = [f"{part}, {name}" for name in meaning for part in PARTS]
    return [*(f"words, {name}" for name in words), *parts]


WAYS = {
    "as one text": heads_on(["whole"], ["whole"]),
    "words side by side, meaning as one": heads_on(["beside"], ["whole"]),
    "words and meaning side by side": heads_on(["beside"], ["beside"]),
    "each by itself": heads_on(EACH, EACH),
    "each, and as one": heads_on(ALL, ALL),
}


def reading(name: str, rows: pd.DataFrame) -> Iterator[str]:
    """A line for each way to cut the texts."""
    shuffled = rows.text.sample(frac=1, random_state=0).tolist()
    pairs = {
        "two halves": [half(text) for text in rows.text],
        "first sentence, the rest": [sentence(text) for text in rows.text],
        "the text, and another row's": list(zip(rows.text, shuffled, strict=True)),
    }
    for how, texts in pairs.items():
        views = Views(rows, views_of([one for one, _ in texts], [other for _, other in texts]))
        found = " | ".join(f"{views.precision(way):.3f}" for way in WAYS.values())
        yield f"| {name} | {how} | {found} |"


def fields_of(rows: pd.DataFrame, predicted: pd.Series) -> Mapping[str, pd.DataFrame]:
    """What stands beside the text, by what it is."""
    generator = np.random.default_rng(0)
    text, count = rows.text, len(rows)
    codes = rows.true_label.astype("category").cat.codes.to_numpy()
    telling = pd.DataFrame(
        {"n": codes + generator.normal(size=count), "c": scripted(rows.true_label, 0.7)}
    )
    nothing = pd.DataFrame(generator.normal(size=(count, 4))).add_prefix("n")
    for values in (2, 5, 20, 100):
        nothing[f"c{values}"] = [f"kind {each}" for each in generator.integers(values, size=count)]
    of_text = {
        "long": text.str.len(),
        "asks": text.str.count(r"\?"),
        "caps": text.str.count("[A-Z]"),
    }
    return {
        "a category, right in .70": telling[["c"]],
        "that, a number, and eight that tell nothing": pd.concat([telling, nothing], axis=1),
        "eight that tell nothing": nothing,
        "length, question marks, capitals": pd.DataFrame(of_text),
        "what the text's heads predict": pd.DataFrame({"p": predicted}),
    }


def precision(con: duckdb.DuckDBPyConnection, x: str) -> float:
    """Of `label_issues` on the table `train`."""
    found = con.execute(f"FROM label_issues(train, {x}, label)").df()
    wrong = (found.label != found.true_label).to_numpy()
    return float(average_precision_score(wrong, -found.label_quality))


def beside(con: duckdb.DuckDBPyConnection, name: str, rows: pd.DataFrame) -> Iterator[str]:
    """A line for each kind of fields."""
    con.register("train", rows)
    predicted = con.execute("SELECT predicted_label FROM label_issues(train, text, label)").df()
    yield (
        f"| {name} | nothing | | | {precision(con, '{text: text}'):.3f} "
        f"| {precision(con, 'text'):.3f} |"
    )
    for what, fields in fields_of(rows, predicted.predicted_label).items():
        con.register("train", pd.concat([rows, fields], axis=1))
        others = ", ".join(f"{column}: {column}" for column in fields)
        alone, mixed = precision(con, f"{{{others}}}"), f"{{text: text, {others}}}"
        with mock.patch.object(ClassTarget, "pool_beside", ClassTarget.pool):
            averaged = precision(con, mixed)
        yield (
            f"| {name} | {what} | {alone:.3f} | {averaged:.3f} | {precision(con, mixed):.3f} | |"
        )


def main() -> None:
    """Two tables."""
    read = [f"| | fields | {' | '.join(WAYS)} |", "|---|---|" + "---|" * len(WAYS)]
    mixed = [
        "| | beside the text | these alone | averaged | multiplied | the text alone |",
        "|---|---|---|---|---|---|",
    ]
    with sqlfuncs.connect() as con:
        for name, sql in DATA.items():
            rows = con.execute(f"SELECT text, label, true_label FROM ({sql})").df()
            read += reading(name, rows)
            mixed += beside(con, name, rows)
    write("mixed_fields", "\n".join([*read, "", *mixed, "", circumstances()]))


if __name__ == "__main__":
    main()
