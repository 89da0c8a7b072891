"""The registry of trained models: a folder for each version, complete or not there at all.

    SQLFUNCS_HOME/models/<name>-<digest>/<version>/manifest.json and the files it lists

A version is written aside and renamed into place, so that a reader, a crash or a second
trainer never meets half of one. Files that differ from their digest are refused.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from sqlfuncs import work
from sqlfuncs.errors import BadInput, CannotKeep, DamagedModel, UnknownModel
from sqlfuncs.store import manifests
from sqlfuncs.store.home import home, made, made_file
from sqlfuncs.store.manifests import MANIFEST as MANIFEST
from sqlfuncs.store.manifests import ModelRecord as ModelRecord

_VERSION = re.compile(r"[1-9][0-9]{0,17}")
_TRIES = 3  # at reading a version that is there and cannot be read
_ABANDONED_SECONDS = 24 * 3600


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
        made(_aside_of(made(_root()))).rmdir()
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


def _aside_of(root: Path) -> Path:
    return root / f".saving-{uuid.uuid4().hex}"


def _save(record: ModelRecord, files: Mapping[str, bytes]) -> ModelRecord:
    record = replace(record, bytes=sum(len(content) for content in files.values()))
    aside = made(_aside_of(_root()))
    try:
        for name, content in files.items():
            _write(aside / name, content)
        digests = {name: sha256(content).hexdigest() for name, content in files.items()}
        folder = made(_folder(record.name))
        while True:
            saved = replace(record, version=max(_versions(folder), default=0) + 1)
            _write(aside / MANIFEST, manifests.written(saved, digests))
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
    _, digests = manifests.read(folder)
    files = {}
    for name, digest in digests.items():
        try:
            if not (folder / name).is_file():
                raise OSError("it is not there, or is no file")
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
    """Every version of every model, in order of name and version; damaged ones are remarked on.

    Raises CannotKeep if the folder of models cannot be read.
    """
    damaged: list[DamagedModel] = []
    try:
        folders = [each for each in _root().iterdir() if not each.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise CannotKeep(f"{_root()} cannot be read: {error.strerror or error}.") from None
    found = [record for folder in folders for record in _of_folder(folder, damaged)]
    for each in damaged:
        work.say_once(str(each))
    return sorted(found, key=lambda record: (record.name, record.version))


def drop(name: str) -> list[ModelRecord]:
    """Remove all versions of a model and return what they were. Raises UnknownModel, CannotKeep."""
    if "@" in name:
        raise BadInput(
            f"drop_model takes a name without a version: drop_model('{name.partition('@')[0]}') "
            "removes all its versions."
        )
    folder = _folder(name)
    if folder.is_symlink():
        raise CannotKeep(
            f"the model '{name}' is not dropped: {folder} is a link, and what it leads to may be "
            "somebody else's. To drop it here, remove that link."
        )
    if not folder.is_dir():
        known = ", ".join(sorted({record.name for record in records()}))
        raise UnknownModel(
            f"there is no model '{name}' to drop. "
            + (f"There are: {known}." if known else "No model has been trained yet.")
        )
    gone = _of_folder(folder, [])  # what is damaged goes too
    aside = _root() / f".dropped-{uuid.uuid4().hex}"
    try:
        folder.rename(aside)
    except OSError as error:
        raise CannotKeep(
            f"the model '{name}' is not dropped: {folder} cannot be removed: "
            f"{error.strerror or error}."
        ) from None
    shutil.rmtree(aside, ignore_errors=True)  # what is left goes with the next that is saved
    return gone


def _root() -> Path:
    return home() / "models"


def _folder(name: str) -> Path:
    readable = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:40]
    return _root() / f"{readable}-{sha256(name.encode()).hexdigest()[:16]}"


def _versions(folder: Path) -> list[int]:
    """The numbers of versions that have a folder, or something of that name. Raises OSError."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(name) for name in names if _VERSION.fullmatch(name))


def _of_folder(folder: Path, damaged: list[DamagedModel]) -> list[ModelRecord]:
    """The versions in a model's folder, in order; what cannot be read goes to `damaged`."""
    try:
        versions = _versions(folder)
    except OSError as error:
        damaged.append(DamagedModel(f"{folder} cannot be read: {error.strerror or error}."))
        return []
    found = []
    for version in versions:
        # Another process may drop a version while it is read here, and save one in its place.
        for left in reversed(range(_TRIES)):
            try:
                found.append(manifests.read(folder / str(version))[0])
                break
            except DamagedModel as error:
                if not _is_there(folder / str(version)):
                    break
                if not left:
                    damaged.append(error)
    return found


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def _write(file: Path, content: bytes) -> None:
    with made_file(file).open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def _remove_abandoned() -> None:
    for folder in _root().glob(".*-*"):
        with contextlib.suppress(FileNotFoundError):  # another process may be at it
            if time.time() - folder.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
