from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sqlfuncs.errors import BadInput, DamagedModel
from sqlfuncs.learning.models.networks.model import LEARNED, NetworkModel
from sqlfuncs.learning.models.networks.recipe import Recipe
from sqlfuncs.learning.rows.embedding import Embeddings
from sqlfuncs.learning.rows.text import Texts
from sqlfuncs.store import weights
from tests.conftest import needs_local
from tests.learning.models.networks import tiny

pytestmark = needs_local
VALUES, _ = tiny.rows(30)
TEXTS = Texts(VALUES, np.full(30, None, dtype=object))


def _model(base: Path, seed: int = 0, rank: int = 4) -> NetworkModel:
    """A model whose adapters are not what they began as."""
    import torch

    from sqlfuncs.learning.models.networks.network import untrained

    found = weights.get(str(base))
    network = untrained(found, Recipe(found.name, found.digest, rank=rank), 3, seed)
    torch.manual_seed(seed)
    for each in network.trainable_parameters().values():
        torch.nn.init.normal_(each, std=0.1)
    return NetworkModel(network.eval())


@pytest.mark.parametrize(("make", "rank"), [(tiny.encoder, 0), (tiny.causal, 4)])
def test_what_is_stored_is_restored(make: Any, rank: int, tmp_path: Path) -> None:
    model = _model(make(tmp_path / "base"), rank=rank)
    restored = NetworkModel.from_files(model.to_files(), 3)
    assert np.allclose(restored.predict(TEXTS), model.predict(TEXTS), atol=0.02)
    again = NetworkModel.from_files(restored.to_files(), 3)
    assert (again.predict(TEXTS) == restored.predict(TEXTS)).all()


def test_models_of_one_base_hold_it_once_and_leave_each_other_alone(tmp_path: Path) -> None:
    base = tiny.causal(tmp_path / "base")
    files = [_model(base, seed).to_files() for seed in (0, 1)]
    first = NetworkModel.from_files(files[0], 3)
    alone = first.predict(TEXTS)
    second = NetworkModel.from_files(files[1], 3)
    assert (first.predict(TEXTS) == alone).all()
    assert np.abs(second.predict(TEXTS) - alone).max() > 0.05

    def storage(model: NetworkModel) -> dict[str, int]:
        return {name: each.data_ptr() for name, each in model.network.base.named_parameters()}

    places, others = storage(first), storage(second)
    shared = {name for name in places if places[name] == others[name]}
    assert shared == {name for name in places if "lora" not in name}


def test_it_reads_texts_alone(tmp_path: Path) -> None:
    model = _model(tiny.encoder(tmp_path / "base"))
    with pytest.raises(BadInput, match="it cannot read embeddings"):
        model.predict(Embeddings(np.ones((1, 3)), np.array([None], dtype=object)))


def test_files_of_another_base_are_refused(tmp_path: Path) -> None:
    files = _model(tiny.encoder(tmp_path / "base")).to_files()
    with pytest.raises(DamagedModel, match="does not fit"):
        NetworkModel.from_files(files, 2)
    with pytest.raises(DamagedModel, match="does not fit"):
        NetworkModel.from_files({**files, LEARNED: _empty()}, 3)


def _empty() -> bytes:
    from safetensors.torch import save

    return save({})
