"""A judge: what label_issues learned of a table, kept for the rows that come later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.detection.confident import Found
from sqlfuncs.learning.detection.copies_rule import CopiesRule
from sqlfuncs.learning.detection.judged import Judged
from sqlfuncs.learning.detection.rule import Rule
from sqlfuncs.learning.labels.labels import Labels, as_classes
from sqlfuncs.learning.models.cross_fitted import CrossFitted
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import Floats, Reasons, is_usable
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

    def judge(
        self,
        x: pa.Array,
        labels: Labels,
        copies: CopiesRule | None = None,
        counts: Floats | None = None,
    ) -> tuple[Judged, Found]:
        """What label_issues would say of such rows and their labels: (rows,).

        With `copies`, `counts` (rows, classes) say how many rows of each row's content, itself
        among them, have which label.
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
        probs, rule = np.full((len(x), len(self.classes)), np.nan), self.rule
        outvoted = np.zeros(len(x), dtype=bool)
        if readable.any():
            usable, own = rows.take(readable), codes[readable]
            groups = usable.groups(usable.digests())
            said, known = self.models.judge(usable, groups, np.arange(len(usable)))
            unseen = (own >= 0) & ~known[np.arange(len(own)), own]
            if copies is not None and counts is not None:
                rule = copies.rule
                said, unseen, outvoted[readable] = copies.judge(own, said, unseen, counts[readable])
            probs[readable] = said
            reasons[readable] = _reasons(labels, codes, readable, unseen)
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
            outvoted,
        )
        return judged, rule.find(*judged.evidence, outvoted[judged.rows])

    def to_files(self) -> dict[str, bytes]:
        """Everything needed to load it again: JSON and safetensors."""
        from safetensors.numpy import save

        about, arrays = self.rule.state()
        about["kind"] = self.kind
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
        rule = Rule.restore(about, arrays)
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
    unseen: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> Reasons:
    """Why each readable row is not judged, None if it is."""
    own = codes[readable]
    reasons = np.full(len(own), None, dtype=object)
    reasons[unseen] = "no row of other content had this label, so no model could learn it"
    places = np.flatnonzero(readable)
    for row in np.flatnonzero(own < 0).tolist():
        text = labels.texts[places[row]].as_py()
        if text is not None:
            reasons[row] = f"the judge has not learned the label '{text}'"
    return reasons
