"""What a training comes to. Imports nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """The files of a trained model, and its accuracy on rows that it did not see.

    That accuracy, 0 to 1, is measured against the labels given; None where rows were too few.
    """

    files: Mapping[str, bytes]
    accuracy: float | None
