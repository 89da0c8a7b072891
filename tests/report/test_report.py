"""The report as the program writes it: what it says, that it is true, and that nothing is left."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

import sqlfuncs
from sqlfuncs.engines.duckdb.statements import run
from sqlfuncs.review.decisions import Decision
from tests.report.written import decide, ran, report, truthfully
from tests.review.tables import CLASSES, EVIL, add_test_rows, make, make_pictures

RANDOM = "md5('review ' || id::VARCHAR)"
WORST = "map_extract_value(probs, label), id::VARCHAR"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """300 rows, a tenth of whose labels are wrong, and 90 to test on."""
    return add_test_rows(make(tmp_path / "my.duckdb"))


def test_before_anybody_has_reviewed(db: Path) -> None:
    words = report(db, "--x", "probs").words
    assert "300 rows of train" in words
    assert "30 of 300 labels in 3 classes" in words or "labels in 3 classes as probably" in words
    assert "nobody has reviewed anything yet" in words
    assert "0 of 20 are decided" in words
    assert "pruned" in words
    assert "reviewed at random" not in words
    assert "labels of the test rows were taken as right" in words
    assert "nothing was paid" in words


def test_what_was_decided_and_what_it_gains(db: Path) -> None:
    """The counts are those of the log: 40 of the random sample, 30 from the top."""
    sample = truthfully(db, RANDOM, 40)
    seen = {each.key for each in sample}
    worst = [each for each in truthfully(db, WORST, 60) if each.key not in seen][:30]
    undone = Decision("299", "exclude", CLASSES[2], None, "bob")
    undo = Decision("299", "needs_review", CLASSES[2], None, "bob", "undo of 2026-01-01 10:01:10")
    by_machine = Decision("298", "relabel", CLASSES[1], CLASSES[0], "auto_corrections")
    decide(db, "decisions", [*sample, *worst, undone, undo, by_machine])
    wrong = sum(each.is_wrong for each in (*sample, *worst))
    in_sample = sum(each.is_wrong for each in sample)
    words = report(db, "--x", "probs").words
    assert f"People have decided about 70 rows, and {wrong} labels of them were wrong" in words
    assert f"Of 40 rows drawn at random, {in_sample} labels were wrong" in words
    assert "wrong labels are left in the rows nobody has decided" in words
    assert "the same effort, 70 decisions," in words
    assert f"ann {wrong} {70 - wrong} 0 0 0 1 2026-01-01 10:00" in words
    assert re.search(r"bob 0 0 1 0 1 ", words)
    assert re.search(r"reviewed 300 " + str(wrong), words)
    # The curve of what was found ends at what was found, as known.
    assert re.search(rf"70 {wrong} \d", words)


def test_where_every_row_is_decided_there_is_no_control(db: Path) -> None:
    decide(db, "decisions", truthfully(db, RANDOM, 300))
    words = report(db, "--x", "probs").words
    assert "People have decided about all 300 rows, and 30 labels of them were wrong" in words
    assert "reviewed 300 30" in words
    assert "at random, it would" not in words and "drawn at random" not in words


def test_with_the_truth_every_order_is_drawn_as_it_is(db: Path) -> None:
    decide(db, "decisions", truthfully(db, WORST, 40))
    found = report(db, "--x", "probs", "--truth", "truth", "--skip", "gain")
    assert found.html.count('<polyline class="line') == 3
    # All of the first 30 are wrong, by the worst first; by chance a tenth of the rows is.
    assert "30 30 30 30 30 3 3 3" in found.words
    assert "The right labels are known (truth)" in found.words


def test_random_order_wants_a_sample_where_the_truth_is_not_known(db: Path) -> None:
    decide(db, "decisions", truthfully(db, WORST, 40))
    found = report(db, "--x", "probs", "--skip", "gain")
    assert found.html.count('<polyline class="line') == 1
    assert "can be told once 20 rows of the random sample are decided" in found.words
    decide(db, "decisions", [e for e in truthfully(db, RANDOM, 25) if e.key not in _keys(db)])
    assert report(db, "--x", "probs", "--skip", "gain").html.count('<polyline class="line') == 4


def _keys(db: Path) -> set[str]:
    with duckdb.connect(str(db), read_only=True) as con:
        return {key for (key,) in con.execute("SELECT key FROM decisions").fetchall()}


def test_the_sql_that_is_shown_gives_what_is_shown(db: Path) -> None:
    decide(db, "decisions", truthfully(db, RANDOM, 60))
    found = report(db, "--x", "probs")
    *figures, everything = found.sql
    assert len(figures) >= 10
    for figure in figures:
        assert figure in everything
    with sqlfuncs.connect(db, read_only=True) as con:
        results = [(r.columns, r.rows) for r in run(con, everything) if r.columns]
    gained = next(rows for columns, rows in results if "labels_changed" in columns)
    assert [row[0] for row in gained] == [
        "given", "pruned", "auto_corrected", "reviewed", "randomly_reviewed",
    ]  # fmt: skip
    for row in gained:
        n, correct, accuracy, low, high = row[5:10]
        said = f"{correct} of {n} {100 * accuracy:.1f} % ({100 * low:.1f} to {100 * high:.1f} %)"
        assert said in found.words
    health = next(rows for columns, rows in results if "confused_with" in columns)
    for _, _, _, rate, low, high, _ in health:
        assert f"{100 * rate:.1f} % ({100 * low:.1f} to {100 * high:.1f})" in found.words


def test_labels_of_the_test_rows_are_corrected_for(db: Path) -> None:
    with duckdb.connect(str(db)) as con:
        con.execute("UPDATE test SET label = $1 WHERE id % 5 = 0", [CLASSES[0]])
        wrong = con.execute("SELECT avg((label <> truth)::INT) FROM test").fetchall()[0][0]
    decide(db, "test_decisions", truthfully(db, RANDOM, 15, table="test"))
    few = report(db, "--x", "probs")
    assert "of the random sample of the test rows, 15 are decided" in few.words
    assert few.words.count("of the random sample of the test rows") == 1
    with duckdb.connect(str(db)) as con:
        con.execute("DROP TABLE test_decisions")
    decide(db, "test_decisions", truthfully(db, RANDOM, 90, table="test"))
    words = report(db, "--x", "probs").words
    # With all of them reviewed, what is wrong among them is known.
    assert f"Test labels are wrong, too: about {100 * wrong:.0f} % of them" in words
    assert "90 of 90" in words


def test_what_rows_and_names_say_is_text(tmp_path: Path) -> None:
    db = make(tmp_path / "evil.duckdb")
    table = EVIL.replace("owned", "table")
    quoted = '"' + table.replace('"', '""') + '"'
    key, label = "k'e\"y<b>", "<i>la;bel--"
    with duckdb.connect(str(db)) as con:
        con.execute(f"ALTER TABLE train RENAME TO {quoted}")
        con.execute(f"""ALTER TABLE {quoted} RENAME COLUMN id TO "k'e""y<b>" """)
        con.execute(f'ALTER TABLE {quoted} RENAME COLUMN label TO "<i>la;bel--"')
    decide(db, "decisions", [Decision("7", "keep", CLASSES[1], None, EVIL, EVIL)])
    found = report(
        db, "--table", quoted, "--key", key, "--label", label, "--x", "probs", "--skip", "gain"
    )
    assert EVIL not in found.html and "<script" not in found.html
    assert "onerror=" not in re.sub(r"onerror=(&#34;|&quot;)", "", found.html)
    assert EVIL in found.words  # the row, and who decided
    assert "<b>billing</b>" not in found.html


def test_nothing_is_written_but_the_file(db: Path) -> None:
    decide(db, "decisions", truthfully(db, RANDOM, 30))
    before = sha256(db.read_bytes()).digest()
    db.chmod(0o444)
    found = report(db, "--x", "probs")
    assert sha256(db.read_bytes()).digest() == before
    assert sorted(each.name for each in db.parent.iterdir() if each.name != "home") == [
        "my.duckdb", "my.html",
    ]  # fmt: skip
    assert found.path.stat().st_mode & 0o777 == 0o644


def test_it_needs_nothing_else(db: Path) -> None:
    html = report(db, "--x", "probs", "--skip", "gain").html
    tags = _Tags(html)
    assert tags.names.isdisjoint({"script", "link", "iframe", "object", "base", "form"})
    assert tags.addresses == []
    assert "url(" not in html and "@import" not in html
    assert "default-src 'none'" in html
    assert str(db.parent) not in html


class _Tags(HTMLParser):
    """What a browser would see in a page: its tags, and what it would fetch."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.addresses += [
            value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")
        ]
        assert not any(name.startswith("on") for name, _ in attrs)


