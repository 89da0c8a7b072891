"""The report as the program writes it: what it says, that it is true, and that nothing is left."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import time
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

import sqlfuncs
from sqlfuncs.charts.shapes import percent
from sqlfuncs.engines.duckdb.statements import run
from sqlfuncs.review.decisions import Decision
from tests.cli.program import PROGRAM, spawned
from tests.report.written import Report, decide, ran, report, truthfully, written_by
from tests.review.tables import CLASSES, EVIL, add_test_rows, make, make_pictures
from tests.waiting import patient

RANDOM = "md5('review ' || id::VARCHAR)"
OLD = "<!DOCTYPE html>the old one"
WORST = "map_extract_value(probs, label), id::VARCHAR"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """300 rows, a tenth of whose labels are wrong, and 90 to test on."""
    return add_test_rows(make(tmp_path / "my.duckdb"))


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory, trained: Path) -> tuple[Path, Report]:
    """A database of which 60 rows of the random sample are decided, and its report."""
    db = add_test_rows(make(tmp_path_factory.mktemp("reviewed") / "my.duckdb"))
    decide(db, "decisions", truthfully(db, RANDOM, 60))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SQLFUNCS_HOME", str(trained))
        return db, report(db, "--x", "probs")


def test_before_anybody_has_reviewed(db: Path) -> None:
    words = report(db, "--x", "probs").words
    assert "300 rows of train" in words
    assert "The model flags 28 of 300 labels as doubtful" in words
    assert "nobody has reviewed anything yet" in words
    assert "0 of 20 are decided" in words
    assert "pruned" in words
    assert "reviewed at random" not in words
    assert "labels of the test rows were taken as right" in words
    assert (
        "(sqlfuncs review my.duckdb --table=test --text=text --label=label --key=id "
        "--log=test_decisions)"
    ) in words
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
    assert f"People have reviewed 70 rows and found {wrong} wrong labels" in words
    assert f"Of 40 rows drawn at random, {in_sample} had a wrong label" in words
    assert "wrong labels are left in the rows nobody has decided" in words
    assert "the same effort, 70 decisions," in words
    assert f"ann {wrong} {70 - wrong} 0 0 0 1 2026-01-01 10:00" in words
    assert re.search(r"bob 0 0 1 0 1 ", words)
    assert re.search(r"reviewed 300 " + str(wrong), words)
    # The curve of what was found ends at what was found, as known.
    assert re.search(rf"70 {wrong} \d", words)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "it is likelier; of 9 rows that people reviewed, drawn at random, relabelling was "
            "right for 9 and harm for 0: the 5 corrections released do good, at a risk of 0.1",
            "5 of them nobody has looked at: a reviewed sample released them, at a risk of 10 % "
            "that they do more harm than good.",
        ),
        ("it is likelier", "5 of them were corrected by the probabilities alone."),
    ],
)
def test_it_begins_with_what_was_mended_by_what_effort(db: Path, reason: str, said: str) -> None:
    people = truthfully(db, WORST, 10)
    wrong = sum(each.is_wrong for each in people)
    known = {each.key for each in people}
    others = [each for each in truthfully(db, WORST, 30) if each.key not in known][:5]
    machine = [replace(each, decided_by="auto_corrections", reason=reason) for each in others]
    assert all(each.is_wrong for each in machine)
    decide(db, "decisions", [*people, *machine])
    words = report(db, "--x", "probs", "--skip", "gain").words
    mended = f"{wrong + 5} labels mended, 10 rows reviewed"
    assert f"{mended}: {(wrong + 5) / 10:.1f} for each. {said}" in words
    assert words.index(mended) < words.index("The model flags")


def test_what_a_sample_says_of_the_labels_is_used(db: Path) -> None:
    words = report(db, "--x", "probs", "--skip", "gain").words
    assert "; from the labels alone, " in words
    decide(db, "decisions", truthfully(db, RANDOM, 60))
    words = report(db, "--x", "probs", "--skip", "gain").words
    assert "; by the rows drawn at random, " in words


def test_where_every_row_is_decided_there_is_no_control(db: Path) -> None:
    decide(db, "decisions", truthfully(db, RANDOM, 300))
    words = report(db, "--x", "probs").words
    assert "People have reviewed all 300 rows and found 30 wrong labels" in words
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


def test_the_sql_that_is_shown_gives_what_is_shown(reviewed: tuple[Path, Report]) -> None:
    db, found = reviewed
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
        said = f"{correct} of {n} {percent(accuracy)} % ({percent(low)} to {percent(high)} %)"
        assert said in found.words
    health = next(rows for columns, rows in results if "confused_with" in columns)
    for _, _, _, rate, low, high, _ in health:
        assert f"{percent(rate)} % ({percent(low)} to {percent(high)})" in found.words


def test_labels_of_the_test_rows_are_corrected_for(db: Path) -> None:
    with duckdb.connect(str(db)) as con:
        con.execute("UPDATE test SET label = $1 WHERE id % 5 = 0", [CLASSES[0]])
        wrong = con.execute("SELECT avg((label <> truth)::INT) FROM test").fetchall()[0][0]
    decide(db, "test_decisions", truthfully(db, RANDOM, 15, table="test"))
    few = report(db, "--x", "probs")
    assert "15 rows of their random sample are decided, and 20 tell something" in few.words
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
    out = db.with_suffix(".html")
    found = written_by(spawned("report", db, "--out", out, "--x", "probs"), db)
    assert found.said.splitlines()[-1].startswith(f"sqlfuncs: {out} is written (")
    assert sha256(db.read_bytes()).digest() == before
    assert sorted(each.name for each in db.parent.iterdir() if each.name != "home") == [
        "my.duckdb", "my.html",
    ]  # fmt: skip


def test_it_is_its_owners_alone_unless_the_file_was_shared(tmp_path: Path) -> None:
    """It says what the rows say. A file that others may read stays one."""
    db, place = make(tmp_path / "my.duckdb", rows=60), tmp_path / "my.html"
    before = os.umask(0o022)
    try:
        report(db, "--x", "probs", "--skip", "gain")
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        place.chmod(0o644)
        report(db, "--x", "probs", "--skip", "gain")
        assert stat.S_IMODE(place.stat().st_mode) == 0o644
    finally:
        os.umask(before)


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


def test_images(tmp_path: Path) -> None:
    db = make_pictures(tmp_path / "pictures.duckdb")
    with duckdb.connect(str(db)) as con:
        con.execute("UPDATE train SET picture = '<svg onload=\"alert(1)\">'::BLOB WHERE id = 8")
    found = report(db, "--text", "picture")
    assert found.html.count('src="data:image/png;base64,') == 20
    assert "svg onload" not in found.html
    assert "There is no decision log" in found.words


def test_fields(tmp_path: Path) -> None:
    db = make_pictures(tmp_path / "pictures.duckdb")
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
    done = spawned("report", tmp_path / "none.duckdb")
    assert done.returncode == 2 and "does not exist" in done.stderr
    assert not (tmp_path / "none.duckdb").exists()


def test_a_decision_about_a_row_that_is_gone_is_said(db: Path) -> None:
    decide(db, "decisions", [Decision("gone", "keep", CLASSES[0], None, "ann")])
    done = ran(db, "--x", "probs")
    assert done.returncode == 1
    assert "decisions about keys that are not in the table: gone" in done.stderr
    assert "--log names another log" in done.stderr
    assert "nobody has reviewed anything yet" in report(db, "--x", "probs", "--log", "").words


def test_nothing_but_a_page_is_replaced(db: Path, tmp_path: Path) -> None:
    before = db.read_bytes()
    link = tmp_path / "report.html"
    link.symlink_to(db)
    for out in (db, link):
        done = ran(db, "--x", "probs", out=out)
        assert (done.returncode, "is the database" in done.stderr) == (1, True)
    notes = tmp_path / "notes.txt"
    notes.write_text("mine")
    assert "no HTML page, so it is left as it is" in ran(db, "--x", "probs", out=notes).stderr
    assert (db.read_bytes(), notes.read_text()) == (before, "mine")


def test_test_rows_that_nobody_asked_for_may_be_something_else(db: Path) -> None:
    with duckdb.connect(str(db)) as con:
        con.execute("CREATE OR REPLACE TABLE test AS SELECT 'a' AS body, 'b' AS label")
    found = report(db, "--x", "probs")
    assert "What better labels gain was not measured: test is taken for the rows" in found.words
    assert "It has body, label" in ran(db, "--x", "probs", "--test", "test").stderr


def test_ctrl_c_leaves_the_old_report(db: Path) -> None:
    with duckdb.connect(str(db)) as con:
        con.execute(
            "INSERT INTO train SELECT id, text || md5(id::VARCHAR || i), label, truth, probs "
            "FROM train, range(200) r(i)"
        )
        con.execute("UPDATE train SET id = rowid")
    out = db.with_suffix(".html")
    out.write_text(OLD)
    with subprocess.Popen(
        [*PROGRAM, "report", str(db), "--out", str(out)], stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stderr is not None
        begins = re.compile("reading texts|judging labels")  # what takes minutes
        assert any(begins.search(line) for line in process.stderr)
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        process.wait(timeout=300)
        assert time.monotonic() - begun < patient(3)
        said = process.stderr.read()
    assert process.returncode == 130
    assert "Traceback" not in said
    assert out.read_text() == OLD


def test_without_a_random_sample_there_is_no_control(db: Path) -> None:
    decide(db, "decisions", truthfully(db, WORST, 40))
    words = report(db, "--x", "probs").words
    assert "What reviewing as many rows at random would have gained is not known" in words
    assert "reviewed at random" not in words
    known = report(db, "--x", "probs", "--truth", "truth").words
    assert "The right labels of so many rows drawn at random are put in" in known


def test_a_missing_label_is_none_that_is_wrong(db: Path) -> None:
    """Decisions about rows without a label give them one, to train on, and find no wrong one."""
    with duckdb.connect(str(db)) as con:
        con.execute("UPDATE train SET label = NULL WHERE id < 100")
    decide(db, "decisions", truthfully(db, "id", 100))
    words = report(db, "--x", "probs").words
    assert "People have reviewed 100 rows and found 0 wrong labels" in words
    assert "reviewed 300 100" in words  # rows trained on, and labels changed
    assert "as given 200 0" in words


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("UPDATE test SET label = NULL", "no row of test has something to read and a label"),
        ("CREATE OR REPLACE TABLE test AS FROM train", "every row of train is among the rows"),
        ("UPDATE test SET label = label || ' '", "none of the labels of test is a label of train"),
    ],
)
def test_what_cannot_be_measured_is_said_and_the_rest_is_there(
    db: Path, change: str, message: str
) -> None:
    with duckdb.connect(str(db)) as con:
        con.execute(change)
    found = report(db, "--x", "probs")
    assert f"What better labels gain was not measured: {message}" in found.words
    assert message in found.said
    assert "How many labels are wrong, by class" in found.words


def test_labels_that_leave_one_class_are_not_trained_on(db: Path) -> None:
    with duckdb.connect(str(db)) as con:
        con.execute("ALTER TABLE train RENAME TO 'a:b@c'".replace("'", '"'))
        con.execute('CREATE VIEW train AS FROM "a:b@c"')
    rows = truthfully(db, "id", 300)
    to_one = [Decision(each.key, "relabel", each.old_label, CLASSES[0], "ann") for each in rows]
    decide(db, "decisions", [e for e in to_one if e.old_label != e.new_label])
    found = report(db, "--x", "probs", "--table", '"a:b@c"')
    assert "All rows have the same label: reviewed" in found.words
    assert "pruned 2" in found.words


def test_names_are_the_same_in_any_case(db: Path) -> None:
    with duckdb.connect(str(db)) as con:
        con.execute("ALTER TABLE train RENAME COLUMN label TO Label")
    assert "300 rows" in report(db, "--x", "PROBS", "--key", "ID", "--skip", "gain").words


def test_each_figure_gives_what_it_shows_after_those_above_it(
    reviewed: tuple[Path, Report],
) -> None:
    """As somebody does who copies one after the other, without the list at the end."""
    db, found = reviewed
    with sqlfuncs.connect(db, read_only=True) as con:
        for figure in found.sql[:-1]:
            assert [result for result in run(con, figure) if result.columns]


def test_what_the_other_orders_found_rises_by_one_a_decision_at_most(db: Path) -> None:
    sample = truthfully(db, RANDOM, 40)
    seen = {each.key for each in sample}
    worst = [each for each in truthfully(db, WORST, 120) if each.key not in seen]
    decide(db, "decisions", [*worst[:70], *sample])
    with sqlfuncs.connect(db, read_only=True) as con:
        results = [r for r in run(con, report(db, "--x", "probs").sql[-1]) if r.columns]
    found = next(r for r in results if "by_quality" in r.columns)
    columns = [list(each) for each in zip(*found.rows, strict=True)]
    decisions, _, by_quality, low, high = columns[:5]
    assert all(
        at_least <= it <= at_most
        for at_least, it, at_most in zip(low, by_quality, high, strict=True)
    )
    for before, after in pairwise(zip(decisions, by_quality, strict=True)):
        assert 0 <= after[1] - before[1] <= after[0] - before[0] + 1e-9


def test_keys_have_to_name_rows(db: Path) -> None:
    with duckdb.connect(str(db)) as con:
        con.execute("UPDATE train SET id = 1 WHERE id = 2")
    done = ran(db, "--x", "probs")
    assert done.returncode == 1
    assert "--key id does not name a row: several rows have 1" in done.stderr


def test_rows_that_were_not_judged_are_said(db: Path) -> None:
    with duckdb.connect(str(db)) as con:
        con.execute("UPDATE train SET probs = NULL WHERE id < 7")
    words = report(db, "--x", "probs", "--skip", "gain").words
    assert "7 rows could not be judged: the probabilities are NULL (7)." in words
