"""What networks learn: the loss of a row, and what is predicted of it. Uses torch.

By the names of losses in a recipe. Classes: `cross_entropy`; tags, each by itself:
`binary_cross_entropy`; a number: `smooth_l1`, to which what is far out counts by its distance alone
(Girshick: Fast R-CNN, ICCV 2015, section 2.3); a class of each word: `cross_entropy_of_words`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import torch
from torch.nn import functional

NO_LABEL = -100  # the target of a token that is not the first one of a word with a label


class Objective(ABC):
    """A loss, and the predictions it leads to.

    Of one that `is_of_tokens` both have a dimension more, that of tokens, after the rows.
    """

    is_of_tokens: ClassVar[bool] = False

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


class Words(Objective):
    """A class of each word: targets (rows, tokens) are their codes, or `NO_LABEL`."""

    is_of_tokens = True

    def losses(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """See `Objective`: the mean over the words of a row."""
        of_each = functional.cross_entropy(
            logits.transpose(1, 2), targets, ignore_index=NO_LABEL, reduction="none"
        )
        return of_each.sum(dim=1) / (targets != NO_LABEL).sum(dim=1).clamp(min=1)

    def predictions(self, logits: torch.Tensor) -> torch.Tensor:
        """Probabilities of each token, summing to 1."""
        return logits.softmax(dim=-1)


OBJECTIVES: Mapping[str, Objective] = MappingProxyType(
    {
        "cross_entropy": Classes(),
        "binary_cross_entropy": Tags(),
        "smooth_l1": Number(),
        "cross_entropy_of_words": Words(),
    }
)
