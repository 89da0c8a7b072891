"""What is asked of labels, whatever their kind: a task, and what its predictions say of labels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.labels.labels import kind_of
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import Reasons, Rows
from sqlfuncs.learning.rows.embedding import Embeddings
from sqlfuncs.learning.rows.text import Texts
from sqlfuncs.learning.tasks import counted_flags, stored

if TYPE_CHECKING:
    from sqlfuncs.learning.detection.judge import Judge
    from sqlfuncs.learning.detection.verification import Candidates, Reviews
    from sqlfuncs.learning.models.decoding import Decoder
    from sqlfuncs.learning.tasks.taught import Taught
    from sqlfuncs.statistics.evaluation import ClassCounts
    from sqlfuncs.statistics.noisy import Agreement

Mask = npt.NDArray[np.bool_]
Columns = Mapping[str, pa.Array]


@dataclass(frozen=True, kw_only=True)
class Options:
    """How rows are judged: see `functions.label_issues`, which has these options and defaults."""

    model: str = "fast"
    cut: str = "auto"
    method: str = "auto"
    folds: int = 5
    seed: int = 0
    false_flags: float | None = None
    risk: float | None = None
    judge: str | None = None
    ordered: object = None


@dataclass(frozen=True)
class Decisions:
    """The decisions in force on rows: for each action which rows have it, (rows,).

    `new_label` (rows,) is the text of the label that a row was given by 'relabel'.
    """

    relabel: Mask
    keep: Mask
    exclude: Mask
    new_label: pa.Array

    @classmethod
    def read(cls, action: pa.Array, new_label: pa.Array) -> Decisions:
        """From the actions by name (rows,), NULL for none."""
        text = action.cast(pa.string())

        def is_(name: str) -> Mask:
            equal: Mask = np.asarray(pc.equal(text, name).fill_null(False))
            return equal

        return cls(is_("relabel"), is_("keep"), is_("exclude"), new_label)

    @property
    def any(self) -> Mask:
        """Rows that are decided."""
        return self.relabel | self.keep | self.exclude


@dataclass(frozen=True)
class Suggestions:
    """What the rows of a label_issues result suggest, and what people found of that.

    All else is about the rows at `places` (judged,) of the result: `found` are those that may be
    corrected, `reviews` what people decided. `weakness` is why no correction rests on the model
    alone, None if some may: those that are `sure` (judged,).
    """

    places: npt.NDArray[np.int64]
    found: Candidates
    reviews: Reviews
    weakness: str | None
    sure: Callable[[], Mask]


def tells_of_no_class(rows: pa.StructArray) -> bool:
    """Whether rows are those of a label_issues result, judged as labels that are no classes."""
    if "class_probs" not in rows.type.names or not len(rows):
        return False
    if rows.field("class_probs").null_count < len(rows):
        return False
    judged = pc.and_(rows.field("label").is_valid(), rows.field("not_judged").is_null())
    return bool(pc.any(judged).as_py())


class Prediction(ABC):
    """What is known of the label of each row of a table, out of sample.

    Columns are by the names of the results of SQL, all of one length, the rows of the table.
    """

    @property
    @abstractmethod
    def rows(self) -> type[Rows]:
        """What x is."""

    @abstractmethod
    def issues(self) -> Columns:
        """The columns that `label_issues` adds, and own ones of this kind of label."""

    def certainty(self) -> Columns:
        """Those that `audit` adds: ambiguity, is_ambiguous, is_well_labeled, is_unlabeled."""
        return {}

    def judge(self) -> Judge:
        """What judges rows that come later, if `Options.judge` asked for it."""
        raise BadInput("a judge is kept of classes; these labels are none.")

    def health(self) -> Columns:
        """The columns of `label_health`: rows of its own, one for each part of the labels."""
        raise BadInput("label_health is about classes; these labels are none.")


class Task(ABC):
    """A kind of label: how a column of such labels is recognised, read, learned and judged.

    `rows` is what an engine hands over, a StructArray with the fields x, label and, NULL where
    there are none, votes and annotator; `label` is text as `learning.labels` has it, with the kind
    of its type in the field's metadata.
    """

    name: ClassVar[str]
    takes_votes: ClassVar[bool] = False  # reads the field votes, labels and probabilities of others
    takes_annotators: ClassVar[bool] = False  # reads the field annotator, who gave the labels
    judges_from_sample: ClassVar[bool] = False  # models of a sample judge each row by itself

    @classmethod
    @abstractmethod
    def is_column(cls, label: pa.Array, kind: str) -> bool:
        """Whether a column of labels is of this kind: by its text, and the kind of its type."""

    @classmethod
    def is_of(cls, rows: pa.StructArray, name: str) -> bool:
        """Whether the labels in a field of a table are: by what stands beside them, too."""
        return cls.is_column(rows.field(name), kind_of(rows, name))

    @classmethod
    def is_alone(cls, label: pa.Array, kind: str) -> bool:
        """Whether a column of labels is, of which nobody says beside what it stands."""
        return cls.is_column(label, kind)

    @classmethod
    def refuse_kind(cls, kind: str, name: str) -> None:
        """Raise BadInput for labels, in the field `name`, of a type that cannot be of this kind."""
        return

    @classmethod
    def refuse_likely_others(cls, rows: pa.StructArray, names: Sequence[str]) -> None:
        """Raise BadInput for labels, in fields by their `names`, that are likely of another kind.

        That is asked where nobody has named the task, and these labels were taken for this one's.
        """
        return

    @classmethod
    @abstractmethod
    def judge(cls, rows: pa.StructArray, options: Options) -> Prediction:
        """What models that did not see a row say of its label.

        Raises BadOption, BadInput, NoUsableRows, TooFewClasses and TooManyClasses.
        """

    @classmethod
    def queue(cls, rows: pa.StructArray, decisions: Decisions, options: Options) -> Columns:
        """Which rows to review next, learned from labels as decided: `review_queue`'s columns.

        Rows that look alike are in the order of the field `key_rank` of `rows`.
        """
        raise BadInput("review_queue is about classes; these labels are none.")

    @classmethod
    def verification_queue(
        cls, rows: pa.StructArray, decisions: Decisions, options: Options
    ) -> Columns:
        """The same of the rows that may be corrected, by the labels as given.

        In the order of the field `random_rank` of `rows`, a random one.
        """
        raise BadInput("review_queue is about classes; these labels are none.")

    @classmethod
    def to_learn(cls, rows: pa.StructArray) -> tuple[list[str | None], Reasons]:
        """What `taught` takes for the labels of rows, one text for each label; why a row has none.

        Raises BadInput where labels of this kind are not trained on.
        """
        raise BadInput(f"fine_tune does not know labels of this kind yet ({cls.name}).")

    @classmethod
    def beside(cls, x: pa.Array) -> Rows:
        """What stands beside labels that are trained on, a whole column. Raises BadInput."""
        values = registry.read_column(x)
        if not values.can_be_trained_on:
            raise BadInput(
                f"fine_tune cannot train on {values.called}. x may be {Texts.example} or "
                f"{Embeddings.example}."
            )
        return values

    @classmethod
    def asked(cls, x: pa.Array, model: str) -> Rows:
        """What a model of such labels is asked about. Raises BadInput for what none reads."""
        values = registry.read(x)
        if not values.can_be_trained_on:
            raise BadInput(
                f"llm_classify cannot read {values.called}. It takes {Texts.example} or "
                f"{Embeddings.example}."
            )
        return values

    @classmethod
    def restored(cls, classes: tuple[str, ...], files: Mapping[str, bytes]) -> stored.Model:
        """A model that was trained on such labels, by its files. Raises DamagedModel."""
        return stored.of_rows(classes, files)

    @classmethod
    def taught(cls, texts: Sequence[str]) -> Taught:
        """Labels that a model is trained on, as `to_learn` read them."""
        raise BadInput(f"fine_tune does not know labels of this kind yet ({cls.name}).")

    @classmethod
    def decoder(cls, classes: tuple[str, ...], files: Mapping[str, bytes]) -> Decoder:
        """What reads the predictions of a model that was trained on such labels, by its files."""
        raise BadInput(f"models of labels of this kind ({cls.name}) are not known yet.")

    @classmethod
    def wrong(cls, rows: pa.StructArray, options: Options) -> tuple[float, int]:
        """The estimated number of wrong labels, and of how many rows: by the fields x, label."""
        quality = np.asarray(cls.judge(rows, options).issues()["label_quality"].drop_null())
        return float((1 - quality).sum()), len(quality)

    @classmethod
    def consensus(cls, rows: pa.StructArray, method: str, folds: int, seed: int) -> Columns:
        """The columns of `consensus`, of one row for each item.

        `rows` is a vote each: the fields item and annotator, text, label and x, NULL for none.
        """
        raise BadInput(f"consensus does not know labels of this kind yet ({cls.name}).")

    @classmethod
    def annotators(cls, rows: pa.StructArray, method: str, folds: int, seed: int) -> Columns:
        """Those of `annotator_quality`, of one row for each annotator, the worst first."""
        raise BadInput(f"annotator_quality does not know labels of this kind yet ({cls.name}).")

    @classmethod
    def suggestions(cls, issues: pa.StructArray, drawn: Mask) -> Suggestions:
        """What a label_issues result suggests: see `functions.proposals`, whose rows these are.

        What is learned of the labels is learned from the rows `drawn` (rows,).
        """
        raise BadInput(f"labels of this kind ({cls.name}) are not corrected yet.")

    @classmethod
    def flag_counts(cls, issues: pa.StructArray) -> Columns:
        """How many labels of a label_issues result are flagged: see `functions.flag_counts`."""
        return counted_flags.of_classes(issues)

    @classmethod
    def strength(cls, issues: pa.StructArray) -> Columns:
        """The columns of `model_strength`, of one row, from the rows of a label_issues result."""
        raise BadInput(f"model_strength does not know labels of this kind yet ({cls.name}).")

    @classmethod
    def evaluate(cls, counts: pa.StructArray) -> Columns:
        """The columns of `evaluate`, of one row, from `counts` as `labels.compared` reads them."""
        raise BadInput(f"evaluate does not know labels of this kind yet ({cls.name}).")

    @classmethod
    def report(cls, counts: pa.StructArray) -> ClassCounts:
        """How often each class, or tag, is true, predicted, and both: for `class_report`."""
        raise BadInput(
            f"class_report has a row for each class, and labels of this kind ({cls.name}) have "
            "none. evaluate takes them."
        )

    @classmethod
    def confusion_matrix(cls, counts: pa.StructArray) -> Columns:
        """Those of `confusion_matrix`."""
        raise BadInput(
            "confusion_matrix counts how often classes, or tags, meet, and labels of this kind "
            f"({cls.name}) have none. evaluate takes them."
        )

    @classmethod
    def agreement(cls, counts: pa.StructArray) -> Agreement:
        """Where predicted, given and reviewed labels are the same: for `evaluate_noisy`."""
        raise BadInput(
            "evaluate_noisy reckons with labels that are right or wrong, and labels of this kind "
            f"({cls.name}) are more or less so: evaluate with reviewed_sample as the true label "
            "has the errors in the reviewed rows."
        )

    @classmethod
    def compare(cls, counts: pa.StructArray) -> Columns:
        """Those of `compare_models`."""
        raise BadInput(f"compare_models does not know labels of this kind yet ({cls.name}).")
