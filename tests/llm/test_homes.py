"""Homes that cannot be written: what is kept is read, and nothing is asked that would be lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

import sqlfuncs
from sqlfuncs.llm import asking
from sqlfuncs.store import answers as kept
from sqlfuncs.store.answers import Answer, Store
from tests.llm.conftest import FaultServer
from tests.store import disks

QUERY = (
    "SELECT list(llm_classify(t, ['x', 'y'], model := 'openai:m')) "
    "FROM (SELECT 'text ' || i AS t FROM range({count}) r(i))"
)
CODE = """
import sqlfuncs
con = sqlfuncs.connect()
for query in {queries!r}:
    try:
        print(con.execute(query).fetchall())
    except Exception as error:
        print("refused:", " ".join(str(error).split()))
"""


def _code(*queries: str) -> str:
    return CODE.format(queries=queries)


def _ask(count: int) -> list[tuple[list[str]]]:
    with sqlfuncs.connect() as con:
        return con.execute(QUERY.format(count=count)).fetchall()


def _whole(file: Path) -> None:
    """As a process leaves it that ends."""
    kept._open.pop(file)._database.close()


def _killed(file: Path) -> None:
    """With its journals, as a process leaves it that is killed; so the log holds the answers."""
    aside = file.parent.parent / "aside"
    shutil.copytree(file.parent, aside)
    _whole(file)
    shutil.rmtree(file.parent)
    aside.rename(file.parent)
    assert file.with_name(f"{file.name}-wal").stat().st_size > 0


def _copied(file: Path) -> None:
    """As a copy of it has it: the log, and nothing that is shared."""
    _killed(file)
    file.with_name(f"{file.name}-shm").unlink()


def _older(file: Path) -> None:
    """As the version before would have written it."""
    _whole(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        for column in ("read_by", "checksum"):
            database.execute(f"ALTER TABLE answer DROP COLUMN {column}")
        database.execute("ALTER TABLE handed_in DROP COLUMN checksum")
        database.execute("PRAGMA user_version = 0")


def _damaged(file: Path) -> None:
    """With a page of it gone."""
    _whole(file)
    content = bytearray(file.read_bytes())
    content[4096:8192] = bytes(4096)
    file.write_bytes(content)


LEFT = [_whole, _killed, _copied, _older, _damaged]


@pytest.mark.parametrize("left", LEFT)
def test_on_a_read_only_home_what_is_kept_is_read(
    home: Path, server: FaultServer, left: Callable[[Path], None]
) -> None:
    around = disks.with_mounts()
    before = _ask(5)
    left(home / "answers" / "answers.sqlite")
    server.behave()
    said = disks.run(
        _code(QUERY.format(count=5), QUERY.format(count=6), "SELECT answers FROM llm_paid()"),
        around=around,
        mounting=disks.read_only(home),
    )
    first, second, third = said.stdout.splitlines()
    if left is not _damaged:  # the one page that holds them all
        assert (first, third) == (str(before), "[(5,)]"), said.stderr
        assert server.log["paid"] == []
    assert "refused: " in second
    assert "CannotKeep: answers are not kept in" in second
    assert "SQLFUNCS_KEEP=off" in second


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs root")
def test_by_rights_the_same(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's home, which everybody may read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        monkeypatch.setenv("SQLFUNCS_HOME", str(folder / "home"))
        before = _ask(5)
        _whole(folder / "home" / "answers" / "answers.sqlite")
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        server.behave()
        code = f"""
