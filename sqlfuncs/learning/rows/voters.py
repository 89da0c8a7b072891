"""What others say of rows: labels and class probabilities of people, models and rules.

A column of these is a voter's. Each names classes of its own, in its own spelling: which of them
means what is learned, from the labels of the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs import work
from sqlfuncs.errors import BadInput, TooManyClasses
from sqlfuncs.learning.features.voters import VoteFeatures
from sqlfuncs.learning.labels import labels
from sqlfuncs.learning.labels.classes import MOST_CLASSES, MOST_PROBABILITIES, Codes, in_order
from sqlfuncs.learning.rows.base import Chosen, Floats, Reasons, Rows, describe, refuse_encoder
from sqlfuncs.learning.rows.probabilities import Probabilities
from sqlfuncs.learning.rows.types import is_list, is_text
from sqlfuncs.wording import TypeName

RARE = "(rare)"  # the class of the values that come once
NO_VOTE = "(none)"
_LEAST = 1e-3  # of probabilities, before their logarithms
_KINDS = (
    (pa.types.is_boolean, labels.BOOLEAN),
    (pa.types.is_integer, labels.INTEGER),
    (pa.types.is_floating, labels.FLOAT),
    (pa.types.is_decimal, labels.DECIMAL),
    (pa.types.is_date, labels.TIME),
    (is_text, labels.TEXT),
)


@dataclass(frozen=True)
class Voter:
    """One column of votes. `codes` (rows,) are the likeliest of its `classes`, -1 for no vote.

    `probs` (rows, classes) where it says how likely each is, 0 without a vote. `kind` is that of
    the names of the classes (`learning.labels`).
    """

    name: str
    classes: tuple[str, ...]
    codes: Codes
    kind: str = labels.TEXT
    probs: Floats | None = None

    @property
    def tells_something(self) -> bool:
        """Whether it differs between rows, be it only in being silent."""
        if self.probs is not None and not (self.probs == self.probs[:1]).all():
            return True
        return len(self.codes) > 0 and bool((self.codes != self.codes[0]).any())

    @property
    def terms(self) -> list[str]:
        """What the columns of `view` are."""
        return [f"{self.name}: {each}" for each in (*self.classes, NO_VOTE)]

    def view(self) -> Floats:
        """(rows, classes and one more): ones, or centred logarithms; the last is 1 for no vote."""
        silent = self.codes < 0
        said = np.zeros((len(self.codes), len(self.classes) + 1))
        if self.probs is None:
            said[np.arange(len(said)), self.codes] = 1  # -1 is the last one
            return said
        logs = np.log(np.maximum(self.probs, _LEAST))
        said[:, :-1] = np.where(silent[:, None], 0, logs - logs.mean(axis=1, keepdims=True))
        said[:, -1] = silent
        return said

    def chosen(self, places: Chosen) -> Voter:
        """The votes on some of the rows."""
        probs = None if self.probs is None else self.probs[places]
        return replace(self, codes=self.codes[places], probs=probs)


@dataclass(frozen=True)
class Votes(Rows):
    """The votes on each row, of one voter or more. A row on which nobody votes is no row by itself.

    They stand beside rows of another kind, or are all that is known of rows.
    """

    kind = "votes"
    called = "votes"
    # Rows on which the same is said are still different things.
    is_all_there_is = False
    are_apart = True

    voters: tuple[Voter, ...]
    reasons: Reasons

    @classmethod
    def is_type(cls, of: pa.DataType) -> bool:
        """Of no type that x has."""
        return False

    @classmethod
    def read(cls, x: pa.Array) -> Votes:
        """The votes in a column: of a STRUCT or list of voters', or of one voter.

        What says the same of every row is left out, and said. Raises BadInput for what holds no
        votes, TooManyClasses for more of them than can be learned.
        """
        voters = [_voter(name, column) for name, column in _columns(x)]
        return cls.of(voters, {v.name: _SILENT for v in voters if not v.tells_something})

    @classmethod
    def of(cls, voters: Sequence[Voter], left_out: dict[str, str]) -> Votes:
        """The votes of some voters but those `left_out`, for reasons that are said."""
        kept = tuple(voter for voter in voters if voter.name not in left_out)
        listed = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        if not kept:
            raise BadInput(f"no vote can be used ({listed}).")
        if left_out:
            work.say_once(f"votes that are left out: {listed}")
        width = sum(len(voter.classes) + 1 for voter in kept)
        rows = len(kept[0].codes)
        if rows * width > MOST_PROBABILITIES:
            raise TooManyClasses(
                f"{rows:,} rows of votes that name {width:,} classes would need more memory than "
                f"is sensible: rows times these may be {MOST_PROBABILITIES:,}."
            )
        silent = np.all([voter.codes < 0 for voter in kept], axis=0)
        reasons = np.full(rows, None, dtype=object)
        reasons[silent] = "nobody votes on the row"
        return cls(kept, reasons)

    def chosen(self, places: Chosen) -> Votes:
        """The votes on some of the rows."""
        return Votes(tuple(v.chosen(places) for v in self.voters), self.reasons[places])

    def digests(self) -> list[bytes]:
        """A digest of what is said of each row."""
        return [sha256(row.tobytes()).digest() for row in self._view()]

    def features(self, model: str) -> tuple[VoteFeatures, list[Any]]:
        """What a linear head sees of them."""
        refuse_encoder(self.called, model)
        return self.beside()

    def beside(self) -> tuple[VoteFeatures, list[Any]]:
        """The same, beside rows that a model reads."""
        return VoteFeatures([term for voter in self.voters for term in voter.terms]), [self._view()]

    def _view(self) -> Any:
        # Zero has two signs; a digest has to see one.
        return np.hstack([voter.view() for voter in self.voters]).astype(np.float32) + 0.0


_SILENT = "it is NULL or the same everywhere"


def _columns(votes: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    """Each voter's name and column."""
    if pa.types.is_struct(votes.type):
        fields = enumerate(zip(votes.type, votes.flatten(), strict=True), 1)
        yield from ((field.name or f"vote {at}", column) for at, (field, column) in fields)
    elif is_list(votes.type):
        yield from _places(votes)
    else:
        yield "votes", votes


