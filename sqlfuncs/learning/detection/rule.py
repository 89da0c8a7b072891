"""The rule by which the rows of a table are scored and flagged, for rows that come later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.detection import confident, noise
from sqlfuncs.learning.detection.certainty import mean_self_confidence
from sqlfuncs.learning.detection.confident import NOISE_CORRECTED, Floats, Found, Mask
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.wording import Option

_BY_CLASS = "prune_by_class"
# Those that compare a row with nothing but what was learned.
CUTS = ("auto", NOISE_CORRECTED, _BY_CLASS, "predicted_neq_given")


def check_cut(cut: str) -> None:
    """Raise BadOption for a cut that compares the rows of a table with each other."""
    if cut not in CUTS:
        raise BadOption(
            f"{Option('cut', cut)} compares the rows of a table with each other, and a judge is "
            f"for rows that come one by one. It keeps {', '.join(map(repr, CUTS))}."
        )


@dataclass(frozen=True)
class Rule:
    """Scores by `method`, flags by `cut`: see `confident.find`. Each row by itself.

    `correction` is that of the table's noise, where score or flags go by it; `limits` (classes,)
    the highest self-confidence of a row of each class that was pruned, -1 where none was; `usual`
    (classes,) the mean self-confidence, unknown of a judge that was kept before there was one.
    """

    cut: str
    method: str
    correction: noise.Correction | None
    limits: Floats | None
    usual: Floats | None = None

    @classmethod
    def learn(cls, codes: Codes, probs: Floats, cut: str, method: str) -> Rule:
        """From the given classes and probabilities of a table's judged rows.

        Raises BadOption as `check_cut`.
        """
        check_cut(cut)
        seen = noise.evidence(codes, probs)
        cut = confident.choose_cut(seen) if cut == "auto" else cut
        method = NOISE_CORRECTED if method == "auto" else method
        correction = None
        if NOISE_CORRECTED in (cut, method):
            correction = noise.correction(codes, probs, seen)
        limits = None
        if cut == _BY_CLASS:
            flagged = confident.filtered(codes, probs, cut)
            limits = np.full(probs.shape[1], -1.0)
            np.maximum.at(limits, codes[flagged], probs[flagged, codes[flagged]])
        return cls(cut, method, correction, limits, mean_self_confidence(codes, probs))

    def find(self, codes: Codes, probs: Floats, wrong: Mask | None = None) -> Found:
        """Score and flag rows: their given classes (rows,), and probabilities (rows, classes).

        Rows that are known to be `wrong` are flagged in any case.
        """
        known = np.zeros(len(codes), dtype=bool) if wrong is None else wrong
        return confident.found(
            codes, probs, self.method, self.correction, self._flags(codes, probs), known
        )

    def state(self) -> tuple[dict[str, object], dict[str, Floats]]:
        """Values for JSON and arrays from which `restore` makes it again."""
        about: dict[str, object] = {"cut": self.cut, "method": self.method}
        arrays = {}
        if self.correction is not None:
            arrays["transition"] = self.correction.transition
            about["powers"] = [self.correction.of_true, self.correction.of_model]
        if self.limits is not None:
            arrays["limits"] = self.limits
        if self.usual is not None:
            arrays["usual"] = self.usual
        return about, arrays

    @classmethod
    def restore(cls, about: Mapping[str, Any], arrays: Mapping[str, Floats]) -> Rule:
        """What `state` gave."""
        correction = None
        if "transition" in arrays:
            correction = noise.Correction(arrays["transition"], *about["powers"])
        limits, usual = arrays.get("limits"), arrays.get("usual")
        return cls(about["cut"], about["method"], correction, limits, usual)

    def _flags(self, codes: Codes, probs: Floats) -> Mask | None:
        if self.cut == NOISE_CORRECTED:
            return None
        flags: Mask = confident.filtered(codes, probs, "predicted_neq_given")
        if self.limits is not None:
            flags &= probs[np.arange(len(codes)), codes] <= self.limits[codes]
        return flags
