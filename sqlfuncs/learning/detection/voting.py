"""Votes on the rows of a table, as far as they can be learned from beside its labels."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.learning.labels import labels
from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.labels.labels import Labels
from sqlfuncs.learning.rows.voters import RARE, Voter, Votes

FIELD = "votes"
_FOR_CERTAIN = 50  # votes that are all the label: fewer may be right, and no copies of it


def is_in(rows: pa.StructArray) -> bool:
    """Whether a table comes with votes."""
    return FIELD in rows.type.names and not pa.types.is_null(rows.field(FIELD).type)


def read(rows: pa.StructArray) -> Votes | None:
    """The votes in a field of a table, whose field `label` are its labels; None without.

    Voters that foretell every label are left out, and said: they were told it, or made of it.
    Raises BadInput and TooManyClasses.
    """
    if not is_in(rows):
        return None
    votes, given = Votes.read(rows.field(FIELD)), labels.read(rows)
    classes = given.distinct()
    codes = given.codes(classes)
    told = {v.name: _TOLD for v in votes.voters if _foretells(v, codes)}
    if told:
        votes = Votes.of(votes.voters, told)
    others = [v.name for v in votes.voters if _names_no_class(v, given)]
    if others:
        work.say_once(
            f"votes that name none of the labels' classes: {', '.join(others)}. What they mean is "
            "learned all the same, from the labels of the rows on which they say it"
        )
    return votes


_TOLD = "it foretells the label of every row, as the label itself does, or what is made of it"


def _foretells(voter: Voter, codes: Codes) -> bool:
    """Whether each class that the voter names is one label, on all rows or on many."""
    has_label, voted = codes >= 0, voter.codes >= 0
    both = has_label & voted
    if not both.any():
        return False
    pairs = len(np.unique(voter.codes[both] * (codes.max() + 1) + codes[both]))
    named, given = len(np.unique(voter.codes[both])), len(np.unique(codes[both]))
    everywhere = not (has_label & ~voted).any() or int(both.sum()) >= _FOR_CERTAIN
    return everywhere and given > 1 and pairs == named


def _names_no_class(voter: Voter, given: Labels) -> bool:
    kind = labels.common(voter.kind, given.kind)
    named = {labels.canonical(each, voter.kind, kind) for each in voter.classes if each != RARE}
    return not named & {labels.canonical(each, given.kind, kind) for each in given.distinct()}
