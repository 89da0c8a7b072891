"""Every store x what may stand in its place: an older or newer version, an unknown form, damage."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from benchmarks.damaged_stores import stores
from sqlfuncs import work
from sqlfuncs.errors import CannotKeep, DamagedModel
from sqlfuncs.store import answers, folders, manifests, models, sqlite, weights
from sqlfuncs.store.manifests import ModelRecord
from sqlfuncs.store.weight_packages import Package
from tests.store.versions import first_version

SMALL = 0.02  # of what is measured
NEWER = 99
FILES = {"head": b"1234", "about.json": b"{}"}


@dataclass
class Store:
    """A filled store. `file` says of which version it is; `states` put something in its place."""

    file: Path
    knows: int
    read: Callable[[], Mapping[str, object]]
    right: Mapping[str, object]
    states: Mapping[str, Callable[[], object]]


def _sql_store(name: str, home: Path) -> Store:
    kept = stores(SMALL)[name]
    kept.fill()
    answers._open.clear()
    file = home / kept.file
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def change(statement: str) -> None:
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            database.execute(statement)

    def damage() -> None:
        with file.open("r+b") as content:
            content.write(b"no database" * 9)

    def right(key: str) -> object:
        value = kept.right(key)
        if isinstance(value, answers.Answer):  # the first version does not know who has read it
            return answers.Answer(**{**vars(value), "read_by": None})
        return value

    def read() -> dict[str, object]:
        found = kept.read()
        return {
            key: answers.Answer(**{**vars(value), "read_by": None})
            if isinstance(value, answers.Answer)
            else value
            for key, value in found.items()
        }

    return Store(
        file,
        2,
        read,
        {key: right(key) for key in kept.keys},
        {
            "older": lambda: first_version(name, file),
            "newer": lambda: change(f"PRAGMA user_version = {NEWER}"),
            "unknown": lambda: change("PRAGMA user_version = -3"),
            "damaged": damage,
        },
    )


def _models(home: Path) -> Store:
    record = ModelRecord("m", "fast", "ft-1", "text", ("a", "b"), 9, 0.5, 1.0, "f", 1.0)
    saved = models.save(record, FILES)
    (file,) = home.glob(f"models/*/1/{models.MANIFEST}")
    described = json.loads(file.read_bytes())

    def describe(**changes: object) -> None:
        content = {key: value for key, value in {**described, **changes}.items() if value != ""}
        content.pop("digest")
        signed = sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        file.write_text(json.dumps({**content, "digest": signed}))

    return Store(
        file,
        manifests.FORMAT,
        lambda: {"record": models.load("m")[0], **models.load("m")[1]},
        {"record": saved, **FILES},
        {
            "older": lambda: describe(format=""),
            "newer": lambda: describe(format=NEWER, model="of another shape"),
            "unknown": lambda: describe(format="two"),
            "damaged": lambda: (file.parent / "head").write_bytes(b"1235"),
        },
    )


def _weights(home: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    package = Package(("a==1",), "no_such_module", "model.gguf", sha256(b"1234").hexdigest())
    monkeypatch.setitem(weights.PACKAGES, weights.SMOLLM2, package)
    folder = home / "weights" / package.digest[:16]
    with folders.renamed_into(folder) as new:
        (new / "model.gguf").write_bytes(b"1234")
        (new / "config.json").write_bytes(b"{}")
    file = folder / folders.MANIFEST

    def describe(**changes: object) -> None:
        file.write_text(json.dumps({**json.loads(file.read_bytes()), **changes}))

    def read() -> dict[str, object]:
        found = weights.local("smollm2")
        assert found is not None
        return {each: (found.folder / each).read_bytes() for each in ("model.gguf", "config.json")}

    return Store(
        file,
        1,
        read,
        {"model.gguf": b"1234", "config.json": b"{}"},
        {
            "older": file.unlink,
            "newer": lambda: describe(format=NEWER, files="of another shape"),
            "unknown": lambda: describe(format="two"),
            "damaged": lambda: (folder / "config.json").write_bytes(b"[]"),
        },
    )


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that no other test shares, its embeddings and weights neither."""
    monkeypatch.setenv("SQLFUNCS_HOME", str(tmp_path / "own"))
    monkeypatch.setattr(work, "_said", set())
    monkeypatch.setattr(sqlite, "_looked_into", set())
    answers._open.clear()
    return tmp_path / "own"


@pytest.fixture(params=["answers", "embeddings", "jobs", "models", "weights"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(name: str, own: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    match name:
        case "models":
            return _models(own)
        case "weights":
            return _weights(own, monkeypatch)
        case _:
            return _sql_store(name, own)


def _content(file: Path) -> dict[str, bytes]:
    """All that stands beside a file and in it, but for what a process that looks leaves."""
    return {
        each.name: each.read_bytes()
        for each in file.parent.iterdir()
        if each.is_file() and not each.name.endswith((".lock", "-wal", "-shm"))
    }


def test_an_older_one_is_read_with_all_it_holds(
    store: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    store.states["older"]()
    assert store.read() == store.right
    assert capfd.readouterr().err == ""


def test_a_newer_one_is_refused_by_name_and_left_as_it_is(
    store: Store, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    store.states["newer"]()
    before = _content(store.file)
    if name == "embeddings":  # which are computed again: that is said, and ends no query
        assert store.read() == {}
        said = capfd.readouterr().err
    else:
        with pytest.raises((CannotKeep, DamagedModel)) as raised:
            store.read()
        said = str(raised.value)
    assert re.search(
        rf"{re.escape(str(store.file))} was written by a newer sqlfuncs \(format {NEWER}, this one "
        rf"knows {store.knows}\)\. Upgrade sqlfuncs \(pip install --upgrade sqlfuncs\), or set the "
        "environment's SQLFUNCS_HOME to another folder",
        said,
    )
    assert "elete" not in said
    assert _content(store.file) == before


@pytest.mark.parametrize("state", ["unknown", "damaged"])
def test_what_is_not_what_was_kept_gives_no_wrong_value_and_is_not_removed(
    store: Store, name: str, state: str, capfd: pytest.CaptureFixture[str]
) -> None:
    store.states[state]()
    before = _content(store.file)
    if name in ("models", "weights"):  # the files of one cannot be told from those of another
        with pytest.raises(DamagedModel) as raised:
            store.read()
        assert str(store.file.parent) in str(raised.value)
        assert re.search(r"Delete|Train it again", str(raised.value))
        assert _content(store.file) == before
        return
    found = store.read()
    assert found.items() <= store.right.items()
    assert found == store.right or state == "damaged"
    said = capfd.readouterr().err
    aside = store.file.with_name(f"{store.file.name}.{'other' if state == 'unknown' else state}")
    assert f"{store.file} " in said
    assert f"is now called {aside.name}" in said
    assert len(aside.read_bytes()) == len(before[store.file.name])
    assert store.read() == found
