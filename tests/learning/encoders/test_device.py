from __future__ import annotations

from itertools import product

import duckdb
import pytest

from sqlfuncs.errors import BadOption
from sqlfuncs.learning.encoders import device
from sqlfuncs.learning.encoders.device import CPU, Device, Present, chosen, devices
from tests.conftest import needs_local
from tests.learning.encoders import standins
from tests.learning.encoders.standins import unfailed as unfailed

NONE, ONE, TWO = Present(), Present(cuda=1), Present(cuda=2)
APPLE, BOTH = Present(mps=True, built_for_cuda=False), Present(cuda=1, mps=True)
PLAIN = Present(built_for_cuda=False)
MACHINES = {"none": NONE, "one": ONE, "two": TWO, "apple": APPLE, "both": BOTH, "plain": PLAIN}
REFUSED = None
# What is asked for, and the names of what it gives on each machine.
TABLE: dict[str | None, dict[str, list[str] | None]] = {
    None: {
        "none": ["cpu"],
        "one": ["cuda:0"],
        "two": ["cuda:0", "cuda:1"],
        "apple": ["mps"],
        "both": ["cuda:0"],
        "plain": ["cpu"],
    },
    "cpu": {machine: ["cpu"] for machine in MACHINES},
    "cuda": {
        "none": REFUSED,
        "one": ["cuda:0"],
        "two": ["cuda:0", "cuda:1"],
        "apple": REFUSED,
        "both": ["cuda:0"],
        "plain": REFUSED,
    },
    "cuda:0": {
        "none": REFUSED,
        "one": ["cuda:0"],
        "two": ["cuda:0"],
        "apple": REFUSED,
        "both": ["cuda:0"],
        "plain": REFUSED,
    },
    "cuda:1": {**dict.fromkeys(MACHINES, REFUSED), "two": ["cuda:1"]},
    "cuda:7": dict.fromkeys(MACHINES, REFUSED),
    "mps": {**dict.fromkeys(MACHINES, REFUSED), "apple": ["mps"], "both": ["mps"]},
    "gpu": dict.fromkeys(MACHINES, REFUSED),
    "cuda:": dict.fromkeys(MACHINES, REFUSED),
    "cuda:-1": dict.fromkeys(MACHINES, REFUSED),
    "cuda:one": dict.fromkeys(MACHINES, REFUSED),
    "mps:0": dict.fromkeys(MACHINES, REFUSED),
    "0": dict.fromkeys(MACHINES, REFUSED),
    "cpu,cuda": dict.fromkeys(MACHINES, REFUSED),
}
SAME = {"": None, "  ": None, " CPU ": "cpu", "Cuda": "cuda", "CUDA:1": "cuda:1", "MPS": "mps"}


@pytest.mark.parametrize(("asked", "machine"), list(product(TABLE, MACHINES)))
def test_what_is_asked_for_on_each_machine(asked: str | None, machine: str) -> None:
    there, expected = MACHINES[machine], TABLE[asked][machine]
    if expected is not None:
        assert [each.name for each in chosen(asked, there)] == expected
        return
    with pytest.raises(BadOption) as refusal:
        chosen(asked, there)
    said = str(refusal.value)
    assert said.startswith(f"SQLFUNCS_DEVICE is '{asked}', ")
    assert "'cpu'" in said
    for number in range(there.cuda):
        assert f"'cuda:{number}'" in said
    assert ("'mps'" in said.replace("is 'mps'", "")) == there.mps


@pytest.mark.parametrize(("written", "meant"), SAME.items())
def test_blanks_and_case_do_not_matter(written: str, meant: str | None) -> None:
    there = Present(cuda=2, mps=True)
    assert chosen(written, there) == chosen(meant, there)


def test_messages() -> None:
    def said(asked: str, there: Present) -> str:
        with pytest.raises(BadOption) as refusal:
            chosen(asked, there)
        return str(refusal.value)

    assert said("cuda:3", TWO) == (
        "SQLFUNCS_DEVICE is 'cuda:3', which is not on this machine. It may be 'cuda', 'cuda:0', "
        "'cuda:1', 'cpu': set it to one of these, or unset it to take the fastest."
    )
    assert "but the torch that is installed was built without CUDA" in said("cuda", PLAIN)
    assert "which is no device" in said("tpu", ONE)
    assert "which is not on this machine" in said("mps", PLAIN)


@needs_local
def test_the_environment_decides(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQLFUNCS_DEVICE", "cpu")
    assert devices() == (CPU,)
    vector = con.execute("SELECT embed('a text about where models run')").fetchall()
    assert len(vector[0][0]) == 384
    monkeypatch.setenv("SQLFUNCS_DEVICE", "gpu")
    with pytest.raises(BadOption, match="SQLFUNCS_DEVICE is 'gpu', which is no device"):
        devices()
    with pytest.raises(duckdb.Error, match="SQLFUNCS_DEVICE is 'gpu', which is no device"):
        con.execute("SELECT embed('a text')").fetchall()


@needs_local
def test_a_machine_is_asked_what_it_has() -> None:
    import torch

    assert device.present().cuda == torch.cuda.device_count()
    assert device.present().mps == torch.backends.mps.is_available()


@needs_local
def test_what_failed_is_left_out_and_said_once(
    monkeypatch: pytest.MonkeyPatch, unfailed: None, heard: list[str]
) -> None:
    standins.are_here(monkeypatch, standins.GPU, standins.OTHER)
    device.leave(standins.GPU, standins.broken())
    device.leave(standins.GPU, standins.broken())
    assert devices() == (standins.OTHER,)
    device.leave(standins.OTHER, standins.broken())
    assert devices() == (CPU,)
    assert len(heard) == 2
    assert heard[0].startswith("cpu:0 failed (CUDA error: an illegal memory access")
    assert heard[0].endswith("the work goes on on cpu:1")
    assert heard[1].endswith("the work goes on on the processor")


@needs_local
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (standins.out_of_memory, True),
        (lambda: RuntimeError("MPS backend out of memory (MPS allocated: 9.07 GB)"), True),
        (lambda: RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), True),
        (standins.broken, False),
        (lambda: RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
)
def test_what_is_out_of_memory(error: object, expected: bool) -> None:
    assert callable(error)
    assert device.is_out_of_memory(error()) is expected


@needs_local
def test_keys_of_the_processor_are_as_ever_and_those_of_gpus_are_others() -> None:
    numbers = device.precision()
    assert device.way(CPU) == numbers
    ways = {device.way(each) for each in (CPU, standins.GPU, standins.MPS)}
    assert ways == {numbers, f"cuda:{numbers}", f"mps:{numbers}"}
    assert device.way(Device("cuda", "cpu:0")) == device.way(Device("cuda", "cpu:1"))
