"""The registry of trained models: a folder for each version, complete or not there at all.

    SQLFUNCS_HOME/models/<name>-<digest>/<version>/manifest.json and the files it lists

A version is written aside and renamed into place, so that a reader, a crash or a second
trainer never meets half of one. Files that differ from their digest are refused.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

from sqlfuncs.errors import BadInput, DamagedModel, UnknownModel
from sqlfuncs.store.home import home

MANIFEST = "manifest.json"
_ABANDONED_SECONDS = 24 * 3600


@dataclass(frozen=True)
class ModelRecord:
    """What is known of a model's version; `version` is given when it is saved."""

    name: str
    base: str
    job_id: str
    kind: str
    classes: tuple[str, ...]
    rows: int
    cv_accuracy: float | None
    seconds: float
    fingerprint: str
    created_at: float
    version: int = 0
    bytes: int = 0


def check_name(name: object) -> str:
    """A name a model may have: no `@` (it pins a version), `:` (it names a provider) or controls.

    >>> check_name("politeness")
    'politeness'
    """
    if not isinstance(name, str) or not name.strip() or len(name) > 100:
        raise BadInput(f"{name!r} cannot name a model: it takes 1 to 100 characters of text.")
    if re.search(r"[@:\x00-\x1f\x7f]", name):
        raise BadInput(f"{name!r} cannot name a model: leave out '@', ':' and control characters.")
    return name


def save(record: ModelRecord, files: Mapping[str, bytes]) -> ModelRecord:
    """Store a model as the next version of its name."""
    record = replace(record, bytes=sum(len(content) for content in files.values()))
    aside = _root() / f".saving-{uuid.uuid4().hex}"
    aside.mkdir(parents=True)
    try:
        for name, content in files.items():
            _write(aside / name, content)
        digests = {name: sha256(content).hexdigest() for name, content in files.items()}
        folder = _folder(record.name)
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            saved = replace(record, version=max(_versions(folder), default=0) + 1)
            manifest = {"model": asdict(saved), "files": digests}
            _write(aside / MANIFEST, json.dumps(manifest, ensure_ascii=False).encode())
            try:
                aside.rename(folder / str(saved.version))
            except OSError:
                if not (folder / str(saved.version)).exists():
                    raise
                continue  # another trainer took this version; the next is ours
            return saved
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        _remove_abandoned()


def load(reference: str) -> tuple[ModelRecord, dict[str, bytes]]:
    """A model's newest version, or the one that `name@version` pins, with its files.

    Raises UnknownModel, listing what there is, and DamagedModel.
    """
    record = find(reference)
    folder = _folder(record.name) / str(record.version)
    manifest = json.loads((folder / MANIFEST).read_bytes())
    files = {}
    for name, digest in manifest["files"].items():
        try:
            content = (folder / name).read_bytes()
        except OSError as error:
            raise DamagedModel(f"{reference}: {name} cannot be read: {error}") from None
        if sha256(content).hexdigest() != digest:
            raise DamagedModel(
                f"{reference}: {folder / name} is not what was stored. Train it again with "
                f"fine_tune('{record.name}', ...)."
            )
        files[name] = content
    return record, files


def find(reference: str) -> ModelRecord:
    """The record that a name, or `name@version`, means."""
    name, _, pinned = reference.partition("@")
    versions = [record for record in records() if record.name == name]
    if pinned:
        versions = [record for record in versions if str(record.version) == pinned]
    if not versions:
        known = sorted({record.name for record in records()})
        raise UnknownModel(
            f"there is no model '{reference}'. "
            + (f"There are: {', '.join(known)}. " if known else "No model has been trained yet. ")
            + f"Type: FROM fine_tune('{name}', my_table, text, label)."
        )
    return versions[-1]


def records() -> list[ModelRecord]:
    """Every version of every model, in order of name and version."""
    if not _root().is_dir():
        return []
    found = [
        _read(folder / str(version))
        for folder in _root().iterdir()
        if folder.is_dir() and not folder.name.startswith(".")
        for version in _versions(folder)
    ]
    return sorted(found, key=lambda record: (record.name, record.version))


def drop(name: str) -> list[ModelRecord]:
    """Remove all versions of a model and return what they were. Raises UnknownModel."""
    find(name)
    if "@" in name:
        raise BadInput(
            f"drop_model takes a name without a version: drop_model('{name.partition('@')[0]}') "
            "removes all its versions."
        )
    gone = [record for record in records() if record.name == name]
    aside = _root() / f".dropped-{uuid.uuid4().hex}"
    _folder(name).rename(aside)
    shutil.rmtree(aside)
    return gone


def _root() -> Path:
    return home() / "models"


def _folder(name: str) -> Path:
    readable = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:40]
    return _root() / f"{readable}-{sha256(name.encode()).hexdigest()[:16]}"


def _versions(folder: Path) -> Iterator[int]:
    return (int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal())


def _read(folder: Path) -> ModelRecord:
    try:
        stored = json.loads((folder / MANIFEST).read_bytes())["model"]
        return ModelRecord(**{**stored, "classes": tuple(stored["classes"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedModel(
            f"{folder} holds no model that can be read ({error}). Delete that folder."
        ) from None


def _write(file: Path, content: bytes) -> None:
    with file.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def _remove_abandoned() -> None:
    for folder in _root().glob(".*-*"):
        if time.time() - folder.stat().st_mtime > _ABANDONED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
