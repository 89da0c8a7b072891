"""Reports as the program writes them, and reading them as a person would."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import duckdb

from sqlfuncs.review.decisions import Decision
from tests.cli.program import Ran, called


@dataclass(frozen=True)
class Report:
    """A written report, and what was said meanwhile."""

    path: Path
    said: str

    @property
    def html(self) -> str:
        """The file."""
        return self.path.read_text(encoding="utf-8")

    @property
    def words(self) -> str:
        """What is read in it, without the SQL."""
        without_sql = re.sub(r"(?s)<pre.*?</pre>|<style>.*?</style>", " ", self.html)
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", without_sql)))

    @property
    def sql(self) -> list[str]:
        """Each piece of SQL that is shown, the last one all of them."""
        return [unescape(each) for each in re.findall(r"(?s)<pre[^>]*>(.*?)</pre>", self.html)]


def ran(db: Path, *options: str, out: Path | None = None) -> Ran:
    """Run the command."""
    return called("report", db, "--out", out or db.with_suffix(".html"), *options)


def report(db: Path, *options: str) -> Report:
    """Write a report that has to succeed."""
    return written_by(ran(db, *options), db)


def written_by(done: Ran, db: Path) -> Report:
    """The report that a command which has to have succeeded has written."""
    assert done.returncode == 0, done.stderr
    return Report(db.with_suffix(".html"), done.stderr)


def decide(db: Path, log: str, decisions: list[Decision]) -> None:
    """Write decisions to a log, a second apart, as a reviewer does."""
    with duckdb.connect(str(db)) as con:
        con.execute(
            f"CREATE TABLE IF NOT EXISTS {log} (key VARCHAR, action VARCHAR, old_label VARCHAR, "
            "new_label VARCHAR, decided_by VARCHAR, reason VARCHAR, decided_at TIMESTAMP)"
        )
        for second, each in enumerate(decisions):
            con.execute(
                f"INSERT INTO {log} VALUES ($1, $2, $3, $4, $5, $6, "
                "TIMESTAMP '2026-01-01 10:00:00' + to_seconds($7))",
                [each.key, each.action, each.old_label, each.new_label, each.decided_by,
                 each.reason, second],
            )  # fmt: skip


def truthfully(db: Path, order: str, count: int, *, table: str = "train") -> list[Decision]:
    """What somebody who knows the truth decides of the first rows of a table in an order."""
    with duckdb.connect(str(db)) as con:
        rows = con.execute(
            f"SELECT id::VARCHAR, label::VARCHAR, truth::VARCHAR FROM {table} "
            f"ORDER BY {order} LIMIT {count}"
        ).fetchall()
    return [
        Decision(key, "keep", label, None, "ann")
        if label == truth
        else Decision(key, "relabel", label, truth, "ann")
        for key, label, truth in rows
    ]
