"""The rule for rows of a large table whose copies are counted: learned from a sample of it.

Contents are drawn with all of their rows. So a sample tells how much the labels of copies say
beside a model's word, and what the noise is like where both are reckoned with (`models.copies`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.detection.rule import Rule
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.models.copies import Copies

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_ABOUT, _ARRAYS = "copies.json", "copies.safetensors"


@dataclass(frozen=True)
class CopiesRule:
    """How many copies a model's word is worth, and the `rule` for what comes of both.

    `shares` (classes,) are how common the classes are. Where copies are `believed`, a row that
    surely most of its copies call otherwise is flagged.
    """

    prior_strength: float
    shares: Floats
    rule: Rule
    believed: bool

    @classmethod
    def learn(
        cls,
        keys: Sequence[bytes],
        codes: Codes,
        probs: Floats,
        shares: Floats,
        cut: str,
        method: str,
    ) -> CopiesRule | None:
        """From digests of the contents of a sample's rows, which all have a label, (rows,).

        `probs` (rows, classes) are out of sample. None where no row has a copy.
        """
        copies = Copies.of(keys, codes, probs.shape[1])
        if not len(copies.rows):
            return None
        strength = copies.prior_strength(probs)
        rule = Rule.learn(codes, copies.judge(probs, strength), cut, method)
        return cls(strength, shares, rule, cut == "auto")

    def judge(
        self, codes: Codes, probs: Floats, unseen: Mask, counts: Floats
    ) -> tuple[Floats, Mask, Mask]:
        """Probabilities, (rows, classes), which rows are `unseen` still, and which are outvoted.

        Of rows of the classes `codes` (rows,), -1 for none; `counts` as for `Judge.judge`.
        """
        others = counts.sum(axis=1) - (codes >= 0)
        rows = np.flatnonzero(others > 0)
        copies = Copies(rows, np.arange(len(rows)), codes[rows], counts[rows], 0.0, len(codes))
        has_copies = others > 0
        unknown = has_copies & (unseen | ~probs.any(axis=1))
        probs = np.where(unknown[:, None], self.shares, probs)
        judged = copies.judge(probs, self.prior_strength)
        outvoted = copies.outvoted() & (judged.argmax(axis=1) != codes)
        return judged, unseen & ~has_copies, outvoted & self.believed

    def to_files(self) -> dict[str, bytes]:
        """Everything needed to load it again: JSON and safetensors."""
        from safetensors.numpy import save

        about, arrays = self.rule.state()
        about |= {"prior_strength": self.prior_strength, "believed": self.believed}
        arrays["shares"] = self.shares
        packed = {name: np.ascontiguousarray(each) for name, each in arrays.items()}
        return {_ABOUT: json.dumps(about).encode(), _ARRAYS: save(packed)}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> CopiesRule | None:
        """What `to_files` gave; None where there was none."""
        from safetensors.numpy import load

        if _ABOUT not in files:
            return None
        about, arrays = json.loads(files[_ABOUT]), load(files[_ARRAYS])
        return cls(
            about["prior_strength"],
            arrays["shares"],
            Rule.restore(about, arrays),
            about["believed"],
        )
