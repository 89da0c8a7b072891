"""Reading on GPUs, in whose place the processor stands: it deals, halves, and fails alike."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from sqlfuncs.learning.encoders import device, gpus, reading
from sqlfuncs.learning.encoders.batches import Vectors
from sqlfuncs.learning.encoders.device import CPU, Device
from tests.conftest import needs_local
from tests.learning.encoders import standins
from tests.learning.encoders.standins import GPU, MPS, OTHER
from tests.learning.encoders.standins import unfailed as unfailed
from tests.waiting import patient

pytestmark = [needs_local, pytest.mark.usefixtures("unfailed")]
TEXTS = ["x" * (n * 7 % 60) for n in range(3000)]


def split(texts: Sequence[str]) -> list[Sequence[int]]:
    return [[1 + (at + len(text)) % 50 for at in range(len(text))] for text in texts]


class Read:
    """What a small network says of texts, which may fail before it says anything."""

    def __init__(self, fails: Callable[[Any, int], RuntimeError | None]) -> None:
        import torch
        from torch import nn

        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.network = nn.Sequential(nn.Embedding(60, 8), nn.Linear(8, 4))
        self.fails = fails
        self.model = reading.Replicas(self.network)
        self.sizes: list[tuple[bool, int]] = []  # whether on the processor, and how many rows
        self.lock = threading.Lock()

    def compute(self, model: Any, ids: Any) -> Any:
        with self.lock:
            on_processor = model is self.network
            self.sizes.append((on_processor, len(ids)))
            error = None if on_processor else self.fails(model, len(ids))
        if error is not None:
            raise error
        return model(ids).float().mean(dim=1)

    def of(self, *on: Device, texts: Sequence[str] = TEXTS) -> tuple[Vectors, list[Device]]:
        vectors = np.full((len(texts), 4), np.nan, dtype=np.float32)
        made: dict[int, Device] = {}
        for places, batch, where in reading.read(texts, split, self.compute, self.model, on):
            assert not made.keys() & set(places)
            vectors[places] = batch
            made.update(dict.fromkeys(places, where))
        return vectors, [made[at] for at in range(len(texts))]


def never(model: Any, rows: int) -> None:
    return None


def expected() -> Vectors:
    return Read(never).of(CPU)[0]


def test_every_text_is_read_once_in_few_batches() -> None:
    read = Read(never)
    vectors, made = read.of(GPU)
    assert np.abs(vectors - expected()).max() < 0.02  # of numbers in bfloat16
    assert set(made) == {GPU}
    assert len(read.sizes) == len({len(text) for text in TEXTS}) - 1  # none is read as one token
    assert max(rows for _, rows in read.sizes) <= gpus.TOKENS["cuda"]


def test_a_batch_takes_as_many_tokens_as_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gpus.TOKENS, "cuda", 100)
    read = Read(never)
    read.of(GPU, texts=["x" * 30] * 10 + ["x" * 101] * 2)
    assert sorted(rows for _, rows in read.sizes) == [1, 1, 1, 3, 3, 3]


def test_which_gpu_read_a_text_changes_nothing() -> None:
    read = Read(never)
    several, made = read.of(GPU, OTHER)
    assert set(made) == {GPU, OTHER}
    assert several.tobytes() == Read(never).of(GPU)[0].tobytes()
    assert read.model.on(GPU) is not read.model.on(OTHER)


@pytest.mark.parametrize("on", [(GPU,), (GPU, OTHER), (MPS,)])
def test_out_of_memory_halves_batches(on: tuple[Device, ...], heard: list[str]) -> None:
    def fails(model: Any, rows: int) -> RuntimeError | None:
        if rows <= 7:
            return None
        if on == (MPS,):
            return RuntimeError("MPS backend out of memory (MPS allocated: 9.07 GB)")
        return standins.out_of_memory()

    read = Read(fails)
    vectors, made = read.of(*on)
    assert np.abs(vectors - expected()).max() < 0.02
    assert CPU not in made
    assert heard == []
    too_large = sum(rows > 7 for _, rows in read.sizes)
    assert 0 < too_large < 60  # it is remembered: a few batches are tried that are too large


@pytest.mark.parametrize("on", [(GPU,), (GPU, OTHER)])
def test_without_any_memory_the_processor_reads(on: tuple[Device, ...], heard: list[str]) -> None:
    read = Read(lambda model, rows: standins.out_of_memory())
    vectors, made = read.of(*on)
    assert vectors.tobytes() == expected().tobytes()
    assert set(made) == {CPU}
    assert heard
    assert all("does not hold a text of" in said for said in heard)
    assert device.is_usable(GPU)  # another time there may be room


def test_only_what_a_gpu_does_not_hold_goes_to_the_processor(heard: list[str]) -> None:
    read = Read(never)

    def compute(model: Any, ids: Any) -> Any:
        if model is not read.network and ids.shape[1] > 50:
            raise standins.out_of_memory()
        return read.compute(model, ids)

    made = {}
    for places, _, where in reading.read(TEXTS, split, compute, read.model, (GPU,)):
        made.update(dict.fromkeys(places, where))
    assert {at for at, where in made.items() if where == CPU} == {
        at for at, text in enumerate(TEXTS) if len(text) > 50
    }
    assert len(made) == len(TEXTS)


@pytest.mark.parametrize("at", [1, 10, 40])
def test_a_gpu_that_breaks_loses_nothing(at: int, heard: list[str]) -> None:
    calls = iter(range(10_000))
    read = Read(lambda model, rows: standins.broken() if next(calls) >= at else None)
    vectors, made = read.of(GPU)
    assert not np.isnan(vectors).any()
    on_processor = np.array([where == CPU for where in made])
    assert 0 < on_processor.sum() < len(TEXTS)
    assert (vectors[on_processor] == expected()[on_processor]).all()
    assert np.abs(vectors - expected()).max() < 0.02
    assert len(heard) == 1
    assert not device.is_usable(GPU)
    assert set(Read(never).of(CPU)[1]) == {CPU}


def test_the_other_gpu_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gpus.TOKENS, "cuda", 1000)
    standins.are_here(monkeypatch, GPU, OTHER)
    read = Read(never)
    bad = read.model.on(GPU)
    calls = iter(range(10_000))
    read.fails = lambda model, rows: (
        standins.broken() if model is bad and next(calls) >= 3 else None
    )
    vectors, made = read.of(GPU, OTHER)
    assert np.abs(vectors - expected()).max() < 0.02
    assert made.count(OTHER) > len(TEXTS) / 2
    assert made.count(GPU) > 0
    assert made.count(CPU) == 0
    assert device.devices() == (OTHER,)


def test_a_fault_of_the_model_is_an_error_everywhere() -> None:
    read = Read(never)

    def compute(model: Any, ids: Any) -> Any:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        list(reading.read(TEXTS, split, compute, read.model, (GPU,)))


def test_tokens_are_made_ahead_but_not_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "_WINDOW", 100)
    windows: list[int] = []

    def slowly(texts: Sequence[str]) -> list[Sequence[int]]:
        windows.append(len(texts))
        return split(texts)

    reader = gpus.tokenized_ahead(TEXTS, slowly)
    first, _ = next(reader)
    assert [len(TEXTS[at]) for at in first] == [59] * 50 + [58] * 50  # the longest come first
    begun = time.monotonic()
    while len(windows) < 3 and time.monotonic() - begun < patient(10):
        time.sleep(0.01)
    time.sleep(0.1)
    assert windows == [100] * 3  # the one in use and two that wait
    others = [at for window, _ in reader for at in window]
    assert sorted([*first, *others]) == list(range(len(TEXTS)))


def test_an_error_of_the_tokenizer_is_raised_and_no_thread_is_left() -> None:
    read = Read(never)

    def fails(texts: Sequence[str]) -> list[Sequence[int]]:
        raise ValueError("no such word")

    before = set(threading.enumerate())
    with pytest.raises(ValueError, match="no such word"):
        list(reading.read(TEXTS, fails, read.compute, read.model, (GPU,)))
    reader = reading.read(TEXTS, split, read.compute, read.model, (GPU, OTHER))
    next(reader)
    reader.close()  # type: ignore[attr-defined]
    assert set(threading.enumerate()) <= before


def test_tokens_that_are_there_are_read_as_texts_are() -> None:
    read = Read(never)
    vectors = np.empty((len(TEXTS), 4), dtype=np.float32)
    for places, batch, _ in reading.read_tokens(split(TEXTS), read.compute, read.model, (GPU,)):
        vectors[places] = batch
    assert vectors.tobytes() == Read(never).of(GPU)[0].tobytes()
    assert list(reading.read_tokens([], read.compute, read.model, (GPU,))) == []
