"""What another process is told to train."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sqlfuncs.learning.rows.text import Texts
from sqlfuncs.training.request import Request


@pytest.mark.parametrize(
    ("task", "labels", "classes"),
    [
        ("classification", ["x", "y", "x"], ("x", "y")),
        ("multilabel", ['["a"]', "[]", '["a", "b"]'], ("a",)),
        ("regression", ["1.5", "-2.0", "1e+300"], ()),
    ],
)
def test_labels_of_every_kind_are_what_they_were(
    tmp_path: Path, task: str, labels: list[str], classes: tuple[str, ...]
) -> None:
    texts = Texts(["p", "q", "r"], np.full(3, None, dtype=object))
    request = Request("m", "fast", "", 2, 0, task, texts, labels)
    request.save(tmp_path)
    restored = Request.load(tmp_path)
    assert restored.fingerprint == request.fingerprint
    assert (restored.labels, restored.classes) == (labels, classes)


def test_what_labels_are_is_a_part_of_the_fingerprint() -> None:
    texts = Texts(["p", "q"], np.full(2, None, dtype=object))
    found = {
        Request("m", "fast", "", 2, 0, task, texts, ["1.0", "2.0"]).fingerprint
        for task in ("classification", "regression")
    }
    assert len(found) == 2
