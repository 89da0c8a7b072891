"""A judge: what label_issues learned of a table, kept for the rows that come later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.detection.confident import Found
from sqlfuncs.learning.detection.judged import Judged
from sqlfuncs.learning.detection.noise import Correction
from sqlfuncs.learning.detection.rule import Rule
from sqlfuncs.learning.labels.labels import Labels, as_classes
from sqlfuncs.learning.models.cross_fitted import CrossFitted
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import Reasons, is_usable
from sqlfuncs.store.manifests import ModelRecord
from sqlfuncs.wording import Option

_ABOUT, _NOISE = "judge.json", "judge.safetensors"


@dataclass(frozen=True)
class Judge:
    """The models of a table's rows, its `classes`, whose labels are of a `kind`, and the rule.

    Each row is judged by itself: whatever stands beside it, the same is said of it. Its copies take
    no part. `reads` names the kind of rows, `rows` are how many were judged; `agreement` is the
    share of their labels that models which did not see them give, too.
    """

    models: CrossFitted
    classes: tuple[str, ...]
    kind: str
    rule: Rule
    reads: str
    rows: int
    agreement: float

    @classmethod
    def of(cls, judged: Judged, cut: str, method: str) -> Judge:
        """Of a table whose judging kept its models. Raises BadOption for a cut of whole tables."""
        assert judged.fitted is not None
        codes, probs = judged.evidence
        return cls(
            judged.fitted,
            judged.classes,
            judged.labels.kind,
            Rule.learn(codes, probs, cut, method),
            judged.kind.kind,
            len(codes),
            float((probs.argmax(axis=1) == codes).mean()),
        )

    def judge(self, x: pa.Array, labels: Labels) -> tuple[Judged, Found]:
        """What label_issues would say of such rows and their labels: (rows,).

        Raises BadInput for rows of another kind than those learned from.
        """
        kind = registry.of_type(x.type)
        if kind.kind != self.reads and not pa.types.is_null(x.type):
            raise BadInput(
                f"the judge has learned from rows that are {self.reads}; it cannot read "
                f"{kind.called}."
            )
        rows = kind.read(x)
        labels = as_classes(labels, self.classes, self.kind)
        codes, reasons = labels.codes(self.classes), rows.reasons.copy()
        readable = is_usable(rows.reasons)
        no_label = np.asarray(labels.texts.is_null())
        probs = np.full((len(x), len(self.classes)), np.nan)
        if readable.any():
            usable = rows.take(readable)
            groups = usable.groups(usable.digests())
            probs[readable], known = self.models.judge(usable, groups, np.arange(len(usable)))
            reasons[readable] = _reasons(labels, codes, readable, known)
        reasons[no_label & readable] = labels.reasons[no_label & readable]
        nothing = np.zeros(len(x), dtype=bool)
        judged = Judged(
            type(rows),
            labels,
            self.classes,
            codes,
            probs,
            nothing,
            reasons,
            no_label & readable,
            nothing,
        )
        return judged, self.rule.find(*judged.evidence)

    def to_files(self) -> dict[str, bytes]:
        """Everything needed to load it again: JSON and safetensors."""
        from safetensors.numpy import save

        arrays = {}
        about: dict[str, object] = {
            "kind": self.kind,
            "cut": self.rule.cut,
            "method": self.rule.method,
        }
        if self.rule.correction is not None:
            arrays["transition"] = self.rule.correction.transition
            about["powers"] = [self.rule.correction.of_true, self.rule.correction.of_model]
        if self.rule.limits is not None:
            arrays["limits"] = self.rule.limits
        if self.rule.usual is not None:
            arrays["usual"] = self.rule.usual
        return {
            **self.models.to_files(),
            _ABOUT: json.dumps(about).encode(),
            _NOISE: save({name: np.ascontiguousarray(each) for name, each in arrays.items()}),
        }

    @classmethod
    def from_files(cls, record: ModelRecord, files: Mapping[str, bytes]) -> Judge:
        """What `to_files` gave. Raises BadInput for a model that is no judge, and DamagedModel."""
        from safetensors.numpy import load

        if _ABOUT not in files:
            raise BadInput(
                f"'{record.name}' is a model that fine_tune has trained, and no judge: it knows "
                f"nothing of the noise in labels. A judge is kept by label_issues, with "
                f"{Option('judge', 'name')}."
            )
        about, arrays = json.loads(files[_ABOUT]), load(files[_NOISE])
        correction = None
        if "transition" in arrays:
            correction = Correction(arrays["transition"], *about["powers"])
        rule = Rule(
            about["cut"], about["method"], correction, arrays.get("limits"), arrays.get("usual")
        )
        return cls(
            CrossFitted.from_files(files),
            record.classes,
            about["kind"],
            rule,
            record.kind,
            record.rows,
            record.cv_accuracy or 0.0,
        )


def _reasons(
    labels: Labels,
    codes: np.ndarray[tuple[int], np.dtype[np.int64]],
    readable: np.ndarray[tuple[int], np.dtype[np.bool_]],
    known: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
) -> Reasons:
    """Why each readable row is not judged, None if it is."""
    own = codes[readable]
    reasons = np.full(len(own), None, dtype=object)
    reasons[~known[np.arange(len(own)), own] & (own >= 0)] = (
        "no row of other content had this label, so no model could learn it"
    )
    places = np.flatnonzero(readable)
    for row in np.flatnonzero(own < 0).tolist():
        text = labels.texts[places[row]].as_py()
        if text is not None:
            reasons[row] = f"the judge has not learned the label '{text}'"
    return reasons
