"""Where a training stood after an epoch, in one file that is complete or not there."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlfuncs import work
from sqlfuncs.store.home import made_file

if TYPE_CHECKING:
    from sqlfuncs.learning.models.networks.training import Progress

_FILE = "checkpoint.safetensors"


def keep(folder: Path, progress: Progress) -> None:
    """Write it down. A disk that is full ends no training: it goes on without, and says so."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    tensors: dict[str, Any] = {}
    about: dict[str, str] = {}
    for each in fields(progress):
        value = getattr(progress, each.name)
        if isinstance(value, dict):
            tensors |= {f"{each.name}/{name}": tensor for name, tensor in value.items()}
        else:
            about[each.name] = repr(value)
    aside = folder / f"{_FILE}.aside"
    try:
        save_file(tensors, made_file(aside), about)
        aside.replace(folder / _FILE)
    except (OSError, SafetensorError) as error:
        aside.unlink(missing_ok=True)
        work.say_once(f"no checkpoint is kept in {folder}: {error}. Training goes on without.")


def is_kept(folder: Path) -> bool:
    """Whether there is one."""
    return (folder / _FILE).is_file()


def kept(folder: Path) -> Progress | None:
    """What `keep` wrote last, if it did."""
    from safetensors import SafetensorError, safe_open

    from sqlfuncs.learning.models.networks.training import Progress

    if not is_kept(folder):
        return None
    progress = Progress()
    try:
        with safe_open(folder / _FILE, framework="pt") as opened:
            for name, value in opened.metadata().items():
                kind = type(getattr(progress, name))
                setattr(progress, name, kind(value))
            for name in opened.keys():  # noqa: SIM118 (it is no mapping)
                part, _, own = name.partition("/")
                tensors: dict[str, Any] = getattr(progress, part)
                tensors[own] = opened.get_tensor(name)
    except (OSError, SafetensorError, ValueError, AttributeError) as error:
        work.say(f"the checkpoint in {folder} cannot be used ({error}); training begins anew")
        return None
    return progress
