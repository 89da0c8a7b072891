"""A file that is removed or replaced under the page is noticed before anything is called kept."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from html import unescape
from pathlib import Path

import duckdb
import pytest

from tests.review.server import Browser, code, serving
from tests.review.tables import CLASSES, make


def _another(db: Path) -> Path:
    other = db.with_name("other.duckdb")
    if not other.exists():
        make(other)
    return other


def _symlink(db: Path) -> None:
    db.unlink()
    db.symlink_to(_another(db))


def _overwrite(db: Path) -> None:
    """In place, as cp does: the file's identity stays."""
    shutil.copyfile(_another(db), db)


AWAY: dict[str, Callable[[Path], object]] = {
    "removed": lambda db: db.unlink(),
    "moved": lambda db: db.rename(db.with_name("moved.duckdb")),
    "replaced": lambda db: _another(db).replace(db),
    "a link to another": _symlink,
    "emptied": lambda db: os.truncate(db, 0),
    "cut short": lambda db: os.truncate(db, 100_000),
    "overwritten": _overwrite,
    "its folder removed": lambda db: shutil.rmtree(db.parent),
}


def _decide(browser: Browser) -> str:
    return browser.post("/decide", row="7", seen="", action="keep")


def _undo(browser: Browser) -> str:
    return browser.post("/undo")


def _clean(browser: Browser) -> str:
    page = browser.get()
    return browser.post("/clean", row=["8", "9"], label=[code(page, CLASSES[0])] * 2)


@pytest.mark.parametrize("away", AWAY)
def test_nothing_is_called_kept_that_is_not(tmp_path: Path, away: str) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    db = make(folder / "my.duckdb")
    with (tmp_path / "said").open("w") as stderr, serving(
        db, "--x", "probs", stderr=stderr
    ) as server:  # fmt: skip
        browser = server.browser()
        browser.post("/decide", row="3", seen="", action="keep")
        AWAY[away](db)
        for deed in (_decide, _undo, _clean, _decide):
            said = unescape(deed(browser))
            assert "nothing was decided" in said and "my.duckdb is" in said, said
            assert "kept. U takes" not in said and "were replaced." not in said
            assert "1 of 300 decided" in said
        saved = browser.get("/decisions.csv")
        assert saved.count("\n") == 2 and '"3","keep"' in saved
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait() == 1
    told = (tmp_path / "said").read_text()
    assert "every decision is in the table" not in told
    rescued = Path(told.partition("saved in ")[2].strip().removesuffix("."))
    assert rescued.read_text() == saved
    rescued.unlink()
    assert "Traceback" not in told


def test_put_back_it_goes_on(tmp_path: Path) -> None:
    db = make(tmp_path / "my.duckdb")
    with serving(db, "--x", "probs") as server:
        browser = server.browser()
        browser.post("/decide", row="3", seen="", action="keep")
        db.rename(tmp_path / "moved.duckdb")
        assert "nothing was decided" in unescape(_decide(browser))
        (tmp_path / "moved.duckdb").rename(db)
        os.utime(db)  # a changed time alone is no other file
        assert "kept. U takes it back" in _decide(browser)
        assert [key for key, *_ in server.log()] == ["3", "7"]


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_journal_that_is_gone_loses_nothing(tmp_path: Path, how: str) -> None:
    """What DuckDB has not yet put into the file stands beside it, and may be taken for litter."""
    db = make(tmp_path / "my.duckdb")
    journal = Path(f"{db}.wal")
    with serving(db, "--x", "probs") as server:
        browser = server.browser()
        for row in range(20, 24):
            page = browser.post("/decide", row=str(row), seen="", action="keep")
            assert "kept. U takes it back" in page
            assert journal.exists() or row > 20
            journal.unlink(missing_ok=True)
            if how == "replaced":
                journal.write_bytes(b"")
        page = browser.post("/decide", row="24", seen="", action="keep")
        assert "kept. U takes it back" in page
        server.process.kill()
        server.process.wait()
        journal.unlink(
            missing_ok=True
        ) if how == "replaced" and not journal.stat().st_size else None
        assert [key for key, *_ in server.log()] == [str(row) for row in range(20, 25)]


def test_a_decision_in_another_database(tmp_path: Path) -> None:
    """The log's own file is what is watched."""
    import sqlfuncs
    from sqlfuncs.engines.duckdb.reviewing import ReviewedTable
    from sqlfuncs.errors import CannotKeep
    from sqlfuncs.review.decisions import Decision

    log = tmp_path / "log.duckdb"
    with sqlfuncs.connect(str(make(tmp_path / "my.duckdb"))) as con:
        con.execute(f"ATTACH '{log}' AS kept")
        table = ReviewedTable(
            con, table="train", text="text", label="label", key="id", x="probs",
            log="kept.decisions",
        )  # fmt: skip
        table.append([Decision("0", "keep", CLASSES[0], None, "ann")])
        (tmp_path / "my.duckdb").rename(tmp_path / "else.duckdb")
        table.append([Decision("3", "keep", CLASSES[0], None, "ann")])
        log.unlink()
        with pytest.raises(CannotKeep, match=r"log\.duckdb is gone"):
            table.append([Decision("6", "keep", CLASSES[0], None, "ann")])
        (tmp_path / "else.duckdb").rename(tmp_path / "my.duckdb")


def test_a_copy_of_the_file_is_whole_after_the_end(tmp_path: Path) -> None:
    db = make(tmp_path / "my.duckdb")
    with serving(db, "--x", "probs") as server:
        _decide(server.browser())
        server.process.terminate()
        assert server.process.wait() == 0
    with duckdb.connect(str(shutil.copy(db, tmp_path / "copy.duckdb"))) as con:
        assert con.execute("SELECT key FROM decisions").fetchall() == [("7",)]
