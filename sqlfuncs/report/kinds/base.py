"""What is different in a report on labels of another kind. Knows no engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Protocol

from sqlfuncs.report.kinds.scores import Score

if TYPE_CHECKING:
    from sqlfuncs.report.findings import Findings
    from sqlfuncs.report.source import Figure


class Run(Protocol):
    """Runs a SQL file of the report, with parameters beside those that all have."""

    def __call__(self, name: str, /, **given: str) -> Figure:
        """What it shows."""


class LabelKind(ABC):
    """Labels of one task: which SQL files tell how healthy they are, and what that says.

    `template` shows their figures. `given` are parameters of all SQL files; `beside` are columns of
    `label_issues` that stand beside a doubtful label, by what is read above them.
    `score` is by what models are measured, `corrects_scores` whether it can be corrected for wrong
    test labels, `is_trained` whether models are trained on these labels.
    """

    task: ClassVar[str]
    template: ClassVar[str]
    given: ClassVar[Mapping[str, str]] = MappingProxyType({})
    beside: ClassVar[Mapping[str, str]] = MappingProxyType({})
    score: ClassVar[Score]
    corrects_scores: ClassVar[bool] = False
    is_trained: ClassVar[bool] = True

    @abstractmethod
    def gather(self, run: Run, *, is_sampled: bool) -> None:
        """Run them. `is_sampled`: whether enough rows drawn at random are decided."""

    @abstractmethod
    def flagged(self, found: Findings) -> str:
        """What the flagged labels are, after their number."""

    @abstractmethod
    def in_short(self, found: Findings) -> str:
        """How healthy the labels are, in a sentence or two."""

    @abstractmethod
    def charts(self, found: Findings) -> Mapping[str, object]:
        """What the template draws, by the names that it has for it."""
