"""Where sqlfuncs keeps its files: `SQLFUNCS_HOME`, or the user's data folder.

What is made there is its owner's alone, whatever the umask: folders 0700, files 0600. A home that
a group shares on purpose is marked as such folders are: `chmod g+ws` gives that group the same
rights as the owner, and others none.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

import platformdirs

from sqlfuncs.errors import BadOption

_FOLDERS = ("answers", "cache", "data", "jobs", "models", "weights")
_GROUP = stat.S_ISGID | stat.S_IWGRP


def home() -> Path:
    """The folder everything is kept in; made on first use by whoever writes there."""
    given = os.environ.get("SQLFUNCS_HOME")
    if not given:
        return Path(platformdirs.user_data_dir("sqlfuncs"))
    try:
        return Path(given).expanduser()
    except RuntimeError:
        raise BadOption(f"SQLFUNCS_HOME is '{given}', but there is no such user.") from None


def of_newer(file: Path, found: int, known: int) -> str:
    """Why a file is refused that only a newer sqlfuncs can read, and what to do about it."""
    return (
        f"{file} was written by a newer sqlfuncs (format {found}, this one knows {known}). Upgrade "
        "sqlfuncs (pip install --upgrade sqlfuncs), or set the environment's SQLFUNCS_HOME to "
        "another folder."
    )


def made(folder: Path) -> Path:
    """A folder of the home, made if need be, for its owner alone. Raises OSError.

    The home itself keeps the rights that it has; folders in it that an earlier version made
    readable for others are closed.
    """
    own = home()
    for name in _FOLDERS:
        _allow(own / name)
    for each in reversed(_inside(folder) or [folder]):
        if not each.is_dir():
            if each.parent != each and not each.parent.exists():
                each.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                each.mkdir(mode=0o700)
                _allow(each)
            if not each.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, f"{each} is no folder")
        elif each != own:
            _allow(each)
    return folder


def made_file(file: Path) -> Path:
    """A file of the home, empty if it is new, for its owner alone. Raises OSError."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    _allow(file)
    return file


def closed(folder: Path) -> None:
    """Close a folder and all in it to others."""
    for each in (folder, *folder.rglob("*")):
        _allow(each)


def close_umask() -> None:
    """Let whatever this process makes be its owner's alone: one that works in the home only."""
    os.umask(0o007 if _is_shared() else 0o077)


def file_mode() -> int:
    """The rights of a new file."""
    return 0o660 if _is_shared() else 0o600


def _inside(folder: Path) -> list[Path]:
    """The folder and those around it, up to the home; none if it is elsewhere."""
    own = home()
    if folder != own and own not in folder.parents:
        return []
    return [each for each in (folder, *folder.parents) if each == own or own in each.parents]


def _allow(path: Path) -> None:
    """Nobody gets rights that the owner of the home did not mean to give."""
    with contextlib.suppress(OSError):  # it is somebody else's, or on a disk without rights
        known = path.lstat()
        if stat.S_ISLNK(known.st_mode) or os.name == "nt":
            return
        own = known.st_mode & 0o700
        wanted = own | own >> 3 if _is_shared() else own
        if stat.S_IMODE(known.st_mode) & 0o777 != wanted:
            path.chmod(wanted | (stat.S_IMODE(known.st_mode) & 0o7000))


def _is_shared() -> bool:
    try:
        return home().stat().st_mode & _GROUP == _GROUP
    except OSError:
        return False
