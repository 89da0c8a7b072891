from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sqlfuncs.errors import BadInput, DamagedModel, SqlfuncsError, UnknownModel
from sqlfuncs.store import models
from sqlfuncs.store.models import ModelRecord

FILES = {"a.json": b'{"a": 1}', "b.bin": bytes(range(256))}


def _record(name: str = "support", fingerprint: str = "f") -> ModelRecord:
    return ModelRecord(
        name=name,
        base="fast",
        job_id="ft-1",
        kind="text",
        classes=("a", "b"),
        rows=12,
        cv_accuracy=0.75,
        seconds=1.5,
        fingerprint=fingerprint,
        created_at=1_700_000_000.0,
    )


def _folder_of(home: Path, record: ModelRecord) -> Path:
    (found,) = [
        file.parent
        for file in (home / "models").glob(f"*/{record.version}/{models.MANIFEST}")
        if json.loads(file.read_bytes())["model"]["name"] == record.name
    ]
    return found


def test_what_is_saved_is_loaded() -> None:
    saved = models.save(_record(), FILES)
    assert saved == replace(_record(), version=1, bytes=8 + 256)
    assert models.load("support") == (saved, FILES)
    assert models.find("support") == saved
    assert models.records() == [saved]


def test_a_name_that_exists_gets_the_next_version() -> None:
    saved = [models.save(_record(fingerprint=str(n)), {"n": str(n).encode()}) for n in range(11)]
    assert [record.version for record in saved] == list(range(1, 12))
    assert models.find("support") == saved[-1]
    assert models.records() == saved
    assert models.load("support@2") == (saved[1], {"n": b"1"})
    assert models.load("support@11")[1] == models.load("support")[1] == {"n": b"10"}


@pytest.mark.parametrize("reference", ["support@3", "support@x", "support@01", "support@-1"])
def test_a_version_that_does_not_exist(reference: str) -> None:
    models.save(_record(), FILES)
    with pytest.raises(UnknownModel, match=r"there is no version .* of 'support'. It has: 1"):
        models.find(reference)


def test_an_unknown_name_lists_what_exists() -> None:
    with pytest.raises(UnknownModel, match="No model has been trained yet"):
        models.find("nothing")
    models.save(_record("one"), FILES)
    models.save(_record("one"), FILES)
    models.save(_record("another"), FILES)
    with pytest.raises(UnknownModel, match=r"'nothing'\. There are: another, one\. Type: FROM f"):
        models.load("nothing")


def test_records_come_in_order_of_name_and_version() -> None:
    for name in ("b", "a", "b", "c", "a"):
        models.save(_record(name), FILES)
    listed = [(record.name, record.version) for record in models.records()]
    assert listed == [("a", 1), ("a", 2), ("b", 1), ("b", 2), ("c", 1)]


def test_drop_removes_every_version_of_one_name(home: Path) -> None:
    gone = [models.save(_record("gone"), FILES), models.save(_record("gone"), FILES)]
    kept = models.save(_record("kept"), FILES)
    assert models.drop("gone") == gone
    assert models.records() == [kept]
    assert len(list((home / "models").iterdir())) == 1
    with pytest.raises(UnknownModel, match="There are: kept"):
        models.drop("gone")
    assert models.save(_record("gone"), FILES).version == 1


def test_drop_of_a_single_version_is_refused() -> None:
    models.save(_record(), FILES)
    with pytest.raises(BadInput, match=r"drop_model\('support'\) removes all"):
        models.drop("support@1")
    with pytest.raises(BadInput, match="without a version"):
        models.drop("support@2")
    assert len(models.records()) == 1


@pytest.mark.parametrize(
    "name",
    [
        "it's",
        'say "no"',
        "🎈",
        "with spaces ",
        "../../etc/passwd",
        "a/b\\c",
        ".hidden",
        "con",
        "1",
        "naïve",
        "x" * 100,
    ],
)
def test_odd_names(home: Path, name: str) -> None:
    assert models.check_name(name) == name
    other = models.save(_record("other"), FILES)
    saved = models.save(_record(name), FILES)
    assert models.load(name) == (saved, FILES)
    assert models.load(f"{name}@1") == (saved, FILES)
    assert {path.name for path in home.iterdir()} - {"weights"} == {"models", "cache"}
    assert models.drop(name) == [saved]
    assert models.records() == [other]


def test_names_that_are_written_alike_are_not_mixed_up() -> None:
    names = ["a b", "a_b", "a/b", "A b"]
    for at, name in enumerate(names):
        models.save(_record(name), {"at": str(at).encode()})
    assert [models.load(name)[1]["at"] for name in names] == [b"0", b"1", b"2", b"3"]