def _places(votes: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    """The values at each place of lists, which have one length."""
    valid = np.asarray(votes.is_valid())
    lengths = np.unique(pc.list_value_length(votes).drop_null())
    if len(lengths) > 1:
        raise BadInput(
            f"votes are lists of {lengths[0]} to {lengths[-1]} values: each place is a voter, so "
            "that there have to be as many in each row, NULL for one that does not say."
        )
    count = int(lengths[0]) if len(lengths) else 0
    if not count:
        raise BadInput("votes are lists without a value, or NULL in every row: name some columns.")
    values, begins = votes.flatten(), (np.cumsum(valid) - 1) * count
    for place in range(count):
        yield f"votes[{place + 1}]", values.take(pa.array(begins + place, mask=~valid))


def _voter(name: str, column: pa.Array) -> Voter:
    of = column.type
    if pa.types.is_null(of):
        return Voter(name, (), np.full(len(column), -1))
    if pa.types.is_map(of):
        return _of_probabilities(name, column)
    if pa.types.is_timestamp(of):
        kind = labels.TIME if of.tz is None else labels.INSTANT
        return _of_labels(name, column, kind)
    for is_kind, kind in _KINDS:
        if is_kind(of):
            return _of_labels(name, column, kind)
    raise BadInput(
        f"{name} is of type {TypeName(of)}, which holds no votes: these are labels, or maps of "
        "each class to its probability."
    )


def _of_probabilities(name: str, column: pa.MapArray) -> Voter:
    item = column.type.item_type
    if not (pa.types.is_floating(item) or pa.types.is_integer(item) or pa.types.is_decimal(item)):
        raise BadInput(
            f"{name} is of type {TypeName(column.type)}, which holds no votes: maps of each "
            "class to its probability hold numbers."
        )
    read = Probabilities.read(column)
    silent = np.array([reason is not None for reason in read.reasons], dtype=bool)
    odd = silent & np.asarray(column.is_valid())
    if odd.any():
        work.say_once(f"in {name} some maps count as no vote: {describe(read.reasons[odd])}")
    probs = np.where(silent[:, None], 0, read.values)
    codes = np.where(silent, -1, probs.argmax(axis=1) if read.classes else -1)
    return Voter(name, read.classes, codes.astype(np.int64), probs=probs)


def _of_labels(name: str, column: pa.Array, kind: str) -> Voter:
    """The classes that come more than once, and one for the others.

    Raises BadInput where most values come once, as those of keys and free texts do.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    texts = column.cast(pa.string())
    field = pa.field(name, pa.string(), metadata={labels.KIND: kind.encode()})
    own = labels.read(pa.StructArray.from_arrays([texts], fields=[field]), name)
    encoded = own.texts.dictionary_encode()
    counts = np.bincount(encoded.indices.drop_null(), minlength=len(encoded.dictionary))
    common = encoded.dictionary.filter(pa.array(counts > 1)).to_pylist()
    voted = int(counts.sum())
    if len(common) > MOST_CLASSES or counts[counts > 1].sum() * 2 < voted > 1:
        raise BadInput(
            f"{name} holds {len(counts):,} different values in {voted:,} rows: no classes to vote "
            "for, of which there are few. Is it the right column?"
        )
    classes = in_order(common)
    codes = own.codes(classes)
    rare = (codes < 0) & np.asarray(own.texts.is_valid())
    if rare.any():
        codes[rare], classes = len(classes), (*classes, RARE)
    return Voter(name, classes, codes, kind)
