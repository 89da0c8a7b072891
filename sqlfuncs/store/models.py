"""The registry of trained models: a folder for each version, complete or not there at all.

    SQLFUNCS_HOME/models/<name>-<digest>/<version>/manifest.json and the files it lists

A version is written aside and renamed into place, so that a reader, a crash or a second
trainer never meets half of one. Files that differ from their digest are refused.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

from sqlfuncs import work
from sqlfuncs.errors import BadInput, CannotKeep, DamagedModel, UnknownModel
from sqlfuncs.store.home import home

MANIFEST = "manifest.json"
_TRIES = 3  # at reading a version that is there and cannot be read
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


def check_home() -> None:
    """Raise CannotKeep, before any work is done, if no model can be stored."""
    try:
        _root().mkdir(parents=True, exist_ok=True)
        (aside := _aside()).mkdir()
        aside.rmdir()
    except OSError as error:
        raise _cannot_keep(error) from None


def save(record: ModelRecord, files: Mapping[str, bytes]) -> ModelRecord:
    """Store a model as the next version of its name. Raises CannotKeep."""
    try:
        return _save(record, files)
    except OSError as error:
        raise _cannot_keep(error) from error


def _cannot_keep(error: OSError) -> CannotKeep:
    return CannotKeep(
        f"a model cannot be kept in {_root()}: {error.strerror or error}. Make room or set the "
        "environment's SQLFUNCS_HOME to a folder that you may write to."
    )


def _aside() -> Path:
    return _root() / f".saving-{uuid.uuid4().hex}"


def _save(record: ModelRecord, files: Mapping[str, bytes]) -> ModelRecord:
    record = replace(record, bytes=sum(len(content) for content in files.values()))
    aside = _aside()
    aside.mkdir(parents=True)
    try:
        for name, content in files.items():
            _write(aside / name, content)
        digests = {name: sha256(content).hexdigest() for name, content in files.items()}
        folder = _folder(record.name)
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            saved = replace(record, version=max(_versions(folder), default=0) + 1)
            _write(aside / MANIFEST, _manifest(saved, digests))
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
    _, digests = _read(folder)
    files = {}
    for name, digest in digests.items():
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


def exists(name: str) -> bool:
    """Whether a model has this name."""
    return any(record.name == name for record in _of_folder(_folder(name), []))


def find(reference: str) -> ModelRecord:
    """The record that a name, or `name@version`, means."""
    name, _, pinned = reference.partition("@")
    damaged: list[DamagedModel] = []
    versions = [record for record in _of_folder(_folder(name), damaged) if record.name == name]
    if pinned and versions:
        has = ", ".join(str(record.version) for record in versions)
        versions = [record for record in versions if str(record.version) == pinned]
        if not versions:
            raise UnknownModel(f"there is no version {pinned} of '{name}'. It has: {has}.")
    if damaged and not versions:
        raise damaged[-1]
    if not versions:
        known = sorted({record.name for record in records()})
        raise UnknownModel(
            f"there is no model '{reference}'. "
            + (f"There are: {', '.join(known)}. " if known else "No model has been trained yet. ")
            + f"Type: FROM fine_tune('{name}', my_table, text, label). A model that is not "
            f"trained here is named with its provider: 'openai:{name}', 'local:{name}'."
        )
    return versions[-1]


def records() -> list[ModelRecord]:
    """Every version of every model, in order of name and version; damaged ones are remarked on."""
    if not _root().is_dir():
        return []
    damaged: list[DamagedModel] = []
    found = [
        record
        for folder in _root().iterdir()
        if not folder.name.startswith(".")
        for record in _of_folder(folder, damaged)
    ]
    for error in damaged:
        work.say_once(str(error))
    return sorted(found, key=lambda record: (record.name, record.version))


def drop(name: str) -> list[ModelRecord]:
    """Remove all versions of a model and return what they were. Raises UnknownModel."""
    if "@" in name:
        raise BadInput(
            f"drop_model takes a name without a version: drop_model('{name.partition('@')[0]}') "
            "removes all its versions."
        )
    if not _folder(name).is_dir():
        known = ", ".join(sorted({record.name for record in records()}))
        raise UnknownModel(
            f"there is no model '{name}' to drop. "
            + (f"There are: {known}." if known else "No model has been trained yet.")
        )
    gone = _of_folder(_folder(name), [])  # what is damaged goes too
    aside = _root() / f".dropped-{uuid.uuid4().hex}"
    _folder(name).rename(aside)
    shutil.rmtree(aside)
    return gone


def _root() -> Path:
    return home() / "models"


def _folder(name: str) -> Path:
    readable = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:40]
    return _root() / f"{readable}-{sha256(name.encode()).hexdigest()[:16]}"


def _versions(folder: Path) -> list[int]:
    try:
        return sorted(int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _of_folder(folder: Path, damaged: list[DamagedModel]) -> list[ModelRecord]:
    """The versions in a model's folder, in order; what cannot be read goes to `damaged`."""
    found = []
    for version in _versions(folder):
        # Another process may drop a version while it is read here, and save one in its place.
        for left in reversed(range(_TRIES)):
            try:
                found.append(_read(folder / str(version))[0])
                break
            except DamagedModel as error:
                if not (folder / str(version)).is_dir():
                    break
                if not left:
                    damaged.append(error)
    return found


def _manifest(record: ModelRecord, digests: Mapping[str, str]) -> bytes:
    described = {"model": asdict(record), "files": dict(digests)}
    return json.dumps({**described, "digest": _digest(described)}, ensure_ascii=False).encode()


def _digest(described: Mapping[str, object]) -> str:
    return sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _read(folder: Path) -> tuple[ModelRecord, dict[str, str]]:
    """A version's record, and the digests of its files."""
    try:
        stored = json.loads((folder / MANIFEST).read_bytes())
        digest = stored.pop("digest")
        if digest != _digest(stored):
            raise ValueError("it was changed after it was stored")
        record = ModelRecord(**{**stored["model"], "classes": tuple(stored["model"]["classes"])})
        return record, stored["files"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedModel(
            f"{folder / MANIFEST} cannot be used: {error}. Delete that folder, or drop the model."
        ) from None


def _write(file: Path, content: bytes) -> None:
    with file.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def _remove_abandoned() -> None:
    for folder in _root().glob(".*-*"):
        with contextlib.suppress(FileNotFoundError):  # another process may be at it
            if time.time() - folder.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
