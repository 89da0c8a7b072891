"""A judge learned from a sample of a table that no process holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import NoUsableRows, TooFewClasses
from sqlfuncs.learning.detection.copies_rule import CopiesRule
from sqlfuncs.learning.detection.judge import Judge
from sqlfuncs.learning.detection.rule import Rule, check_cut
from sqlfuncs.learning.labels import classes as class_order
from sqlfuncs.learning.labels.labels import Labels
from sqlfuncs.learning.models.class_target import ClassTarget
from sqlfuncs.learning.models.folds import check_folds
from sqlfuncs.learning.models.shares import Shares
from sqlfuncs.learning.models.target import Mask
from sqlfuncs.learning.models.whole_table import learn_sample
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import Rows, is_usable
from sqlfuncs.learning.tasks.base import Options


@dataclass(frozen=True)
class Sampling:
    """How a table is sampled: `counts` are the rows of each label, of `rows` with a label."""

    counts: Mapping[str, int]
    rows: int
    seed: int
    most: int | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels in their order."""
        return class_order.in_order(self.counts)

    @property
    def shares(self) -> Shares:
        """How likely rows are drawn."""
        counts = np.array([self.counts[name] for name in self.classes], dtype=np.int64)
        return Shares.of(counts, self.rows, self.most)

    def drawn(self, rows: Rows, labels: Labels) -> Mask:
        """Which of some rows of the table are drawn: (rows,). Those without a label are not."""
        codes = labels.codes(self.classes)
        usable = is_usable(rows.reasons) & (codes >= 0)
        chosen = np.zeros(len(codes), dtype=bool)
        some = rows.take(usable)
        groups = some.groups(some.digests())
        chosen[usable] = self.shares.drawn(groups, codes[usable], self.seed)
        return chosen


def refuse_few(classes: Sequence[str]) -> None:
    """Raise for fewer than two classes: NoUsableRows, TooFewClasses."""
    if not classes:
        raise NoUsableRows("no row can be judged: none has both an x and a label.")
    if len(classes) < 2:
        raise TooFewClasses(
            f"every row that can be judged has the label '{classes[0]}': it takes two classes or "
            "more."
        )


def learn(
    x: pa.Array, labels: Labels, sampling: Sampling, options: Options
) -> tuple[Judge, CopiesRule | None]:
    """The judge of a table, from the rows that were drawn of it, all of which can be used.

    And the rule for rows whose copies are counted, None where none of these has a copy. Noise and
    pool are those of the table: rare classes, drawn more densely, count as they are common.
    Raises BadOption, NoUsableRows, TooFewClasses, TooManyClasses.
    """
    check_cut(options.cut)
    check_folds(options.folds)
    rows = registry.read(x)
    classes = class_order.in_order(labels.distinct())
    refuse_few(classes)
    codes = labels.codes(classes)
    target = ClassTarget(codes, len(classes))
    target.refuse_too_many()
    counts = np.array([sampling.counts[name] for name in classes], dtype=np.int64)
    shares = Shares.of(counts, sampling.rows, sampling.most)
    keys = rows.digests()
    groups = rows.groups(keys)
    fitted = learn_sample(rows, target, groups, options.model, shares, options.folds, options.seed)
    places = np.flatnonzero(shares.common_ones(groups, options.seed))
    probs, known = fitted.judge(rows, groups, places)
    own = codes[places]
    seen = known[np.arange(len(own)), own]
    own, probs, places = own[seen], probs[seen], places[seen]
    copies = CopiesRule.learn(
        [keys[place] for place in places],
        own,
        probs,
        counts / counts.sum(),
        options.cut,
        options.method,
    )
    judge = Judge(
        fitted,
        classes,
        labels.kind,
        Rule.learn(own, probs, options.cut, options.method),
        type(rows).kind,
        sampling.rows,
        float((probs.argmax(axis=1) == own).mean()),
    )
    return judge, copies
