"""Rows whose labels are tags, judged: which tags each has, and how likely each tag is for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.errors import BadOption, NoUsableRows
from sqlfuncs.learning.detection import data_warnings
from sqlfuncs.learning.labels.classes import in_order
from sqlfuncs.learning.labels.tags import Tags
from sqlfuncs.learning.models.folds import check_folds
from sqlfuncs.learning.models.out_of_sample import out_of_sample, prepare
from sqlfuncs.learning.models.resolve import resolve
from sqlfuncs.learning.models.tag_target import TagTarget
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import Reasons, Rows, describe, is_usable
from sqlfuncs.learning.rows.probabilities import Probabilities
from sqlfuncs.wording import Given, Option, some

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

Learned = tuple[Mask, Mask]  # tags (rows, tags), and the rows that teach (rows,)

FEWEST = 2  # rows that have a tag, or that lack it, before anything is said of it


@dataclass(frozen=True)
class JudgedTags:
    """What is known of each row. Where `reasons` has one, the row was not judged.

    `kind` is what x is, `own` the labels; `probs` (rows, tags) how likely each of their tags is out
    of sample, NaN where nothing is known; `known` (tags,) are the tags that could be learned.
    `is_hard`: the probabilities are of predictions, how often each is what the label says.
    """

    kind: type[Rows]
    own: Tags
    probs: Floats
    known: Mask
    reasons: Reasons
    is_hard: bool = False

    @property
    def rows(self) -> Mask:
        """Which rows were judged."""
        return is_usable(self.reasons)

    @property
    def is_predicted(self) -> Mask:
        """Which rows have probabilities: the judged, and those that have no label."""
        known: Mask = ~np.isnan(self.probs[:, 0])
        return known


def judge(
    x: pa.Array, own: Tags, learned: Learned | None, *, model: str, folds: int, seed: int
) -> JudgedTags:
    """Judge rows by what they are, `x`, and tags that are `learned`; their own if None.

    Raises NoUsableRows, and BadOption for a model that learns one class for a row.
    """
    check_folds(folds)
    if not len(x):
        raise NoUsableRows("the table has no rows: there is nothing to judge.")
    if own.repeated:
        work.say_once(f"{own.repeated:,} rows name a tag twice, which counts once")
    if pa.types.is_map(x.type):
        return _by_given(x, own)
    rows = registry.read_column(x)
    readable = is_usable(rows.reasons)
    reasons = np.where(readable, own.reasons, rows.reasons)
    _refuse_unusable(reasons)
    way = resolve(model)
    if not isinstance(way, str):
        raise BadOption(
            f"{Option('model', Given(model))} learns one class for a row; tags are judged by "
            f"{Option('model', 'fast')}, 'best' or an encoder."
        )
    given, teaches = (own.given, is_usable(own.reasons)) if learned is None else learned
    teaches = teaches & readable
    if not teaches.any():
        raise NoUsableRows("people have excluded every row: none is left to learn from.")
    known = _learnable(own.names, given[teaches])
    taught = np.where(teaches[:, None], given, np.nan)[readable][:, known]
    probs = np.full(own.given.shape, np.nan)
    prepared = prepare(rows.take(readable), TagTarget(taught), way)
    # Of a tag that cannot be learned it is known how many rows have it: nearly none, or all.
    judged = np.tile(given[teaches].mean(axis=0), (len(taught), 1))
    judged[:, known] = out_of_sample(prepared, folds=folds, seed=seed)[0]
    probs[readable] = judged
    data_warnings.about_rows(reasons)
    return JudgedTags(type(rows), own, probs, known, reasons)


def _by_given(x: pa.Array, own: Tags) -> JudgedTags:
    """By somebody's probabilities of each tag, which need not sum to anything."""
    said = Probabilities.read(x)
    names = in_order({*own.names, *said.classes})
    at_own = [names.index(name) for name in own.names]
    at_said = [names.index(name) for name in said.classes]
    given = np.zeros((len(x), len(names)), dtype=bool)
    given[:, at_own] = own.given
    probs, has = np.zeros(given.shape), np.zeros(given.shape, dtype=bool)
    probs[:, at_said], has[:, at_said] = said.values, said.has
    unread = np.full(len(x), None, dtype=object)
    with np.errstate(invalid="ignore"):
        unread[((probs < 0) | (probs > 1)).any(axis=1)] = "a probability is below 0 or above 1"
    unread[~np.isfinite(probs).all(axis=1)] = "the probabilities hold NULL, NaN or infinity"
    unread[np.asarray(x.is_null())] = "the probabilities are NULL"
    readable = is_usable(unread)
    reasons = np.where(readable, own.reasons, unread)
    for row in np.flatnonzero(is_usable(reasons) & (given & ~has).any(axis=1)).tolist():
        missing = names[int(np.flatnonzero(given[row] & ~has[row])[0])]
        reasons[row] = f"the probabilities have no tag '{missing}'"
    _refuse_unusable(reasons)
    probs[~readable] = np.nan
    is_hard = data_warnings.are_hard(probs[has])
    if is_hard:
        data_warnings.about_hard_probabilities()
        probs = _softened(probs, given, is_usable(reasons))
    labels = Tags(names, given, own.reasons, own.repeated)
    every = np.ones(len(names), dtype=bool)
    return JudgedTags(Probabilities, labels, probs, every, reasons, is_hard)


def _softened(probs: Floats, given: Mask, rows: Mask) -> Floats:
    """Probabilities that are all 0 or 1, as how often rows of which that is said have the tag.

    One row more with it, and one without, keep that from being certain.
    """
    found = probs.copy()
    for tag in range(probs.shape[1]):
        for said in (0, 1):
            has = given[rows & (probs[:, tag] == said), tag]
            found[probs[:, tag] == said, tag] = (has.sum() + 1) / (len(has) + 2)
    return found


def _learnable(names: Sequence[str], given: Mask) -> Mask:
    """The tags that some rows have and some have not. Raises NoUsableRows without any."""
    counts = given.sum(axis=0)
    known: Mask = (counts >= FEWEST) & (len(given) - counts >= FEWEST)
    if not known.any():
        raise NoUsableRows(
            f"no tag can be learned: it takes one that {FEWEST} rows or more have, and as many "
            "lack."
        )
    left_out = [name for name, is_known in zip(names, known.tolist(), strict=True) if not is_known]
    if left_out:
        shown = some([f"'{name}'" for name in left_out])
        work.say_once(f"tags that fewer than {FEWEST} rows have, or lack, are not judged: {shown}")
    return known


def _refuse_unusable(reasons: Reasons) -> None:
    if not is_usable(reasons).any():
        raise NoUsableRows(f"no row can be judged: {describe(reasons)}.")
