"""By what a model is measured that was trained on labels: in which column, and in which words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from sqlfuncs.charts import shapes
from sqlfuncs.report import words

Row = Mapping[str, float]


class Score(ABC):
    """A figure of `evaluate`: `column`, with `column`_low and `column`_high beside it.

    `named` is what it is called above a table and in a chart, `test` that of two of them,
    `less` what is gained.
    """

    column: ClassVar[str]
    named: ClassVar[str]
    test: ClassVar[str]
    less: ClassVar[str]

    def value(self, row: Row) -> str:
        """The figure."""
        return self.text(row[self.column])

    def shown(self, row: Row) -> str:
        """The figure, with its interval."""
        return f"{self.value(row)} ({self.between(row)})"

    @abstractmethod
    def text(self, value: float) -> str:
        """A figure of that column."""

    @abstractmethod
    def between(self, row: Row) -> str:
        """The ends of its interval."""

    @abstractmethod
    def difference(self, row: Row) -> str:
        """What a row of `compare_models` says of two models, with its interval."""

    @abstractmethod
    def card(self, tested_on: float) -> str:
        """What the figure is, after it."""

    @abstractmethod
    def said(self, row: Row) -> str:
        """What a model does, in a sentence."""

    @abstractmethod
    def as_control(self, row: Row) -> str:
        """What the first of two models, of `compare_models`, would have been."""

    def gone(self, share: float) -> str:
        """How much of the errors is gone."""
        return f"{words.percent(share, 0)} {self.less}"

    @abstractmethod
    def chart(self, rows: Mapping[str, Row]) -> shapes.Spans | None:
        """Figures with their intervals, by the names of the labels trained on."""


class Accuracy(Score):
    """The share of test rows that are right."""

    column = "accuracy"
    named = "accuracy"
    test = "McNemar’s test"
    less = "fewer errors"

    def text(self, value: float) -> str:
        """See `Score`."""
        return words.percent(value)

    def between(self, row: Row) -> str:
        """See `Score`."""
        return words.between(row["accuracy_low"], row["accuracy_high"])

    def difference(self, row: Row) -> str:
        """See `Score`."""
        return words.difference(row)

    def card(self, tested_on: float) -> str:
        """See `Score`."""
        return f"of {words.some(tested_on, 'test row')} right"

    def said(self, row: Row) -> str:
        """See `Score`."""
        return f"is right on {self.value(row)} of {row['n']:,} test rows ({self.between(row)})"

    def as_control(self, row: Row) -> str:
        """See `Score`."""
        return f"right on about {self.text(row['accuracy_before'])}"

    def chart(self, rows: Mapping[str, Row]) -> shapes.Spans | None:
        """See `Score`."""
        return shapes.spans(
            [
                (name, row["accuracy"], row["accuracy_low"], row["accuracy_high"])
                for name, row in rows.items()
            ]
        )


class Error(Score):
    """By how much predictions are off in the mean, in the unit of the labels."""

    column = "mae"
    named = "mean absolute error"
    test = "paired z test"
    less = "less error"

    def text(self, value: float) -> str:
        """See `Score`."""
        return words.cell(float(value))

    def between(self, row: Row) -> str:
        """See `Score`."""
        return f"{self.text(row['mae_low'])} to {self.text(row['mae_high'])}"

    def difference(self, row: Row) -> str:
        """See `Score`."""
        value, low, high = (
            self.text(row[name]) for name in ("difference", "difference_low", "difference_high")
        )
        return f"{'+' if row['difference'] > 0 else ''}{value} ({low} to {high})"

    def card(self, tested_on: float) -> str:
        """See `Score`."""
        return f"off in the mean, on {words.some(tested_on, 'test row')}"

    def said(self, row: Row) -> str:
        """See `Score`."""
        return (
            f"is off by {self.value(row)} in the mean on {row['n']:,} test rows "
            f"({self.between(row)})"
        )

    def as_control(self, row: Row) -> str:
        """See `Score`."""
        return f"off by about {self.text(row['mae_before'])}"

    def chart(self, rows: Mapping[str, Row]) -> shapes.Spans | None:
        """See `Score`."""
        return shapes.spans(
            [(name, row["mae"], row["mae_low"], row["mae_high"]) for name, row in rows.items()],
            shapes.Plain(),
        )
