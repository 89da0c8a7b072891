"""The page as a program asks for it: who is let in, what is written, what is shown."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import duckdb
import pytest

from tests.review.server import Here, Server, code, reviewing, serving, shown_key
from tests.review.tables import CLASSES, EVIL, make
from tests.waiting import patient

GETS = (
    "/", "/list", "/clean", "/verify", "/progress", "/pulse", "/image?row=1", "/static/review.js",
    "/static/review.css", "/decisions.csv", "/nothing", "/?token=wrong",
)  # fmt: skip
POSTS = ("/decide", "/undo", "/clean", "/verify", "/learn", "/reviewer", "/invite", "/nothing")


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return make(tmp_path / "it's mine.duckdb")


@pytest.fixture
def server(db: Path) -> Iterator[Here]:
    with reviewing(db) as found:
        yield found


@pytest.fixture
def program(db: Path) -> Iterator[Server]:
    """In a process of its own, whose log is read when that has been killed."""
    with serving(db, "--x", "probs") as found:
        yield found


def test_without_the_token_every_route_is_403(server: Here, db: Path) -> None:
    browser = server.browser()
    stranger = {"Origin": browser.headers["Origin"]}
    wrong = {**stranger, "Cookie": browser.headers["Cookie"][:-1] + "x"}
    for headers in (stranger, wrong):
        for path in GETS:
            assert browser.ask("GET", path, headers=headers).status == 403, path
        for path in POSTS:
            form = {"row": "4", "action": "keep", "seen": ""}
            assert browser.ask("POST", path, form, headers).status == 403, path
    assert server.log() == []


def test_elsewhere_there_is_nothing(server: Here) -> None:
    """Who does not know the path learns nothing, not even with a cookie."""
    browser = server.browser()
    root, browser.root = browser.root, ""
    for headers in ({}, browser.headers, {**browser.headers, "Host": "evil.example"}):
        for path in (*GETS, "/r", "/r/", "/r/guessed/", root[:-1] + "/", root + "x/"):
            answer = browser.ask("GET", path, headers=headers)
            assert (answer.status, answer.text) == (404, ""), path
        for path in POSTS:
            answer = browser.ask("POST", path, {"row": "4", "action": "keep"}, headers)
            assert (answer.status, answer.text) == (404, ""), path
    assert browser.ask("GET", root).headers["location"] == f"{root}/"
    assert root not in browser.ask("GET", f"{root}/").text  # what is saved does not tell it
    assert server.log() == []


def test_a_cookie_that_another_server_has_set_is_no_matter(server: Here) -> None:
    browser = server.browser()
    name, _, _ = browser.headers["Cookie"].partition("=")
    browser.headers["Cookie"] += f"; {name}=anything; other=1"
    assert "<main" in browser.get()


def test_a_link_lets_one_browser_in_once(server: Here) -> None:
    first = server.browser("ann")
    assert first.entered.status == 303 and re.fullmatch(
        r"/r/[\w-]{43}/", first.entered.headers["location"]
    )
    cookie = first.entered.headers["set-cookie"]
    assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower()
    assert f"Path={first.root};" in cookie
    second = server.browser("ann")
    assert second.entered.status == 403
    assert "sqlfuncs review" in second.entered.text
    assert first.get("/")
    assert server.browser("bob").get("/")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {},
    ],
)
def test_a_page_of_another_origin_cannot_post(
    server: Here, db: Path, headers: dict[str, str]
) -> None:
    browser = server.browser()
    form = {"row": "4", "action": "exclude", "seen": ""}
    with_cookie = {"Cookie": browser.headers["Cookie"], **headers}
    answer = browser.ask("POST", "/decide", form, with_cookie)
    assert answer.status == 403
    assert "came from another page" in answer.text
    assert server.log() == []


def test_another_host_name_is_refused(server: Here) -> None:
    browser = server.browser()
    answer = browser.ask("GET", "/", headers={**browser.headers, "Host": "evil.example"})
    assert answer.status == 403


def test_browsers_are_told_to_ask_nobody_else(server: Here) -> None:
    headers = server.browser().ask("GET", "/").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers
    for name in ("review.js", "review.css"):
        text = server.browser("bob").get(f"/static/{name}") if name == "review.js" else ""
        assert not re.search(r"https?://", text)


def test_a_decision_is_in_the_log_before_the_next_row_is_shown(program: Server, db: Path) -> None:
    browser = program.browser("ann")
    page = browser.get()
    key = shown_key(page)
    after = browser.relabel(page, CLASSES[1])
    assert shown_key(after) != key
    assert program.log() in (
        [(key, "relabel", "ann")],
        [(key, "keep", "ann")],  # it was given that label
    )


def test_what_rows_say_is_text(server: Here) -> None:
    browser = server.browser()
    for path in ("/?at=4", "/list", "/clean"):
        page = browser.get(path)
        assert EVIL not in page
        assert "&lt;script&gt;" in page
    assert EVIL in unescape(browser.get("/?at=4"))
    page = browser.get("/?at=4&text=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in page


def test_reviewers_see_and_do_not_overwrite_each_other(server: Here, db: Path) -> None:
    ann, bob = server.browser("ann"), server.browser("bob")
    seen_by_ann = ann.get("/")
    key = shown_key(seen_by_ann)
    assert shown_key(bob.get("/")) != key  # ann is looking at it
    seen_by_bob = bob.get(f"/?at={key}")
    ann.decide(seen_by_ann, "keep")
    assert bob.pulse(seen_by_bob)["said"] == f"ann has kept the label of {key}"
    page = bob.decide(seen_by_bob, "exclude")
    assert f"meanwhile ann has kept the label of {key}" in unescape(page)
    assert shown_key(page) == key
    bob.decide(page, "exclude")  # having seen it, he may
    assert "no decision of ann is in force" in unescape(ann.post("/undo"))
    assert server.log() == [(key, "keep", "ann"), (key, "exclude", "bob")]


def test_two_reviewers_at_the_same_moment(program: Server, db: Path) -> None:
    """Of many decisions sent at once about the same rows, each row takes one."""
    import threading

    pages = [f"/?at={key}" for key in range(20, 40)]
    refused: list[str] = []

    def decide(who: str) -> None:
        browser = program.browser(who)
        for page in [browser.get(path) for path in pages]:
            found = unescape(browser.decide(page, "keep"))
            refused.extend(re.findall(r"nothing was written: meanwhile (\w+)", found))

    threads = [threading.Thread(target=decide, args=(who,)) for who in ("ann", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = [str(key) for key, _, _ in program.log()]
    assert sorted(keys) == [str(key) for key in range(20, 40)]
    assert len(refused) == 20


def test_clean_top_is_previewed_and_undone_as_one_step(program: Server, db: Path) -> None:
    browser = program.browser()
    page = browser.get("/clean?count=7")
    rows = re.findall(r'name="row" value="(\d+)"', page)
    assert len(rows) == 7
    assert "0 of 300 decided" in browser.get()
    labels = re.findall(r'name="label" value="(\d+)"', page)
    page = browser.post("/clean", row=rows, label=labels)
    assert "7 labels were replaced" in page
    assert "7 decisions were taken back" in browser.post("/undo")
    assert "no decision of ann is in force" in browser.post("/undo")
    assert browser.get("/clean?count=7").count('name="row"') == 7
    log = program.log("action, decided_at")
    assert [action for action, _ in log] == ["relabel"] * 7 + ["needs_review"] * 7
    assert len({moment for _, moment in log}) == 2


def test_the_queue_learns_and_the_random_sample_says_what_is_left(server: Here) -> None:
    browser = server.browser()
    assert "0 of 20 are decided" in browser.get("/progress")
    page = browser.get("/?sort=random")
    for _ in range(25):
        page = browser.decide(page, "keep", sort="random")
    browser.post("/learn")
    until = time.monotonic() + patient(20)
    while browser.pulse()["learning"] and time.monotonic() < until:
        time.sleep(0.1)
    page = browser.get("/progress")
    assert "wrong labels are left" in page and "by 25 rows of a random sample" in page
    assert "<polyline" in page
    assert '<th scope="row">ann</th><td>0</td><td>25</td>' in page


def test_a_name_and_an_invitation(server: Here, db: Path) -> None:
    browser = server.browser("ann")
    page = browser.post("/reviewer", name="  Ann O'Neill <b> ")
    assert "noted as Ann O&#39;Neill &lt;b&gt;&#39;s" in page
    page = browser.post("/invite", name="cy")
    link = re.search(r"http://127\.0\.0\.1:\d+/\?token=[\w-]+", unescape(page))
    assert link is not None
    cy = server.open(link[0])
    cy.decide(cy.get("/"), "keep")
    browser.decide(browser.get("/"), "keep")
    assert "a reviewer needs a name" in browser.post("/reviewer", name=" \n ")
    assert "is no reviewer" in browser.post("/reviewer", name="auto_corrections")
    assert [who for _, _, who in server.log()] == ["cy", "Ann O'Neill <b>"]


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"row": "none", "action": "keep"}, "there is no row number 'none'"),
        ({"row": "300", "action": "keep"}, "there is no row number '300'"),
        ({"row": "-1", "action": "keep"}, "there is no row number '-1'"),
        ({"row": "4", "action": "drop"}, "'drop' is no decision"),
        ({"row": "4", "action": "relabel", "label": "spam"}, "there is no label number 'spam'"),
        ({"row": "4", "action": "relabel", "label": "3"}, "There are 3 labels"),
        ({"row": "4", "action": "relabel"}, "there is no label None"),
    ],
)
def test_what_makes_no_sense_is_said_and_not_written(
    server: Here, db: Path, form: dict[str, str], message: str
) -> None:
    assert message in unescape(server.browser().post("/decide", seen="", **form))
    assert server.log() == []


@pytest.mark.parametrize(
    "path",
    ["/?low=much&high=-3&state=gone&sort=best", "/list?page=99999", "/list?page=-1", "/?at=nothing",
     "/clean?count=0", "/?given=none", "/?given=99999999999999999999", "/?row=300", "/?row=-1",
     "/?filter=given%3D7%26text%3Da%250Ab", "/list?text=%00%ff"],
)  # fmt: skip
def test_addresses_that_make_no_sense_show_a_page(server: Here, path: str) -> None:
    assert "<main" in server.browser().get(path)


def test_a_key_that_no_row_has_is_said(server: Here) -> None:
    page = server.browser().get("/?at=%3Cb%3E9")
    assert "No row has the key &lt;b&gt;9." in page
    assert "data-row" in page


def test_started_again_it_goes_on_where_it_was(db: Path) -> None:
    with serving(db, "--x", "probs") as server:
        browser = server.browser()
        page = browser.get()
        decided = shown_key(page)
        for _ in range(3):
            page = browser.decide(page, "keep")
        os.kill(server.process.pid, signal.SIGKILL)
    with serving(db, "--x", "probs") as server:
        browser = server.browser()
        assert "3 of 300 decided" in browser.get()
        assert "has kept the label" in browser.get(f"/?at={decided}")
        assert "was taken back" in browser.post("/undo")
        assert "2 of 300 decided" in browser.get()


def test_nothing_but_the_log_is_written(program: Server, db: Path) -> None:
    browser = program.browser()
    browser.decide(browser.get(), "keep")
    program.process.terminate()
    assert program.process.wait() == 0
    with duckdb.connect(str(db), read_only=True) as con:
        names = con.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
        assert names == [("decisions",), ("train",)]
        assert con.execute(
            "SELECT count(*) FROM duckdb_functions() WHERE NOT internal"
        ).fetchall() == [(0,)]


def _refused(db: Path, *options: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "sqlfuncs.cli", "review", str(db), "--no-browser", *options],
        capture_output=True, encoding="utf-8", timeout=300,
    )  # fmt: skip
    assert ran.returncode in (1, 2)
    assert "Traceback" not in ran.stderr
    return ran.stderr


def test_mistakes_of_the_call(program: Server, db: Path, tmp_path: Path) -> None:
    names = ("--table", "train", "--text", "text", "--label", "label", "--key", "id")
    assert "is open in another process" in _refused(db, *names, "--port", "0")
    other = make(tmp_path / "other.duckdb", rows=12)
    port = program.links["ann"].split(":")[2].split("/")[0]
    assert "--port 0 finds one" in _refused(other, *names, "--port", port)
    assert "has no such column" in _refused(other, *names[:3], "txt", *names[4:], "--port", "0")
    with duckdb.connect(str(other)) as con:
        con.execute("CREATE TABLE unnamed AS SELECT * EXCLUDE (id) FROM train")
    said = _refused(other, "--table", "unnamed")
    assert "--key is needed. unnamed has text, label" in said
    assert "CREATE TABLE numbered AS" in said
    assert "is no reviewer" in _refused(other, *names, "--reviewer", "auto_corrections")


def test_clean_top_writes_what_was_previewed(server: Here) -> None:
    """Whatever the queue has learned meanwhile."""
    browser = server.browser()
    page = browser.get()
    browser.post("/clean", row=["4", "14"], label=[code(page, CLASSES[0]), code(page, CLASSES[1])])
    assert server.log("key, new_label") in (
        [("14", CLASSES[1]), ("4", CLASSES[0])],
        [("14", None), ("4", CLASSES[0])],  # it was given that label
    )


def test_a_tab_that_is_closed_in_mid_form_is_no_matter(db: Path, tmp_path: Path) -> None:
    with (tmp_path / "said").open("w") as said:  # noqa: SIM117
        with serving(db, "--x", "probs", stderr=said) as server:
            browser = server.browser()
            for _ in range(3):
                with socket.create_connection(("127.0.0.1", browser.connection.port)) as half:
                    half.sendall(
                        f"POST {browser.root}/decide HTTP/1.1\r\nHost: {browser.host}\r\n"
                        f"Origin: http://{browser.host}\r\nCookie: {browser.headers['Cookie']}\r\n"
                        "Content-Length: 1000\r\n\r\nrow=4".encode()
                    )
                    time.sleep(0.2)
            assert "0 of 300 decided" in browser.get()
    assert "Traceback" not in (tmp_path / "said").read_text()


def test_a_form_that_is_too_long_is_not_read_to_its_end(server: Here) -> None:
    browser = server.browser()
    answer = browser.ask("POST", "/decide", {"key": "x" * 2_000_000}, browser.headers)
    assert answer.status == 413


def test_where_every_row_has_one_label_it_can_be_undone(db: Path) -> None:
    """What is decided leaves nothing to learn from; the review opens all the same, and says so."""
    with duckdb.connect(str(db)) as con:
        con.execute("DELETE FROM train WHERE id > 20")
    with serving(db, "--x", "probs") as server:
        browser = server.browser()
        for key in range(21):
            page = browser.get(f"/?at={key}")
            page = browser.relabel(page, CLASSES[0])
        server.process.terminate()
        server.process.wait()
    # The journal is settled: a copy of the file alone has every decision.
    with duckdb.connect(str(shutil.copy(db, db.with_name("copy.duckdb")))) as con:
        assert con.execute("SELECT count(*) FROM decisions").fetchall() == [(21,)]
    with serving(db, "--x", "probs") as server:
        browser = server.browser()
        assert "learning: every row" in unescape(browser.get("/progress"))
        assert "was taken back" in browser.post("/undo")


def test_labels_are_given_as_they_are_written(db: Path) -> None:
    with duckdb.connect(str(db)) as con:
        con.execute("UPDATE train SET label = 'product ' WHERE id % 7 = 0")
        con.execute("UPDATE train SET label = '' WHERE id % 11 = 0")
    with reviewing(db) as server:
        browser = server.browser()
        page = browser.get("/?at=9")
        assert ">product </option>" in page
        browser.relabel(page, "product ")
        browser.relabel(browser.get("/?at=12"), "")
        assert server.log("new_label") == [("product ",), ("",)]


def test_a_row_without_text_is_no_image(db: Path) -> None:
    with duckdb.connect(str(db)) as con:
        con.execute("UPDATE train SET text = NULL WHERE id = 9")
    with reviewing(db) as server:
        page = server.browser().get("/?at=9")
        assert "<img" not in page and "<em>NULL</em>" in page


def test_of_a_row_that_was_not_judged_nothing_is_made_up(db: Path) -> None:
    with duckdb.connect(str(db)) as con:
        con.execute("UPDATE train SET probs = NULL WHERE id = 9")
        con.execute("UPDATE train SET label = NULL WHERE id = 10")
    with reviewing(db) as server:
        browser = server.browser()
        page = browser.get("/?at=9")
        assert "Not judged" in page and "<h2>Labels</h2>" in page
        assert "0.0 %" not in page and 'class="bar"' not in page
        page = browser.get("/?at=10")
        assert "Not judged" in page and "<h2>Labels by probability</h2>" in page
        assert 'class="bar"' in page


def test_where_the_usual_port_is_taken_another_one_is(db: Path) -> None:
    taken = socket.socket()
    end = time.monotonic() + patient(10)
    while time.monotonic() < end:  # another test may have it for a moment
        with contextlib.suppress(OSError):
            taken.bind(("127.0.0.1", 8321))
            break
        time.sleep(0.05)
    with taken, subprocess.Popen(
        [sys.executable, "-m", "sqlfuncs.cli", "review", str(db), "--table", "train", "--text",
         "text", "--label", "label", "--key", "id", "--x", "probs", "--no-browser"],
        stdout=subprocess.PIPE, encoding="utf-8",
    ) as process:  # fmt: skip
        assert process.stdout is not None
        link = process.stdout.readline()
        process.terminate()
    assert re.match(r"http://127\.0\.0\.1:\d+/\?token=", link)
    assert ":8321/" not in link


def test_ctrl_c_before_there_is_a_page(tmp_path: Path) -> None:
    db = make(tmp_path / "many.duckdb", rows=9_000)
    with subprocess.Popen(
        [sys.executable, "-m", "sqlfuncs.cli", "review", str(db), "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    ) as process:  # fmt: skip
        assert process.stderr is not None and process.stdout is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        said = process.stderr.read()
        assert process.wait() == 130, first
        assert time.monotonic() - begun < patient(2)
        assert said.splitlines()[-1].endswith(
            "stopped before there was a page; nothing was decided"
        )
        assert process.stdout.read() == ""


def test_evidence_of_rows_that_are_alike(tmp_path: Path) -> None:
    """Near duplicates with their labels, trusted rows of both classes, what is like no other."""
    db = tmp_path / "vectors.duckdb"
    with duckdb.connect(str(db)) as con:
        con.execute("""
            CREATE TABLE train AS
            SELECT i AS id, 'text ' || i AS text, ['a', 'b'][1 + (i + (i = 5)::INT) % 2] AS label, [
                (hash(i * 31 + d) % 1000 / 500 - 1 + 2 * (i % 2 = d % 2)::INT)::FLOAT
                FOR d IN range(16)
            ] AS vector
            FROM range(120) r(i)
        """)
        con.execute("INSERT INTO train SELECT 500, 'again', 'a', vector FROM train WHERE id = 5")
        con.execute("INSERT INTO train VALUES (501, 'odd', 'a', [-99 FOR d IN range(16)])")
    with reviewing(db, "vector") as server:
        browser = server.browser()
        until = time.monotonic() + patient(20)
        while "Nearly the same row" not in (page := browser.get("/?at=5")):
            assert time.monotonic() < until
            time.sleep(0.2)
        group = page.partition("Nearly the same row")[2].partition("</section>")[0]
        assert 'row=120">500</a> <span class="label">a</span>' in group and "again" in group
        trusted = re.findall(r'Most alike among trusted <span class="label">(\w)</span>', page)
        assert sorted(trusted) == ["a", "b"]
        for label in trusted:
            alike = page.partition(f'trusted <span class="label">{label}')[2].partition("</ul>")[0]
            keys = [int(key) for key in re.findall(r">(\d+)</a>", alike)]
            assert len(keys) == 3 and all(k % 2 == (label == "b") or k == 500 for k in keys)
        assert "Outlier: it is like no other row" in browser.get("/?at=501")
        assert "Outlier" not in browser.get("/?at=7")
