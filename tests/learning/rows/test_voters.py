from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from sqlfuncs.errors import BadInput, TooManyClasses
from sqlfuncs.learning.rows import voters
from sqlfuncs.learning.rows.voters import Votes

TEXTS = pa.array(["a", "b", None, "a", "b", "once"])
MAPS = pa.array(
    [[("a", 0.9), ("b", 0.1)], [("b", 1.0)], None, [("a", 0.5), ("b", 0.5)], [], [("a", 2.0)]],
    pa.map_(pa.string(), pa.float64()),
)


def test_labels_are_ones_and_silence_is_one_too() -> None:
    features, (view,) = Votes.read(TEXTS).beside()
    assert features.terms == ["votes: a", "votes: b", "votes: (rare)", "votes: (none)"]
    assert view.tolist() == [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 0, 1],
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
    ]


def test_probabilities_are_centred_logarithms() -> None:
    votes = Votes.read(MAPS)
    assert votes.voters[0].codes.tolist() == [0, 1, -1, 0, -1, -1]
    _, (view,) = votes.beside()
    assert view[0] == pytest.approx([np.log(3), -np.log(3), 0], abs=1e-6)
    assert view[1, 1] > 3
    assert view[2].tolist() == view[4].tolist() == view[5].tolist() == [0, 0, 1]
    assert view[3].tolist() == [0, 0, 0]


def test_rows_are_taken_with_all_that_is_known_of_them() -> None:
    votes = Votes.read(pa.StructArray.from_arrays([TEXTS, MAPS], ["one", "other"]))
    taken = votes.take([3, 2, 0])
    assert taken.beside()[1][0].tolist() == votes.beside()[1][0][[3, 2, 0]].tolist()
    assert taken.digests() == [votes.digests()[row] for row in (3, 2, 0)]
    assert [*votes.reasons] == [None, None, "nobody votes on the row", None, None, None]


def test_lists_have_a_voter_at_each_place() -> None:
    listed = pa.array([["a", "x"], None, ["b", None], ["a", "y"], ["b", "x"], ["a", "y"]])
    for column in (listed, pa.concat_arrays([listed.slice(3), listed])[3:]):
        votes = Votes.read(column)
        assert [voter.name for voter in votes.voters] == ["votes[1]", "votes[2]"]
        assert votes.voters[0].codes.tolist() == [0, -1, 1, 0, 1, 0]
        assert votes.voters[1].codes.tolist() == [0, -1, -1, 1, 0, 1]
    fixed = pa.array([["a"], ["b"], None, ["a"], ["b"]], pa.list_(pa.string(), 1))
    assert Votes.read(fixed).voters[0].codes.tolist() == [0, 1, -1, 0, 1]
    of_maps = pa.array([[one, one] for one in MAPS.to_pylist()], pa.list_(MAPS.type))
    assert [v.codes.tolist() for v in Votes.read(of_maps).voters] == [[0, 1, -1, 0, -1, -1]] * 2


def test_all_that_is_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voters, "MOST_PROBABILITIES", 20)
    with pytest.raises(TooManyClasses, match="6 rows of votes that name 4 classes"):
        Votes.read(TEXTS)


def test_keys_are_no_votes() -> None:
    with pytest.raises(BadInput, match="9 different values in 9 rows"):
        Votes.read(pa.array(range(9)))
