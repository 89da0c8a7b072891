"""What the page says beside a row: the rows most like it, and what in it speaks for which label."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import sqlfuncs
from sqlfuncs.errors import NoUsableRows
from sqlfuncs.review.evidence import Likeness, Reasons, Why
from sqlfuncs.review.queue import Queue
from tests.review.server import reviewing
from tests.review.tables import make_pictures
from tests.waiting import patient


def test_rows_that_have_nothing_in_common_are_no_evidence() -> None:
    x = pa.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [-1.0, 0.0], None], pa.list_(pa.float32()))
    likeness = Likeness(x, np.arange(5))
    everywhere = np.ones(5, bool)
    assert [place for place, _ in likeness.nearest(0, everywhere, 4)] == [1]
    assert likeness.nearest(4, everywhere, 4) == []  # nothing is known of it


def test_a_page_says_what_speaks_for_which_label(tmp_path: Path) -> None:
    """By fields, two of whose labels are wrong: 8 and 11."""
    with reviewing(make_pictures(tmp_path / "t.duckdb"), x="fields", text="fields") as found:
        browser, deadline = found.browser(), time.monotonic() + patient(60)
        while "<h2>Why" not in (page := browser.get("/?at=8")) and time.monotonic() < deadline:
            time.sleep(0.1)
        [(suggested,)] = found.con.execute(
            "SELECT suggested_label FROM label_issues(train, fields, label) WHERE id = 8"
        ).fetchall()
        why = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page[page.index("<h2>Why") :]))
        assert f"Speaks for {suggested} corners" in why
        assert f"By fields {suggested}" in why
        assert "<h2>Why" not in browser.get("/?at=9")  # whose label the model has learned


def test_a_page_names_words_with_their_field(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "t.duckdb")) as con:
        con.execute("""
            CREATE TABLE train AS
            SELECT i AS id, ['bill', 'parcel'][1 + i % 2] AS truth,
                if(i % 30 = 0, 'parcel', truth) AS label,
                {subject: 'question ' || i || ' of mine', amount: i % 2 * 10 + hash(i) % 5,
                 body: 'about my ' || truth || ' of order ' || i} AS fields
            FROM range(120) r(i)
        """)
    with reviewing(tmp_path / "t.duckdb", x="fields", text="fields") as found:
        browser, deadline = found.browser(), time.monotonic() + patient(60)
        while "<h2>Why" not in (page := browser.get("/?at=30")) and time.monotonic() < deadline:
            time.sleep(0.1)
        why = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page[page.index("<h2>Why") :]))
        assert "Speaks for bill" in why
        assert "body: bill" in why
        assert "amount" in why
        assert "By body: words bill" in why
        assert "By fields bill" in why


@dataclass
class Judged:
    """Rows with fields, and what `label_issues` says of them."""

    con: duckdb.DuckDBPyConnection
    x: pa.Array
    found: pa.Table

    def reasons(self) -> tuple[Reasons, Queue]:
        rows = _fetched(self.con, "SELECT id::VARCHAR AS key, label, fields AS text FROM train")
        queue = Queue(rows, self.found)
        return Reasons(self.x, np.arange(len(self.x)), queue, "fast"), queue


def _fetched(con: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    return con.sql(query).to_arrow_table()


@pytest.fixture
def judged(tmp_path: Path) -> Iterator[Judged]:
    with sqlfuncs.connect(make_pictures(tmp_path / "t.duckdb")) as con:
        con.execute("CREATE TABLE i AS FROM label_issues(train, fields, label)")
        yield Judged(
            con,
            _fetched(con, "SELECT fields FROM train")["fields"].combine_chunks(),
            _fetched(con, "SELECT id::VARCHAR AS key, * EXCLUDE (id) FROM i"),
        )


def test_reasons_are_those_of_explain_issues(judged: Judged) -> None:
    said = judged.con.execute(
        "SELECT id::VARCHAR, speaks_for_given, speaks_for_suggested, votes "
        "FROM explain_issues(i, fields, label, id)"
    ).fetchall()
    reasons, queue = judged.reasons()
    assert said
    for key, for_given, for_suggested, votes in said:
        assert reasons.of(queue.place[key]) == Why(for_given, for_suggested, votes)
    assert reasons.of(queue.place["9"]) is None
    # What is suggested later, when the model has learned from decisions, was learned as it is.
    queue.scores.suggested[queue.place["9"]] = 1 - queue.given[queue.place["9"]]
    assert reasons.of(queue.place["9"]) is None


def test_nothing_is_said_where_all_rows_are_flagged(judged: Judged) -> None:
    everywhere = pa.array([True] * len(judged.x))
    at = judged.found.column_names.index("is_label_issue")
    judged.found = judged.found.set_column(at, "is_label_issue", everywhere)
    with pytest.raises(NoUsableRows, match="every row is flagged"):
        judged.reasons()
