"""Texts read on one GPU or several: batches dealt in turn, the next ones made ready meanwhile.

Uses torch. A batch has texts of one length, as on the processor, so nothing is padded, and as
many as a bound of tokens takes. Two are under way on each GPU, so that one is copied while the
other is computed, and a few more wait. What no GPU can compute is read as the processor reads, to
the same bits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, NamedTuple, Protocol

import numpy as np

from sqlfuncs.learning.encoders.batches import Vectors, by_length, in_batches, in_turn
from sqlfuncs.learning.encoders.device import (
    CPU,
    Device,
    Failed,
    attempt,
    is_usable,
    say_too_small,
)

Tokens = Sequence[int]
Window = tuple[Sequence[int], Sequence[Tokens]]  # positions of texts, and their tokens
Compute = Callable[[Any, Any], Any]  # a model and ids (rows, length): a float32 tensor, by rows
# Chosen without a GPU to measure on: so many are to hide what a batch costs. Where memory does not
# hold them they are halved.
TOKENS = {"cuda": 32_768, "mps": 8_192}
_UNDER_WAY = 2  # batches of each GPU
_DEALT = 8  # batches for each GPU: it is busy while what is read is written down
_WINDOW = 4_096  # texts that are split into tokens at once
_AHEAD = 2  # windows that wait to be read


class Batch(NamedTuple):
    """Positions of texts, a row for each, and where they were computed."""

    places: list[int]
    vectors: Vectors
    device: Device


class Model(Protocol):
    """A model that may be on several devices."""

    def on(self, device: Device) -> Any:
        """The model there."""


def on_processor(tokens: Sequence[Tokens], compute: Compute, model: Model) -> Iterator[Batch]:
    """Batch by batch, as the processor reads."""
    own = model.on(CPU)

    def run(ids: Any) -> Vectors:
        vectors: Vectors = compute(own, ids).numpy()
        return vectors

    for places, vectors in in_batches(tokens, run):
        yield Batch(places, vectors, CPU)


def tokenized_ahead(
    texts: Sequence[str], tokenize: Callable[[Sequence[str]], list[Tokens]]
) -> Iterator[Window]:
    """Windows of texts, split into tokens by a thread while others are read; the longest first.

    So a window's texts are of like length, and make few batches. Raises what `tokenize` does.
    """
    order = sorted(range(len(texts)), key=lambda at: -len(texts[at]))
    pool = ThreadPoolExecutor(1)

    def submitted() -> Iterator[tuple[list[int], Future[list[Tokens]]]]:
        for start in range(0, len(order), _WINDOW):
            places = order[start : start + _WINDOW]
            context = copy_context()  # whose Ctrl-C it is to hear
            yield places, pool.submit(context.run, tokenize, [texts[at] for at in places])

    try:
        yield from in_turn(submitted(), _AHEAD)
    finally:
        pool.shutdown(cancel_futures=True)


def read(
    windows: Iterable[Window], compute: Compute, model: Model, devices: Sequence[Device]
) -> Iterator[Batch]:
    """Batch by batch. Which GPU a batch was dealt to changes nothing but the time."""
    every = [_Gpu(device, compute, model) for device in devices]
    dealt: deque[tuple[list[int], list[Tokens], _Gpu, Future[Vectors | None]]] = deque()
    left = _Left(compute, model)
    pool = ThreadPoolExecutor(_UNDER_WAY * len(every))
    at_most = max(gpu.tokens_at_most for gpu in every)
    try:
        for turn, (places, rows) in enumerate(_batches(windows, at_most)):
            usable = [gpu for gpu in every if is_usable(gpu.device)]
            if usable:
                gpu = usable[turn % len(usable)]
                dealt.append((places, rows, gpu, pool.submit(gpu.vectors, rows)))
            else:
                left.add(places, rows)
            if dealt and (len(dealt) > _DEALT * len(every) or not usable):
                yield from _finished(*dealt.popleft(), every, left)
            if left.tokens >= at_most:
                yield from left.read()
        while dealt:
            yield from _finished(*dealt.popleft(), every, left)
        yield from left.read()
    finally:
        pool.shutdown(cancel_futures=True)


def _finished(
    places: list[int],
    rows: list[Tokens],
    gpu: _Gpu,
    future: Future[Vectors | None],
    every: Sequence[_Gpu],
    left: _Left,
) -> Iterator[Batch]:
    """A batch, once it is read; what a GPU had that failed is read by the next one that has not."""
    vectors = future.result()
    while vectors is None and not is_usable(gpu.device):
        usable = [other for other in every if is_usable(other.device)]
        if not usable:
            break
        gpu = usable[0]
        vectors = gpu.vectors(rows)
    if vectors is None:
        left.add(places, rows)
    else:
        yield Batch(places, vectors, gpu.device)


def _batches(windows: Iterable[Window], at_most: int) -> Iterator[tuple[list[int], list[Tokens]]]:
    for places, tokens in windows:
        some = [ids or [0] for ids in tokens]
        for part in by_length(some, at_most):
            yield [places[at] for at in part], [some[at] for at in part]


class _Left:
    """What no GPU could compute: read on the processor, together."""

    def __init__(self, compute: Compute, model: Model) -> None:
        self._compute, self._model = compute, model
        self._places: list[int] = []
        self._rows: list[Tokens] = []
        self.tokens = 0

    def add(self, places: list[int], rows: list[Tokens]) -> None:
        """Rows of one length."""
        self._places += places
        self._rows += rows
        self.tokens += len(rows) * len(rows[0])

    def read(self) -> Iterator[Batch]:
        """All of it; then nothing is left."""
        places, rows = self._places, self._rows
        self._places, self._rows, self.tokens = [], [], 0
        if rows:
            for some, vectors, device in on_processor(rows, self._compute, self._model):
                yield Batch([places[at] for at in some], vectors, device)


class _Gpu:
    """A GPU, and how many tokens it takes at once: half as many, whenever they were too many."""

    def __init__(self, device: Device, compute: Compute, model: Model) -> None:
        self.device = device
        self.tokens_at_most = TOKENS[device.kind]
        self._compute, self._model = compute, model

    def vectors(self, rows: Sequence[Tokens]) -> Vectors | None:
        """Of rows of one length: (rows, ...). None if it cannot compute them."""
        if not is_usable(self.device):
            return None
        done: list[Vectors] = []
        at, length = 0, len(rows[0])
        while at < len(rows):
            part = rows[at : at + max(1, self.tokens_at_most // length)]
            found = attempt(self.device, lambda part=part: self._run(part))  # type: ignore[misc]
            if found is Failed.DEVICE:
                return None
            if found is Failed.MEMORY:
                if len(part) == 1:
                    say_too_small(self.device, f"a text of {length:,} tokens")
                    return None
                self.tokens_at_most = len(part) // 2 * length
            else:
                done.append(found)
                at += len(part)
        return np.concatenate(done)

    def _run(self, rows: Sequence[Tokens]) -> Vectors:
        import torch

        ids = torch.tensor(rows)
        if self.device.name.startswith("cuda"):
            ids = ids.pin_memory()
        ids = ids.to(self.device.name, non_blocking=True)
        with torch.inference_mode():
            found = self._compute(self._model.on(self.device), ids)
        vectors: Vectors = found.cpu().numpy()
        return vectors