@pytest.mark.parametrize(
    "name", ["a@b", "openai:x", "", "  ", "x" * 101, "tab\t", "nul\0", "new\nline", None, 7]
)
def test_names_that_are_refused(name: object) -> None:
    with pytest.raises(BadInput, match="cannot name a model"):
        models.check_name(name)


@pytest.mark.parametrize("change", [b"", b'{"a": 2}', b'{"a": 1} '])
def test_a_file_edited_by_hand_is_refused(home: Path, change: bytes) -> None:
    saved = models.save(_record(), FILES)
    (_folder_of(home, saved) / "a.json").write_bytes(change)
    with pytest.raises(DamagedModel, match=r"a\.json is not what was stored.*fine_tune\('support'"):
        models.load("support")


def test_a_file_that_is_missing_is_refused(home: Path) -> None:
    saved = models.save(_record(), FILES)
    (_folder_of(home, saved) / "b.bin").unlink()
    with pytest.raises(DamagedModel, match=r"b\.bin cannot be read"):
        models.load("support")


@pytest.mark.parametrize(
    "manifest", ["", "[]", "{}", "no json", '{"model": {}}', '{"model": {"classes": 1}}']
)
def test_a_manifest_that_cannot_be_read_is_refused(home: Path, manifest: str) -> None:
    saved = models.save(_record(), FILES)
    (_folder_of(home, saved) / models.MANIFEST).write_text(manifest)
    with pytest.raises(DamagedModel, match="Delete that folder"):
        models.load("support")


def test_a_manifest_without_its_files_is_refused(home: Path) -> None:
    manifest = _folder_of(home, models.save(_record(), FILES)) / models.MANIFEST
    content = json.loads(manifest.read_bytes())
    del content["files"]  # BUG: KeyError
    manifest.write_text(json.dumps(content))
    with pytest.raises(DamagedModel):
        models.load("support")


def test_classes_edited_by_hand_are_refused(home: Path) -> None:
    manifest = _folder_of(home, models.save(_record(), FILES)) / models.MANIFEST
    content = json.loads(manifest.read_bytes())
    content["model"]["classes"] = ["b", "a"]  # BUG: loads, and gives every label wrongly
    manifest.write_text(json.dumps(content))
    with pytest.raises(DamagedModel):
        models.load("support")


def test_one_damaged_model_does_not_lock_the_others_away(home: Path) -> None:
    damaged = models.save(_record("damaged"), FILES)
    fine = models.save(_record("fine"), FILES)
    (_folder_of(home, damaged) / models.MANIFEST).write_text("")
    assert models.load("fine") == (fine, FILES)  # BUG: DamagedModel, about the other


_SAVER = """
import sys
from sqlfuncs.store.models import ModelRecord, save
who, count = sys.argv[1], int(sys.argv[2])
files = {f"file{n}": bytes([n]) * 20_000 for n in range(12)}
print("ready", flush=True)
sys.stdin.readline()
for n in range(count):
    record = ModelRecord("shared", "fast", f"{who}-{n}", "text", ("a", "b"), 1, None, 0.0, "f", 0.0)
    print(save(record, files).version, flush=True)
"""


