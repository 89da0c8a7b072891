"""Where models run: GPUs if there are any, else the processor. Asks torch and SQLFUNCS_DEVICE.

The one place that decides it, for encoders, language models and training alike. A GPU that has
failed is left alone until the process ends: after an error of CUDA no other call to it succeeds.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar

from sqlfuncs import work
from sqlfuncs.errors import BadOption

_Result = TypeVar("_Result")
VARIABLE = "SQLFUNCS_DEVICE"
# What CUDA, cuBLAS and MPS say, where it is no `torch.OutOfMemoryError`.
_NO_MEMORY = ("out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")


@dataclass(frozen=True)
class Device:
    """`kind` is 'cpu', 'cuda' or 'mps'; `name` is what torch calls it, such as 'cuda:1'."""

    kind: str
    name: str


CPU = Device("cpu", "cpu")


@dataclass(frozen=True)
class Present:
    """What a machine has beside its processor; `built_for_cuda` is whether torch could use one."""

    cuda: int = 0
    mps: bool = False
    built_for_cuda: bool = True


class Failed(Enum):
    """Why a GPU gave no result."""

    MEMORY = "out of memory"
    DEVICE = "broken"


def chosen(asked: str | None, present: Present) -> tuple[Device, ...]:
    """The devices to run on, at least one: what was asked for, else the fastest kind there is.

    'cuda' stands for all GPUs, 'cuda:1' for the second one. Raises BadOption for what is no
    device, and for one that is not there.

    >>> [device.name for device in chosen(None, Present(cuda=2))]
    ['cuda:0', 'cuda:1']
    """
    name = (asked or "").strip().lower()
    gpus = [Device("cuda", f"cuda:{at}") for at in range(present.cuda)]
    known = {
        **({"cuda": tuple(gpus)} if gpus else {}),
        **{each.name: (each,) for each in gpus},
        **({"mps": (Device("mps", "mps"),)} if present.mps else {}),
        "cpu": (CPU,),
    }
    if not name:
        return next(iter(known.values()))
    if name not in known:
        raise BadOption(_refusal(name, list(known), present))
    return known[name]


def _refusal(name: str, known: list[str], present: Present) -> str:
    kind, _, number = name.partition(":")
    is_one = name in ("cuda", "mps") or (kind == "cuda" and number.isdecimal())
    reason = "which is not on this machine" if is_one else "which is no device"
    if is_one and kind == "cuda" and not present.built_for_cuda:
        reason = "but the torch that is installed was built without CUDA"
    there = ", ".join(f"'{each}'" for each in known)
    return (
        f"{VARIABLE} is '{name}', {reason}. It may be {there}: set it to one of these, or unset it "
        "to take the fastest."
    )


def devices() -> tuple[Device, ...]:
    """Those to run on in this process, now: without GPUs that have failed. Raises BadOption."""
    usable = tuple(each for each in chosen(os.environ.get(VARIABLE), present()) if is_usable(each))
    return usable or (CPU,)


@cache
def present() -> Present:
    """What torch finds on this machine."""
    work.ready("torch")
    import torch

    return Present(
        torch.cuda.device_count() if torch.cuda.is_available() else 0,
        torch.backends.mps.is_available(),
        torch.backends.cuda.is_built(),  # type: ignore[no-untyped-call]
    )


def precision(on: Device = CPU) -> str:
    """The numbers a model is run in there: 'bf16' where these are multiplied fast, else 'fp32'.

    bfloat16 is about twice as fast on a processor; vectors keep a cosine above .999 to those of
    fp32.
    """
    work.ready("torch")
    import torch

    if on.name.startswith("cuda"):
        is_fast = torch.cuda.get_device_capability(on.name) >= (8, 0)
    else:
        is_fast = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # False on Macs
    return "bf16" if is_fast else "fp32"


def way(on: Device) -> str:
    """A part of the keys of what was computed: other devices and numbers make other bits."""
    return precision(on) if on == CPU else f"{on.kind}:{precision(on)}"


def ready(model: Any, on: Device = CPU) -> Any:
    """A torch model, moved there, ready to be run in its precision."""
    import torch

    numbers = {"bf16": torch.bfloat16, "fp32": torch.float32}[precision(on)]
    return model.eval().to(on.name, numbers)


def attempt(on: Device, compute: Callable[[], _Result]) -> _Result | Failed:
    """What is computed on a GPU, or why it is not. Says when a GPU has failed, once.

    No error is handed on: its traceback would hold on to the memory that is wanting.
    """
    try:
        return compute()
    except RuntimeError as error:  # torch has no narrower class for what CUDA and MPS raise
        out_of_memory = is_out_of_memory(error)
        if not out_of_memory:
            leave(on, error)
    if not out_of_memory:
        return Failed.DEVICE
    _empty_cache(on)
    return Failed.MEMORY


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether a GPU's memory does not hold what was to be computed."""
    import torch

    said = str(error)
    return isinstance(error, torch.OutOfMemoryError) or any(each in said for each in _NO_MEMORY)


_failed: set[Device] = set()
_failing = threading.Lock()


def leave(on: Device, error: BaseException) -> None:
    """Use a GPU no longer, and say so."""
    with _failing:
        is_new = on not in _failed
        _failed.add(on)
    if is_new:
        reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        others = [each.name for each in devices() if each != CPU] or ["the processor"]
        work.say(
            f"{on.name} failed ({reason}) and is not used again until this process ends; the work "
            f"goes on on {', '.join(others)}"
        )


def is_usable(on: Device) -> bool:
    """Whether it has not failed in this process."""
    return on not in _failed


def say_too_small(on: Device, what: str) -> None:
    """Say that a GPU cannot hold the least there is to compute, and that the processor does it."""
    work.say_once(f"the free memory of {on.name} does not hold {what}: it goes on on the processor")


def _empty_cache(on: Device) -> None:
    """Give back what torch keeps of a GPU's memory in pieces that are too small."""
    import torch

    if on.name.startswith("cuda"):
        torch.cuda.empty_cache()
    elif on.name == "mps":
        torch.mps.empty_cache()
