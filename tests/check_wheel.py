"""Fail unless a wheel holds what an installed sqlfuncs needs: `check_wheel.py dist/x.whl`."""

from __future__ import annotations

import configparser
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent


def missing(wheel: Path) -> list[str]:
    """What the wheel lacks, a line each."""
    with zipfile.ZipFile(wheel) as archive:
        broken = archive.testzip()
        if broken is not None:
            return [f"{broken} is damaged"]
        contents = {name: archive.read(name) for name in archive.namelist()}
    lacks = []
    for name, source in _needed():
        if name not in contents:
            lacks.append(f"there is no {name}")
        elif contents[name] != source.read_bytes():
            lacks.append(f"{name} is not {source.relative_to(ROOT)}")
    return lacks + _missing_entry_points(contents)


def _needed() -> Iterator[tuple[str, Path]]:
    """Every file that has to be there, and what it has to be."""
    for source in sorted(ROOT.glob("queries/*.sql")):
        yield f"sqlfuncs/_share/queries/{source.name}", source
    for source in sorted(ROOT.glob("data/*.csv")):
        yield f"sqlfuncs/_share/data/{source.name}", source
    for source in sorted((ROOT / "sqlfuncs").glob("**/*.*")):
        if source.is_file() and "__pycache__" not in source.parts:
            yield source.relative_to(ROOT).as_posix(), source


def _missing_entry_points(contents: dict[str, bytes]) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {"console_scripts": project["scripts"], **project["entry-points"]}
    files = [name for name in contents if name.endswith(".dist-info/entry_points.txt")]
    if len(files) != 1:
        return ["there is no entry_points.txt"]
    found = configparser.ConfigParser(delimiters="=")
    found.read_string(contents[files[0]].decode())
    return [
        f"the entry point {name} = {value} of {group} is missing"
        for group, points in wanted.items()
        for name, value in points.items()
        if found.get(group, name, fallback=None) != value
    ]


def main(arguments: list[str]) -> int:
    """Check one wheel and say what it lacks."""
    if len(arguments) != 1 or not Path(arguments[0]).is_file():
        print("give the path of one wheel: check_wheel.py dist/x.whl", file=sys.stderr)
        return 1
    lacks = missing(Path(arguments[0]))
    for line in lacks:
        print(f"{arguments[0]}: {line}", file=sys.stderr)
    return 1 if lacks else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