def test_images_and_fields(tmp_path: Path) -> None:
    db = make_pictures(tmp_path / "pictures.duckdb")
    with duckdb.connect(str(db)) as con:
        con.execute("UPDATE train SET picture = '<svg onload=\"alert(1)\">'::BLOB WHERE id = 8")
    found = report(db, "--text", "picture")
    assert found.html.count('src="data:image/png;base64,') == 20
    assert "svg onload" not in found.html
    assert "There is no decision log" in found.words
    found = report(db, "--text", "fields")
    assert "'corners': c}" in found.words
    assert "it takes a table of test rows" in found.words
    with duckdb.connect(str(db)) as con:
        con.execute("CREATE TABLE test AS FROM train")
    assert "fine_tune trains on text or embeddings" in report(db, "--text", "fields").words


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--table", "trian"), "there is no table trian. The database has test, train"),
        (("--label", "lable"), "--label lable: train has no such column. train has id, text"),
        (("--log", "log"), "--log: there is no table log"),
        (("--test", "tests"), "--test: there is no table tests"),
        (("--log", "test"), "test is no decision log: it has no column key"),
        (("--base", "none"), "base := 'none' is not known"),
        (("--out", "nowhere/report.html"), "there is no folder nowhere"),
        (("--skip", "all"), "'all' is not one of 'gain', 'noisy'"),
    ],
)
def test_mistakes_of_the_call(db: Path, options: tuple[str, ...], message: str) -> None:
    done = ran(db, "--x", "probs", *options)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr and "statement" not in done.stderr
    assert not db.with_suffix(".html").exists()


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    done = ran(tmp_path / "none.duckdb")
    assert done.returncode == 2 and "does not exist" in done.stderr
    assert not (tmp_path / "none.duckdb").exists()


def test_a_decision_about_a_row_that_is_gone_is_said(db: Path) -> None:
    decide(db, "decisions", [Decision("gone", "keep", CLASSES[0], None, "ann")])
    done = ran(db, "--x", "probs")
    assert done.returncode == 1
    assert "decisions about keys that are not in the table: gone" in done.stderr


def test_ctrl_c_leaves_the_old_report(db: Path) -> None:
    with duckdb.connect(str(db)) as con:
        con.execute(
            "INSERT INTO train SELECT id, text || md5(id::VARCHAR || i), label, truth, probs "
            "FROM train, range(200) r(i)"
        )
        con.execute("UPDATE train SET id = rowid")
    out = db.with_suffix(".html")
    out.write_text("the old one")
    process = subprocess.Popen(
        [sys.executable, "-m", "sqlfuncs.cli", "report", str(db), "--out", str(out)],
        stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    time.sleep(4.0)
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    _, said = process.communicate(timeout=20)
    assert time.monotonic() - begun < 3
    assert process.returncode == 130
    assert "Traceback" not in said
    assert out.read_text() == "the old one"
