from __future__ import annotations

import numpy as np

from sqlfuncs.learning.detection.habits import by_annotator
from sqlfuncs.learning.detection.noise import MOST_CLASSES, Correction


def _judged(rows: int, classes: int) -> tuple[Correction, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(classes), size=rows)
    transition = np.full((classes, classes), 0.2 / (classes - 1))
    np.fill_diagonal(transition, 0.8)
    return Correction(transition, 0.5, 0.5), rng.integers(classes, size=rows), probs


def test_a_key_for_an_annotator_takes_one_pass() -> None:
    of_all, codes, probs = _judged(300_000, 3)  # a pass for each would take hours
    nobody = by_annotator(of_all, codes, probs, np.arange(len(codes)))
    assert nobody.corrections == ()
    assert (nobody.apply(codes, probs) == of_all.apply(codes, probs)).all()


def test_those_of_enough_rows_and_several_classes_have_habits() -> None:
    of_all, codes, probs = _judged(400, 3)
    annotators = np.repeat([3, -1, 0, 2, 1], [100, 100, 9, 91, 100])
    codes[300:] = 1  # of annotator 1
    own = by_annotator(of_all, codes, probs, annotators)
    assert [rows.tolist() for rows, _ in own.corrections] == [
        np.flatnonzero(annotators == name).tolist() for name in (2, 3)
    ]
    changed = (own.apply(codes, probs) != of_all.apply(codes, probs)).any(axis=1)
    assert set(annotators[changed].tolist()) == {2, 3}


def test_of_very_many_classes_nobody_has_a_matrix() -> None:
    of_all, codes, probs = _judged(400, MOST_CLASSES + 1)
    assert by_annotator(of_all, codes, probs, np.arange(400) % 4).corrections == ()
