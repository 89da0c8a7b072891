"""Finding query files: by path, or by the name of one that is shipped. Knows only files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sqlfuncs.errors import BadQueryFile
from sqlfuncs.queries.header import QueryFile, parse
from sqlfuncs.share import share


def find(name: str) -> QueryFile:
    """The query file at a path, or the shipped one of that name (`detect`, `detect.sql`).

    Raises BadQueryFile if there is none, or if it cannot be read.
    """
    path = Path(name)
    if path.is_file():
        return read(path)
    path = folder() / f"{name.removesuffix('.sql')}.sql"
    if Path(name).name != name or not path.is_file():
        known = ", ".join(file.stem for file in sorted(folder().glob("*.sql")))
        raise BadQueryFile(f"there is no file {name}, and no shipped query of that name: {known}.")
    return replace(read(path), is_shipped=True)


def read(path: Path) -> QueryFile:
    """Read one query file."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadQueryFile(
            f"{path} is not UTF-8 (byte {error.start}). Save it as UTF-8 and run it again."
        ) from None
    except OSError as error:
        raise BadQueryFile(f"{path} cannot be read: {error.strerror}.") from None
    return parse(path.stem, text)


def shipped() -> list[QueryFile]:
    """All shipped query files, in the order in which the loop uses them."""
    order = (
        "load", "detect", "review_queue", "decide", "undo", "review_progress", "correct", "prune",
        "take_review", "fine_tune",
    )  # fmt: skip
    files = [read(path) for path in folder().glob("*.sql")]
    rank = {name: number for number, name in enumerate(order)}
    return sorted(files, key=lambda file: (rank.get(file.name, len(rank)), file.name))


def folder() -> Path:
    """Where the shipped query files are."""
    return share("queries")
