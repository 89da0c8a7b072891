from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sqlfuncs.learning.models.networks.recipe import Recipe
from sqlfuncs.store import weights
from tests.conftest import needs_local
from tests.learning.models.networks import tiny

pytestmark = [needs_local, pytest.mark.slow]
TEXTS, LABELS = tiny.rows(240)
CODES = np.array([label == "delivery" for label in LABELS], dtype=np.int64)
GROUPS = [text.encode() for text in TEXTS]


@pytest.fixture(params=["encoder", "causal"])
def recipe(request: pytest.FixtureRequest, tmp_path: Path) -> Recipe:
    """Of a base of each kind, quick to learn."""
    folder = getattr(tiny, request.param)(tmp_path / request.param)
    found = weights.get(str(folder))
    rank = {"encoder": 0, "causal": 4}[request.param]
    layers = {"encoder": 0, "causal": 4}[request.param]
    return Recipe(
        found.name, found.digest, layers=layers, rank=rank, epochs=6, rate=5e-3, head_rate=5e-2
    )


def _network(recipe: Recipe) -> Any:
    from sqlfuncs.learning.models.networks.network import untrained

    return untrained(weights.get(recipe.base), recipe, 2, seed=0)


def _rows(network: Any, counts: float = 1.0) -> Any:
    from sqlfuncs.learning.models.networks.training import Rows

    return Rows(network.tokens(TEXTS), CODES, np.full(len(CODES), counts, dtype=np.float32))


def _train(network: Any, **more: Any) -> float:
    from sqlfuncs.learning.models.networks import training

    rows = more.pop("rows", None) or _rows(network)
    step = more.pop("step", lambda done: None)
    return training.train(network, rows, GROUPS, seed=more.pop("seed", 0), step=step, **more)


def _bytes(network: Any) -> bytes:
    return b"".join(
        each.detach().cpu().numpy().tobytes() for each in network.trainable_parameters().values()
    )


def test_it_learns_what_can_be_learned(recipe: Recipe) -> None:
    from sqlfuncs.learning.models.networks.training import predictions

    network = _network(recipe)
    steps: list[float] = []
    assert _train(network, step=steps.append) > 0.9
    assert steps == sorted(steps)
    assert steps[-1] <= 1.0
    probs = predictions(network, network.tokens(TEXTS))
    assert probs.shape == (240, 2)
    assert np.allclose(probs.sum(axis=1), 1)
    assert (probs.argmax(axis=1) == CODES).mean() > 0.9


def test_adapters_leave_the_base_as_it_is(tmp_path: Path) -> None:
    found = weights.get(str(tiny.causal(tmp_path / "base", seed=0)))
    recipe = Recipe(found.name, found.digest, layers=4, rank=4, epochs=1)
    network = _network(recipe)
    before = {n: p.clone() for n, p in network.named_parameters() if not p.requires_grad}
    assert len(network.base.layers) == 4
    _train(network)
    after = dict(network.named_parameters())
    assert all((after[name] == each).all() for name, each in before.items())
    assert all(
        "lora" in name or name.startswith("head.") for name in network.trainable_parameters()
    )


def test_a_base_in_bf16_is_trained_in_what_this_processor_multiplies_in(tmp_path: Path) -> None:
    """In the other one a step of SmolLM2 takes minutes."""
    import torch

    from sqlfuncs.learning.encoders.device import precision

    found = weights.get(str(tiny.causal(tmp_path / "base", torch.bfloat16, seed=0)))
    network = _network(Recipe(found.name, found.digest, layers=4, rank=4))
    own = {each.dtype for each in network.base.parameters() if not each.requires_grad}
    assert own == {{"fp32": torch.float32, "bf16": torch.bfloat16}[precision()]}
    assert {each.dtype for each in network.trainable_parameters().values()} == {torch.float32}


def test_the_same_again_is_the_same(recipe: Recipe) -> None:
    one, other, third = _network(recipe), _network(recipe), _network(recipe)
    assert _train(one) == _train(other)
    assert _bytes(one) == _bytes(other)
    _train(third, seed=-1)
    assert _bytes(third) != _bytes(one)


def test_it_goes_on_from_where_it_was_broken_off(recipe: Recipe) -> None:
    whole, kept = _network(recipe), []
    accuracy = _train(whole)

    def keep(progress: Any) -> None:
        kept.append(progress)
        if progress.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _train(_network(recipe), keep=keep)
    resumed = _network(recipe)
    assert _train(resumed, progress=kept[-1]) == accuracy
    assert _bytes(resumed) == _bytes(whole)


def test_rows_that_count_nothing_teach_nothing(recipe: Recipe) -> None:
    from sqlfuncs.learning.models.networks.training import Rows

    network = _network(recipe)
    wrong = np.arange(240) % 7 == 0
    codes = np.where(wrong, 1 - CODES, CODES)
    rows = Rows(network.tokens(TEXTS), codes, np.where(wrong, 0, 1).astype(np.float32))
    _train(network, rows=rows)
    from sqlfuncs.learning.models.networks.training import predictions

    found = predictions(network, network.tokens(TEXTS)).argmax(axis=1)
    assert (found == CODES).mean() > 6 / 7 + 0.02  # what learned all would have six of seven right


def test_few_rows_hold_nothing_out(recipe: Recipe) -> None:
    from sqlfuncs.learning.models.networks import training

    network = _network(replace(recipe, epochs=2))
    rows = training.Rows(network.tokens(TEXTS[:3]), CODES[:3], np.ones(3, dtype=np.float32))
    accuracy = training.train(network, rows, GROUPS[:3], seed=0, step=lambda done: None)
    assert np.isnan(accuracy)


def test_what_is_held_out_is_a_tenth_of_each_class_in_whole_groups() -> None:
    from sqlfuncs.learning.models.networks.training import held_out

    groups = [str(at // 2).encode() for at in range(400)]
    codes = np.arange(400) // 2 % 4
    out = held_out(codes, groups, seed=1)
    assert np.bincount(codes[out]).tolist() == [10, 10, 10, 10]
    assert (out[::2] == out[1::2]).all()
    assert (held_out(codes, groups, seed=2) != out).any()
