"""What networks learn: the loss of a row, and what is predicted of it. Uses torch.

By the names of losses in a recipe. Classes: `cross_entropy`; tags, each by itself:
`binary_cross_entropy`; a number: `smooth_l1`, to which what is far out counts by its distance alone
(Girshick: Fast R-CNN, ICCV 2015, section 2.3).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch.nn import functional


class Objective(ABC):
    """A loss, and the predictions it leads to."""

    @abstractmethod
    def losses(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Of each row, (rows,), 0 or more; `logits` (rows, width)."""

    @abstractmethod
    def predictions(self, logits: torch.Tensor) -> torch.Tensor:
        """What is said of rows: (rows, width)."""


class Classes(Objective):
    """One class of a few: targets (rows,) are their codes."""

    def losses(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """See `Objective`."""
        return functional.cross_entropy(logits, targets, reduction="none")

    def predictions(self, logits: torch.Tensor) -> torch.Tensor:
        """Probabilities, each row summing to 1."""
        return logits.softmax(dim=1)


class Tags(Objective):
    """Any number of tags: targets (rows, tags) are 0 or 1."""

    def losses(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """See `Objective`."""
        of_each = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        return of_each.mean(dim=1)

    def predictions(self, logits: torch.Tensor) -> torch.Tensor:
        """A probability of each tag."""
        return logits.sigmoid()


class Number(Objective):
    """A number: targets (rows, 1)."""

    def losses(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """See `Objective`."""
        return functional.smooth_l1_loss(logits, targets, reduction="none").mean(dim=1)

    def predictions(self, logits: torch.Tensor) -> torch.Tensor:
        """The number."""
        return logits


OBJECTIVES: Mapping[str, Objective] = MappingProxyType(
    {"cross_entropy": Classes(), "binary_cross_entropy": Tags(), "smooth_l1": Number()}
)
