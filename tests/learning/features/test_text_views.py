"""Which views texts have, and models that are kept with the features of two encoders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sqlfuncs.learning.encoders import encoders
from sqlfuncs.learning.features import features
from sqlfuncs.learning.features.features import TextFeatures
from sqlfuncs.learning.features.scaling import VarianceWeighting
from sqlfuncs.learning.features.text_views import text_views
from sqlfuncs.learning.rows.text import Texts
from sqlfuncs.store import weights
from tests.conftest import needs_local
from tests.learning.models.networks import tiny

TEXTS = [f"parcel {n} {'!?.'[n % 3]} " * (1 + n % 7) for n in range(40)]


def test_without_an_encoder_there_are_words() -> None:
    assert [view.name for view in text_views([])] == ["words"]


@needs_local
def test_beside_middle_layers_words_are_of_topic_and_tone_has_a_head_of_its_own(
    tmp_path: Path,
) -> None:
    first = encoders.encoder(weights.MINILM)
    fast = text_views([first])
    assert [view.parts for view in fast] == [[], [0], [1]]
    middle = encoders.encoder(str(tiny.encoder(tmp_path / "encoder", layers=6)), is_middle=True)
    best = text_views([first, middle])
    assert [list(view.parts) for view in best] == [[], [0], [2], [0, 1, 2]]
    assert [view.goes_by_variance for view in best] == [False, False, True, False]
    words = best[0]
    assert words.inverse_penalty_among(64) > words.inverse_penalty_among(65)
    assert words.inverse_penalty_among(65) == fast[0].inverse_penalty_among(2)


@needs_local
def test_features_of_two_encoders_are_restored_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    middle = encoders.encoder(str(tiny.encoder(tmp_path / "encoder", layers=6)), is_middle=True)
    both = (encoders.encoder(weights.MINILM), middle)
    monkeypatch.setattr(encoders, "for_model", lambda _: both)
    learned, views = TextFeatures.learn(TEXTS, "best")
    assert len(views) == len(learned.view_names) == learned.count == 4
    rows = Texts(TEXTS, np.full(len(TEXTS), None, dtype=object))
    restored = features.restore(*learned.state())
    for own, again in zip(learned.views(rows), restored.views(rows), strict=True):
        assert abs(own - again).max() == 0
    assert np.square(views[2]).sum(axis=1).mean() == pytest.approx(1, rel=1e-3)


def test_what_varies_more_weighs_more_and_what_does_not_vary_nothing() -> None:
    random = np.random.default_rng(0)
    vectors = random.standard_normal((3_000, 3)) * [3, 1, 0]
    weighting = VarianceWeighting.learn(vectors.astype(np.float32))
    deviations = weighting(vectors.astype(np.float32)).std(axis=0)
    assert deviations[0] / deviations[1] == pytest.approx(9, rel=0.1)  # squared
    assert deviations[2] == pytest.approx(0, abs=1e-6)
    same = np.zeros((5, 3), dtype=np.float32)
    assert not VarianceWeighting.learn(same)(same).any()
