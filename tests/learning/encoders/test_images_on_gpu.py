"""Images read on what stands for a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sqlfuncs.learning.encoders import encoders
from tests.conftest import needs_local
from tests.learning.encoders import standins
from tests.learning.encoders.standins import GPU
from tests.learning.encoders.standins import unfailed as unfailed
from tests.learning.models.networks import tiny

pytestmark = [needs_local, pytest.mark.usefixtures("unfailed")]


@pytest.fixture
def reader(tmp_path: Path) -> Any:
    """A CLIP of random weights."""
    from transformers import (
        AutoTokenizer,
        CLIPConfig,
        CLIPImageProcessor,
        CLIPModel,
        CLIPProcessor,
    )

    small = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    config = CLIPConfig(
        text_config={**small, "vocab_size": 20},
        vision_config={**small, "image_size": 32, "patch_size": 16},
        projection_dim=16,
    )
    folder = tmp_path / "clip"
    words = AutoTokenizer.from_pretrained(tiny.encoder(tmp_path / "base"))
    images = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    CLIPModel(config).save_pretrained(folder)
    processor: Any = CLIPProcessor(images, words)  # type: ignore[no-untyped-call]
    processor.save_pretrained(folder)
    return encoders.of_images(str(folder))


def pictures() -> list[Any]:
    from PIL import Image

    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)) for _ in range(50)]


def test_a_gpu_reads_halves_and_gives_up(
    reader: Any, monkeypatch: pytest.MonkeyPatch, heard: list[str]
) -> None:
    expected = reader(pictures())
    assert expected.shape == (50, 16)
    standins.are_here(monkeypatch, GPU)
    sizes: list[int] = []
    most = [1_000]

    def fails(module: Any, args: Any) -> None:
        sizes.append(len(args[0]["pixel_values"]))
        if sizes[-1] > most[0]:
            raise standins.out_of_memory()

    reader._model.on(GPU).register_forward_pre_hook(fails)
    for most[0] in (1_000, 7, 0):
        sizes.clear()
        assert np.abs(reader(pictures()) - expected).max() < 1e-4
        assert [size > most[0] for size in sizes].count(True) == {1_000: 0, 7: 3, 0: 6}[most[0]]
    assert heard == [
        "the free memory of cpu:0 does not hold one image: it goes on on the processor"
    ]
