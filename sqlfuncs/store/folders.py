"""Folders of files that can be had again, such as weights: complete or not there at all.

    weights/<digest>/sqlfuncs.json      of which format it is, and the digests of its files

Those that earlier versions made have no such file, and are taken as they are.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path

from sqlfuncs.errors import DamagedModel
from sqlfuncs.store.home import closed, made, of_newer

MANIFEST = "sqlfuncs.json"
FORMAT = 1  # raised whenever one that knows the format before would use a folder wrongly


@contextmanager
def renamed_into(folder: Path) -> Iterator[Path]:
    """A folder that gets its name, and its manifest, once everything is in it. Raises OSError."""
    made(folder.parent)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetching-") as aside:
        new = Path(aside) / "made"
        new.mkdir()
        yield new
        digests = {str(file.relative_to(new)): digest(file) for file in _files(new)}
        described = {"format": FORMAT, "files": digests}
        (new / MANIFEST).write_text(json.dumps(described), encoding="utf-8")
        closed(new)
        with contextlib.suppress(OSError):  # another process was faster
            new.replace(folder)


def check(folder: Path, name: str) -> None:
    """Raise DamagedModel unless a folder of the model is what was made, in a format known here."""
    manifest = folder / MANIFEST
    if not os.path.lexists(manifest):
        return
    cure = f"Delete {folder}, then type: sqlfuncs models fetch {name}"
    try:
        described = json.loads(manifest.read_bytes())
        found = described["format"]
        if isinstance(found, int) and found > FORMAT:
            raise DamagedModel(of_newer(manifest, found, FORMAT))
        if found != FORMAT:
            raise ValueError(f"its format is {found!r}")
        for file, given in described["files"].items():
            if digest(folder / file) != given:
                raise DamagedModel(f"{folder / file} is not what was stored. {cure}")
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise DamagedModel(f"{folder} cannot be used: {reason}. {cure}") from None


def digest(file: Path) -> str:
    """The SHA-256 of a file, computed again by a process once the file changes. Raises OSError."""
    known = file.stat()
    return _digest(file, known.st_ino, known.st_size, known.st_mtime_ns)


@lru_cache(maxsize=1024)
def _digest(file: Path, inode: int, size: int, changed: int) -> str:
    with file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())