def _saver(who: str, count: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _SAVER, who, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def test_a_killed_save_leaves_nothing_half_made(home: Path) -> None:
    moments = random.Random(7)
    there = 0
    for kill in range(8):
        process = _saver(f"killed{kill}", 10_000)
        _go(process)
        assert process.stdout is not None
        first = process.stdout.readline() if kill == 0 else ""
        time.sleep(moments.uniform(0, 0.15))
        process.kill()
        out, _ = process.communicate()
        # What was said to be saved is there; one more may be, whose number was not yet said.
        said = max([there, *map(int, (first + out).split())])
        listed = models.records()
        assert [record.version for record in listed] == list(range(1, len(listed) + 1))
        assert said <= len(listed) <= said + 1
        there = len(listed)
    assert there > 0
    for record in models.records():
        found, files = models.load(f"shared@{record.version}")
        assert found == record
        assert {len(content) for content in files.values()} == {20_000}
    assert models.save(_record("shared"), FILES).version == len(models.records())


def test_what_killed_saves_leave_behind_is_cleared_away_after_a_day(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = home / "models" / ".saving-left"
    left.mkdir(parents=True)
    (left / "file").write_text("half")
    models.save(_record(), FILES)
    assert left.exists()
    monkeypatch.setattr(time, "time", lambda: left.stat().st_mtime + 25 * 3600)
    models.save(_record(), FILES)
    assert not left.exists()


def test_processes_that_save_under_one_name_get_different_versions() -> None:
    processes = [_saver(who, 25) for who in ("one", "two", "three")]
    for process in processes:
        _go(process)
    versions: list[int] = []
    for process in processes:
        out, err = process.communicate(timeout=300)
        assert (process.returncode, err) == (0, "")
        versions += map(int, out.split())
    assert sorted(versions) == list(range(1, 76))
    assert [record.version for record in models.records()] == list(range(1, 76))
    assert len({record.job_id for record in models.records()}) == 75


_LISTER = """
from sqlfuncs.errors import UnknownModel
from sqlfuncs.store import models
import time
end = time.monotonic() + 3
while time.monotonic() < end:
    models.records()
"""


def test_listing_while_another_process_saves_and_drops() -> None:
    lister = subprocess.Popen([sys.executable, "-c", _LISTER], stderr=subprocess.PIPE, text=True)
    while lister.poll() is None:
        models.save(_record(), FILES)
        models.drop("support")
    _, err = lister.communicate()
    assert (lister.returncode, err) == (0, "")


def _described(home: Path, record: ModelRecord) -> tuple[Path, dict[str, Any]]:
    manifest = _folder_of(home, record) / models.MANIFEST
    return manifest, json.loads(manifest.read_bytes())


def _signed(manifest: Path, content: dict[str, Any]) -> None:
    """Write a manifest whose digest is right, as another version of sqlfuncs would."""
    content.pop("digest", None)
    digest = sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    manifest.write_text(json.dumps({**content, "digest": digest}))


def test_a_manifest_says_of_which_format_it_is(home: Path) -> None:
    _, content = _described(home, models.save(_record(), FILES))
    assert content["format"] == 1
    saved = models.save(replace(_record(), task="multilabel", cv_accuracy=-0.5), FILES)
    _, content = _described(home, saved)
    assert content["format"] == 2
    assert models.load("support") == (saved, FILES)


def test_one_of_before_there_were_formats_is_read(home: Path) -> None:
    saved = models.save(_record(), FILES)
    manifest, content = _described(home, saved)
    del content["format"]
    _signed(manifest, content)
    assert models.load("support") == (saved, FILES)


def test_fields_that_nobody_knows_are_ignored(home: Path) -> None:
    saved = models.save(_record(), FILES)
    manifest, content = _described(home, saved)
    content["model"] |= {"colour": "blue", "tags": {"a": [1]}}
    content["more"] = [None]
    _signed(manifest, content)
    assert models.load("support") == (saved, FILES)


@pytest.mark.parametrize(
    "field",
    [
        *("base", "job_id", "kind", "rows", "cv_accuracy", "seconds", "fingerprint"),
        *("created_at", "version", "bytes", "task"),
    ],
)
def test_a_field_less_costs_only_what_it_said(
    home: Path, con: duckdb.DuckDBPyConnection, field: str
) -> None:
    saved = models.save(_record(), FILES)
    manifest, content = _described(home, saved)
    del content["model"][field]
    _signed(manifest, content)
    record, files = models.load("support")
    assert files == FILES
    assert (record.name, record.classes, record.version) == ("support", ("a", "b"), 1)
    assert con.execute("SELECT model, version FROM models()").fetchall() == [("support", 1)]


@pytest.mark.parametrize("given", [3, 99])
def test_a_newer_format_is_named(
    home: Path, given: int, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, content = _described(home, models.save(_record(), FILES))
    content |= {"format": given, "digest": "by another rule", "model": ["of another shape"]}
    manifest.write_text(json.dumps(content))
    said = rf"newer sqlfuncs \(format {given}, this one knows 2\)\. Upgrade sqlfuncs"
    with pytest.raises(DamagedModel, match=said):
        models.load("support")
    assert models.records() == []
    assert "elete" not in capsys.readouterr().err


DEEP = "[" * 100_000
ODD: list[tuple[str, object]] = [
    ("rows", "many"),
    ("rows", -1),
    ("rows", 10**30),
    ("rows", True),
    ("rows", 1.5),
    ("seconds", None),
    ("seconds", "long"),
    ("created_at", 1e300),
    ("created_at", float("inf")),
    ("created_at", float("nan")),
    ("created_at", [1]),
    ("cv_accuracy", "good"),
    ("cv_accuracy", {}),
    ("name", 7),
    ("name", "half \ud83c of it"),
    ("base", None),
    ("kind", ["text"]),
    ("classes", "ab"),
    ("classes", {"a": 1}),
    ("classes", ["a", 1]),
    ("classes", ["a", "a"]),
    ("classes", [["a"], ["b"]]),
    ("classes", ["a", "\udfff"]),
    ("classes", None),
    ("bytes", "x"),
    ("fingerprint", 3),
    ("files", ["a.json"]),
    ("files", {}),
    ("files", {"a.json": 1}),
    ("files", {"../../other/1/a.json": "0"}),
    ("files", {"/etc/passwd": "0"}),
    ("files", None),
]


@pytest.mark.parametrize(("field", "value"), ODD)
def test_an_odd_manifest_locks_no_other_model_away(
    home: Path,
    con: duckdb.DuckDBPyConnection,
    field: str,
    value: object,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fine = models.save(_record("fine"), FILES)
    manifest, content = _described(home, models.save(_record("odd"), FILES))
    (content if field == "files" else content["model"])[field] = value
    _signed(manifest, content)
    assert models.records() == [fine]
    assert con.execute("SELECT model FROM models()").fetchall() == [("fine",)]
    said = capsys.readouterr().err
    assert str(manifest) in said
    assert "elete" not in said
    with pytest.raises(SqlfuncsError):
        models.load("odd")
    assert models.load("fine") == (fine, FILES)


def _no_file(manifest: Path) -> None:
    manifest.unlink()
    manifest.mkdir()


def _a_link_to_nothing(manifest: Path) -> None:
    shutil.rmtree(manifest.parent)
    manifest.parent.symlink_to(manifest.parent.with_name("nowhere"))


def _a_link_to_itself(manifest: Path) -> None:
    shutil.rmtree(manifest.parent)
    manifest.parent.symlink_to(manifest.parent)


def _a_file_for_a_folder(manifest: Path) -> None:
    shutil.rmtree(manifest.parent)
    manifest.parent.write_text("")


def _a_pipe(manifest: Path) -> None:
    manifest.unlink()
    os.mkfifo(manifest)


def _deep(manifest: Path) -> None:
    manifest.write_text(DEEP + "]" * len(DEEP))


def _deep_inside(manifest: Path) -> None:
    content = json.loads(manifest.read_bytes())
    manifest.write_text(json.dumps(content)[:-1] + ', "more": ' + "[" * 3000 + "]" * 3000 + "}")


def _bytes(manifest: Path) -> None:
    manifest.write_bytes(b"\xff\xfe\x00")


PLACES = [
    *(_no_file, _a_link_to_nothing, _a_link_to_itself, _a_file_for_a_folder, _a_pipe),
    *(_deep, _deep_inside, _bytes),
]


@pytest.mark.skipif(os.name == "nt", reason="there are no pipes among files there")
@pytest.mark.parametrize("change", PLACES)
def test_what_is_no_manifest_locks_no_other_model_away(
    home: Path,
    con: duckdb.DuckDBPyConnection,
    change: Callable[[Path], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    fine = models.save(_record("fine"), FILES)
    manifest, _ = _described(home, models.save(_record("odd"), FILES))
    change(manifest)
    assert models.records() == [fine]
    assert con.execute("SELECT model FROM models()").fetchall() == [("fine",)]
    assert str(manifest.parent) in capsys.readouterr().err
    with pytest.raises(SqlfuncsError):
        models.load("odd")
    assert models.save(_record("odd"), FILES).version > 0


def test_a_link_to_a_model_is_read_and_never_removed(
    home: Path, tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    saved = models.save(_record(), FILES)
    folder = _folder_of(home, saved).parent
    elsewhere = tmp_path / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    assert models.load("support") == (saved, FILES)
    with pytest.raises(duckdb.Error, match=r"CannotKeep: the model 'support' is not dropped.*link"):
        con.execute("FROM drop_model('support')").fetchall()
    assert models.load("support") == (saved, FILES)


def test_what_a_link_inside_a_model_leads_to_is_never_removed(home: Path, tmp_path: Path) -> None:
    saved = models.save(_record(), FILES)
    folder = _folder_of(home, saved)
    elsewhere = tmp_path / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    assert models.drop("support") == [saved]
    assert models.records() == []
    assert {each.name for each in elsewhere.iterdir()} == {*FILES, models.MANIFEST}


@pytest.mark.parametrize("odd", ["folder", "pipe"])
@pytest.mark.skipif(os.name == "nt", reason="there are no pipes among files there")
def test_a_file_of_a_model_that_is_none(home: Path, odd: str) -> None:
    folder = _folder_of(home, models.save(_record(), FILES))
    (folder / "b.bin").unlink()
    if odd == "folder":
        (folder / "b.bin").mkdir()
    else:
        os.mkfifo(folder / "b.bin")
    with pytest.raises(DamagedModel, match=r"b\.bin cannot be read"):
        models.load("support")
