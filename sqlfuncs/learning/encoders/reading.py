"""Reading texts with a model, where it is to run: on the processor, or on GPUs. Uses torch."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlfuncs.learning.encoders import gpus
from sqlfuncs.learning.encoders.device import CPU, Device, devices, ready
from sqlfuncs.learning.encoders.gpus import Batch, Compute, Model, Tokens


class Replicas:
    """A model on each device that reads with it: the one that was loaded, and copies of it."""

    def __init__(self, loaded: Any, *, is_cast: bool = True) -> None:
        """`loaded` is on the processor; with `is_cast` each is run in its device's precision."""
        self._loaded, self._is_cast = loaded, is_cast
        self._made: dict[Device, Any] = {}
        self._making = threading.Lock()

    def on(self, device: Device) -> Any:
        """The model there; made when it is first asked for."""
        with self._making:
            if device not in self._made:
                own = self._loaded if device == CPU else copy.deepcopy(self._loaded)
                own = ready(own, device) if self._is_cast else own.eval().to(device.name)
                if device.kind == "cuda":
                    _fuse_attention(own)
                self._made[device] = own
            return self._made[device]


def _fuse_attention(model: Any) -> None:
    """Models are loaded with plain attention, for its bits; on CUDA torch's kernel is faster."""
    for each in model.modules():
        if hasattr(each, "set_attn_implementation"):
            each.set_attn_implementation("sdpa")


def read(
    texts: Sequence[str],
    tokenize: Callable[[Sequence[str]], list[Tokens]],
    compute: Compute,
    model: Model,
    on: tuple[Device, ...] | None = None,
) -> Iterator[Batch]:
    """Batch by batch: positions in `texts`, what `compute` gives for them, and where it was made.

    On GPUs texts are split into tokens while others are read. `on` is where, by default where
    models run. Raises BadOption, Cancelled.
    """
    on = devices() if on is None else on
    if on == (CPU,):
        return gpus.on_processor(tokenize(texts), compute, model)
    return gpus.read(gpus.tokenized_ahead(texts, tokenize), compute, model, on)


def read_tokens(
    tokens: Sequence[Tokens], compute: Compute, model: Model, on: tuple[Device, ...] | None = None
) -> Iterator[Batch]:
    """As `read`, of texts that are tokens already."""
    on = devices() if on is None else on
    if on == (CPU,):
        return gpus.on_processor(tokens, compute, model)
    return gpus.read([(list(range(len(tokens))), tokens)], compute, model, on)
