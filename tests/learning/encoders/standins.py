"""The processor in the place of GPUs, and how these fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sqlfuncs.learning.encoders import device
from sqlfuncs.learning.encoders.device import Device

# What runs on them runs on the processor; torch calls it by each of these names.
GPU, OTHER, MPS = Device("cuda", "cpu:0"), Device("cuda", "cpu:1"), Device("mps", "cpu:0")


@pytest.fixture
def unfailed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No GPU has failed, and what fails meanwhile is forgotten."""
    monkeypatch.setattr(device, "_failed", set())
    yield


def are_here(monkeypatch: pytest.MonkeyPatch, *there: Device) -> None:
    """Let models run on these devices."""
    monkeypatch.setattr(device, "chosen", lambda asked, present: there)


def out_of_memory() -> RuntimeError:
    """What torch raises."""
    import torch

    return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def broken() -> RuntimeError:
    """What torch raises, and nothing of CUDA works from then on."""
    import torch

    return torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