import os
import sqlfuncs
os.environ["SQLFUNCS_HOME"] = {str(folder / "other")!r}
sqlfuncs.connect().execute({QUERY.format(count=1)!r})  # so that all is imported
os.environ["SQLFUNCS_HOME"] = {str(folder / "home")!r}
os.setgid(65534)
os.setuid(65534)
"""
        code += _code(QUERY.format(count=5), QUERY.format(count=6), "FROM llm_paid()")
        said = disks.run(code, around=[])
        first, second, _ = said.stdout.splitlines()
    assert first == str(before), said.stderr
    assert "Permission denied" in second or "it may not be written" in second
    assert "SQLFUNCS_KEEP=off" in second
    assert server.paid == ["text 0"]


def test_told_to_it_asks_and_keeps_nothing(
    home: Path, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    around = disks.with_mounts()
    _ask(5)
    _whole(home / "answers" / "answers.sqlite")
    server.behave()
    monkeypatch.setenv("SQLFUNCS_KEEP", "off")
    query = QUERY.format(count=8)
    said = disks.run(_code(query, query), around=around, mounting=disks.read_only(home))
    assert "refused" not in said.stdout
    assert len(server.paid) == 3  # what is kept is read, and what is asked lasts for the process


def test_told_to_it_writes_nothing_where_it_could(
    home: Path, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQLFUNCS_KEEP", "off")
    _ask(3)
    _ask(3)
    assert len(server.paid) == 3
    assert not (home / "answers").exists()
    monkeypatch.setenv("SQLFUNCS_KEEP", "on")
    _ask(3)  # known from before, and kept from now on
    _ask(4)
    assert len(server.paid) == 4
    assert sum(each.answers for each in kept.store().paid()) == 4


def test_a_word_that_is_neither_on_nor_off(
    con: duckdb.DuckDBPyConnection, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQLFUNCS_KEEP", "of")
    with pytest.raises(duckdb.Error, match="SQLFUNCS_KEEP is 'of'; it may be 'on' or 'off'"):
        con.execute(QUERY.format(count=2)).fetchall()
    assert server.paid == []


def test_nothing_is_asked_where_the_store_is_newer(
    home: Path, server: FaultServer, con: duckdb.DuckDBPyConnection
) -> None:
    _ask(1)
    file = home / "answers" / "answers.sqlite"
    _whole(file)
    server.behave()
    for version in (3, 2):
        with closing(sqlite3.connect(file)) as database:
            database.execute(f"PRAGMA user_version = {version}")
        if version == 3:
            with pytest.raises(
                duckdb.Error, match=r"newer sqlfuncs \(format 3, this one knows 2\)"
            ):
                con.execute(QUERY.format(count=2)).fetchall()
            assert server.paid == []
    assert len(_ask(2)[0][0]) == 2
    assert len(server.paid) == 1


def test_on_a_full_disk_nothing_is_asked(home: Path, server: FaultServer) -> None:
    around = disks.with_mounts()
    folder = home / "small"
    mounting = f"{disks.small(folder, '4m')} && (cat /dev/zero > '{folder}/full' 2>&1 || true)"
    code = f"import os; os.environ['SQLFUNCS_HOME'] = {str(folder)!r}\n" + _code(
        QUERY.format(count=5), "FROM jobs()"
    )
    said = disks.run(code, around=around, mounting=mounting)
    first, second = said.stdout.splitlines()
    assert "no room on its disk" in first, said.stderr
    assert "Nothing was asked" in first
    assert second == "[]"
    assert server.paid == []


def test_a_disk_that_fills_up_loses_no_answer_of_the_process(
    home: Path, server: FaultServer
) -> None:
    """What is being asked goes on, in memory; the next call asks nothing until there is room."""
    around = disks.with_mounts()
    folder = home / "small"
    code = f"""
import os, threading, time
from pathlib import Path
os.environ["SQLFUNCS_HOME"] = {str(folder)!r}
import sqlfuncs
from sqlfuncs.store import answers
con = sqlfuncs.connect()
def ask(count):
    try:
        return len(con.execute({QUERY!r}.format(count=count)).fetchall()[0][0])
    except Exception as error:
        return str(error)
print(ask(1))
def fill():
    time.sleep(0.7)
    with open({str(folder / "full")!r}, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
threading.Thread(target=fill).start()
print(ask(200))
print(ask(200))
print("Nothing was asked" in ask(201))
os.unlink({str(folder / "full")!r})
print(ask(201))
print(sum(each.answers for each in answers.store().paid()))
"""
    server.behave(latency=0.3)
    said = disks.run(code, around=around, mounting=disks.small(folder, "6m"))
    assert said.stdout.split() == ["1", "200", "200", "True", "201", "201"], said.stderr
    assert "last for this process only" in said.stderr
    paid = server.paid
    assert len(paid) == len(set(paid)) == 201


def test_the_other_stores_on_a_read_only_home(home: Path, con: duckdb.DuckDBPyConnection) -> None:
    around = disks.with_mounts()
    con.execute(
        "CREATE TABLE t AS SELECT 'good ' || i AS text, 'a' AS label FROM range(20) r(i) UNION ALL "
        "SELECT 'bad ' || i, 'b' FROM range(20) r(i)"
    )
    con.execute("FROM fine_tune('mine', t, text, label)").fetchall()
    said = disks.run(
        _code(
            "SELECT status FROM jobs()",
            "SELECT model FROM models()",
            "SELECT llm_classify('good 3', model := 'mine')",
            "FROM drop_model('mine')",
            "SELECT model FROM models()",
            "FROM fine_tune('other', (SELECT 'x' AS text, 'y' AS label), text, label)",
        ),
        around=around,
        mounting=disks.read_only(home),
    )
    jobs, models, label, dropped, after, trained = said.stdout.splitlines()
    assert (jobs, models, label) == ("[('SUCCEEDED',)]", "[('mine',)]", "[('a',)]"), said.stderr
    assert "CannotKeep: the model 'mine' is not dropped" in dropped
    assert "Read-only file system" in dropped
    assert after == models
    assert "refused" in trained
    assert "InternalError" not in said.stdout


def test_a_store_that_is_read_only_is_followed(home: Path) -> None:
    """What another container writes into the home that this one may only read, this one reads."""
    around = disks.with_mounts()
    file = home / "answers" / "answers.sqlite"
    writer = Store(file)
    writer.write("m", {b"1": Answer(("a",))})
    code = f"""
import pathlib, sys
from sqlfuncs.store.answers import Store
store = Store(pathlib.Path({str(file)!r}))
print(len(store.read([b"1", b"2"])), store.is_on_disk)
"""
    said = disks.run(code, around=around, mounting=disks.read_only(home))
    assert said.stdout == "1 False\n", said.stderr
    writer.write("m", {b"2": Answer(("b",))})
    said = disks.run(code, around=around, mounting=disks.read_only(home))
    assert said.stdout == "2 False\n", said.stderr
    asking.forget_failures()
