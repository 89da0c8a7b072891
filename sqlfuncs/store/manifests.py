"""What is known of a version of a model, as the file beside its weights that says it.

A manifest has a format; fields that this sqlfuncs does not know are ignored, and those that it
lacks are as in a record of nothing. One of a newer format is named as such.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path

from sqlfuncs.errors import DamagedModel
from sqlfuncs.store.home import of_newer

MANIFEST = "manifest.json"
FORMAT = 2  # raised whenever one that knows the format before would read it wrongly
_CLASSES, _OF_CLASSES = "classification", 1  # models of classes are what the first format has
_MOST = 1 << 62
_LATEST = 1e11  # seconds since 1970 that a calendar can name


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
    task: str = _CLASSES


# Of one that does not say; without a name and classes it is of no use.
_UNSAID: Mapping[str, object] = {
    "base": "",
    "job_id": "",
    "kind": "text",
    "rows": 0,
    "cv_accuracy": None,
    "seconds": 0.0,
    "fingerprint": "",
    "created_at": 0.0,
    "bytes": 0,
    "task": _CLASSES,
}


def written(record: ModelRecord, digests: Mapping[str, str]) -> bytes:
    """The manifest of a version that has these files."""
    number = _OF_CLASSES if record.task == _CLASSES else FORMAT
    described = {"format": number, "model": asdict(record), "files": dict(digests)}
    return json.dumps({**described, "digest": _digest(described)}, ensure_ascii=False).encode()


def read(folder: Path) -> tuple[ModelRecord, dict[str, str]]:
    """A version's record, and the digests of its files, from its folder. Raises DamagedModel."""
    file = folder / MANIFEST
    try:
        if not file.is_file():
            raise DamagedModel(f"{file} is not there, or is no file: that version is left out.")
        content = file.read_bytes()
    except OSError as error:
        raise DamagedModel(f"{file} cannot be read: {error.strerror or error}.") from None
    try:
        stored = json.loads(content)
        _check_format(file, stored.get("format", 0))
        if stored.pop("digest") != _digest(stored):
            raise ValueError("it was changed after it was stored")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedModel(
            f"{file} cannot be used: {_reason(error)}. Delete that folder, or drop the model."
        ) from None
    try:
        return _record(stored["model"], int(folder.name)), _digests(stored["files"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedModel(
            f"{file} is not what this sqlfuncs writes: {_reason(error)}. That version is left out."
        ) from None


def _check_format(file: Path, given: object) -> None:
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise ValueError(f"its format is {given!r}")
    if given > FORMAT:
        raise DamagedModel(of_newer(file, given, FORMAT))


def _digest(described: Mapping[str, object]) -> str:
    return sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _record(given: Mapping[str, object], version: int) -> ModelRecord:
    known = {each.name for each in fields(ModelRecord)}
    values = {**_UNSAID, **{name: given[name] for name in given if name in known}}
    classes = values["classes"]
    if not isinstance(classes, list) or len(set(classes)) < len(classes):
        raise ValueError("its classes are no list of different texts")
    for each in classes:
        _check("classes", each, "str")
    kinds = {each.name: str(each.type) for each in fields(ModelRecord) if each.name != "classes"}
    for name, kind in kinds.items():
        if name != "version":
            _check(name, values[name], kind)
    return ModelRecord(**{**values, "classes": tuple(classes), "version": version})  # type: ignore[arg-type]


def _check(name: str, value: object, kind: str) -> None:
    match kind:
        case "str":
            fits = isinstance(value, str)
            str(value).encode()
        case "int":
            fits = type(value) is int and 0 <= value < _MOST
        case "float | None":
            fits = value is None or (type(value) in (int, float) and abs(float(str(value))) < _MOST)
        case _:
            fits = type(value) in (int, float) and 0 <= float(str(value)) < _LATEST
    if not fits:
        raise ValueError(f"its {name} is {str(value)[:50]!r}")


def _digests(given: object) -> dict[str, str]:
    if not isinstance(given, dict) or not given:
        raise ValueError("it lists no files")
    for name, digest in given.items():
        if Path(name).name != name or name in ("", ".", "..", MANIFEST) or "\\" in name:
            raise ValueError(f"it lists a file {name[:50]!r}")
        if not isinstance(digest, str):
            raise ValueError(f"the digest of {name[:50]!r} is no text")
    return given


def _reason(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, KeyError):
        return f"it has no {error}"
    return str(error)
