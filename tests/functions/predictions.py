"""Random truths and predictions, for the functions that evaluate."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

NAMES = ["it's", "B b", "", "ä", "🎈", "10", "9", "\n"]
MISSING = "(no prediction)"  # what scikit-learn is told for NULL

Labels = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Case:
    """Labels of rows, None for NULL; some classes may never be true or never predicted."""

    actual: Labels
    predicted: Labels

    @property
    def known(self) -> tuple[list[str], list[str]]:
        """The rows with a true label, as scikit-learn takes them."""
        keep = [i for i, label in enumerate(self.actual) if label is not None]
        return (
            [self.actual[i] for i in keep],
            [MISSING if self.predicted[i] is None else self.predicted[i] for i in keep],
        )

    @property
    def classes(self) -> list[str]:
        """The classes that are true or predicted in a row with a true label."""
        actual, predicted = self.known
        return sorted({*actual, *predicted} - {MISSING})


def random_case(seed: int, rows: int, classes: int, nulls: float = 0.1) -> Case:
    """At least one row has a true label, and is predicted right: labels that share no value with
    predictions are an error.
    """
    random = np.random.default_rng(seed)
    names = np.array(NAMES[:classes], dtype=object)
    actual = names[random.choice(classes, rows, p=random.dirichlet(np.full(classes, 0.5)))]
    guesses = names[random.choice(classes, rows, p=random.dirichlet(np.full(classes, 0.5)))]
    predicted = np.where(random.random(rows) < random.random(), actual, guesses)
    actual[random.random(rows) < nulls] = None
    predicted[random.random(rows) < nulls] = None
    actual[0] = predicted[0] = names[0]
    return Case(actual, predicted)


def load(con: duckdb.DuckDBPyConnection, case: Case) -> None:
    """The table `t` with the columns actual and predicted, of VARCHAR."""
    frame = pd.DataFrame({"actual": case.actual, "predicted": case.predicted}, dtype=object)
    con.register("frame", frame)
    con.execute(
        "CREATE OR REPLACE TABLE t AS SELECT actual::VARCHAR AS actual, "
        "predicted::VARCHAR AS predicted FROM frame"
    )
    con.unregister("frame")


class Guesser:
    """A volatile SQL function `guess(text)` that counts how often it is asked."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.calls = 0
        text = duckdb.sqltype("VARCHAR")
        con.create_function("guess", self._guess, [text], text, side_effects=True)

    def _guess(self, text: str) -> str:
        self.calls += 1
        return text if self.calls % 3 else "other"
