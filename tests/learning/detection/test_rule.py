"""A rule that is kept says of each row what was said of it in the table."""

from __future__ import annotations

import numpy as np
import pytest

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.detection import confident, rule
from sqlfuncs.learning.detection.confident import METHODS
from sqlfuncs.learning.detection.rule import Rule


def _judged(skill: float, rows: int = 900, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(int(skill * 10))
    true = rng.integers(classes, size=rows)
    scores = rng.normal(size=(rows, classes)) + skill * np.eye(classes)[true]
    probs = np.exp(scores)
    probs /= probs.sum(axis=1, keepdims=True)
    codes = np.where(rng.random(rows) < 0.15, rng.integers(classes, size=rows), true)
    return codes, probs


@pytest.mark.parametrize("skill", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("cut", rule.CUTS)
@pytest.mark.parametrize("method", METHODS)
def test_rows_one_by_one_as_in_the_table(skill: float, cut: str, method: str) -> None:
    codes, probs = _judged(skill)
    found = confident.find(codes, probs, cut, method)
    learned = Rule.learn(codes, probs, cut, method)
    for rows in (np.arange(len(codes)), np.arange(3), np.array([], dtype=np.int64)):
        again = learned.find(codes[rows], probs[rows])
        assert (again.flagged == found.flagged[rows]).all()
        assert again.quality == pytest.approx(found.quality[rows], abs=1e-12)
        assert (again.suggested == found.suggested[rows]).all()
        assert again.confidence == pytest.approx(found.confidence[rows], abs=1e-12)


def test_what_it_keeps_depends_on_the_skill() -> None:
    assert Rule.learn(*_judged(0.0), "auto", "auto").cut == "prune_by_class"
    assert Rule.learn(*_judged(3.0), "auto", "auto").cut == "noise_corrected"


@pytest.mark.parametrize("cut", sorted({*confident.CUTS} - {*rule.CUTS}))
def test_a_cut_of_whole_tables_is_refused(cut: str) -> None:
    with pytest.raises(BadOption, match="compares the rows of a table with each other"):
        Rule.learn(*_judged(1.0), cut, "auto")
