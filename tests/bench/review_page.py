"""How fast the review page answers with 100,000 rows queued, and what its queue finds.

    SQLFUNCS_DATA=... python -m tests.bench.review_page

The real server and plain HTTP, one request after the other, as a browser's script sends them: a
decision and the page that follows. Then a reviewer who knows the consensus labels of blog goes
through the page's queue, beside label-quality order and a random one.
"""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import duckdb
import numpy as np

from sqlfuncs.review.review import LEARN_EVERY
from tests.bench.detection import TABLES
from tests.bench.pages import circumstances, write

ROWS, DECISIONS, STEP, REVIEWED = 100_000, 200, 100, 600
MADE = f"""
CREATE TABLE train AS
SELECT i AS id,
    'row ' || i || ' says ' || md5(i::VARCHAR) || ' and ' || md5((i * 7)::VARCHAR) AS text,
    'class ' || if(hash(i) % 10 = 0, (i + 1) % 5, i % 5) AS label,
    [(hash(i * 31 + d) % 1000 / 500 - 1 + 2 * (i % 5 = d)::INT)::FLOAT FOR d IN range(16)] AS vector
FROM range({ROWS}) r(i)
"""


@dataclass
class Browser:
    """What a browser's script does: it keeps a cookie and a connection, and follows redirects."""

    link: str

    def __post_init__(self) -> None:
        self.host = urlsplit(self.link).netloc
        self.connection = http.client.HTTPConnection(self.host)
        self.connection.connect()
        # As browsers do: a form's head and body do not wait for one another.
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.cookie = ""
        _, headers = self._once("GET", self.link.partition(self.host)[2])
        self.cookie = headers["set-cookie"].partition(";")[0]

    def _once(
        self, method: str, path: str, form: dict[str, str] | None = None
    ) -> tuple[str, dict[str, str]]:
        headers = {"Cookie": self.cookie, "Origin": f"http://{self.host}"}
        self.connection.request(method, path, urlencode(form) if form else None, headers)
        answer = self.connection.getresponse()
        return answer.read().decode(), {k.lower(): v for k, v in answer.getheaders()}

    def get(self, path: str = "/") -> str:
        """A page."""
        return self._once("GET", path)[0]

    def post(self, path: str, **form: str) -> str:
        """The page after a deed."""
        _, headers = self._once("POST", path, form)
        return self.get(headers["location"])


def field(page: str, name: str) -> str:
    """The first field of a name in a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, page[:500]
    return found[1]


def serve(db: Path, *options: str) -> tuple[subprocess.Popen[str], str, float]:
    """A server, its link, and how many seconds it took to print it."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "sqlfuncs.cli", "review", str(db), "--table", "train", "--text",
         "text", "--label", "label", "--key", "id", "--port", "0", "--no-browser", *options],
        stdout=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    assert process.stdout is not None
    return process, process.stdout.readline().strip(), time.perf_counter() - begun


def speed(folder: Path) -> str:
    """Seconds of the first page, and of decisions, with 100,000 rows queued."""
    db = folder / "many.duckdb"
    with duckdb.connect(str(db)) as con:
        con.execute(MADE)
    process, link, to_start = serve(db, "--x", "vector")
    try:
        browser = Browser(link)
        begun = time.perf_counter()
        page = browser.get()
        first = time.perf_counter() - begun
        seconds = []
        for number in range(DECISIONS):
            form = {
                "key": field(page, "key"),
                "seen": "",
                "action": ("keep", "exclude")[number % 2],
            }
            begun = time.perf_counter()
            page = browser.post("/decide", **form)
            seconds.append(time.perf_counter() - begun)
        filtered = []
        for path in (
            "/?text=abc",
            "/?given=class+1&suggested=class+2",
            "/list",
            "/list?page=900",
            "/?sort=random",
        ):
            begun = time.perf_counter()
            browser.get(path)
            filtered.append(time.perf_counter() - begun)
    finally:
        process.terminate()
        process.wait()
    percentiles = " | ".join(f"{1000 * np.percentile(seconds, p):.0f} ms" for p in (50, 95, 100))
    return "\n".join(
        [
            "| 100,000 rows queued | first page | decision, median | p95 | longest "
            "| filters, longest | server's start |",
            "|---|---|---|---|---|---|---|",
            f"| | {1000 * first:.0f} ms | {percentiles} | {1000 * max(filtered):.0f} ms "
            f"| {to_start:.0f} s |",
        ]
    )


def found_by_page(folder: Path) -> list[int]:
    """How many wrong labels of blog are found after each 100 decisions on the page."""
    db = folder / "blog.duckdb"
    with duckdb.connect(str(db)) as con:
        con.execute(f"CREATE TABLE known AS {TABLES['blog'][0]}")
        con.execute("CREATE TABLE train AS SELECT id, text, label FROM known")
        truth = dict(con.execute("SELECT id::VARCHAR, true_label FROM known").fetchall())
        given = dict(con.execute("SELECT id::VARCHAR, label FROM known").fetchall())
        con.execute("DROP TABLE known")
    process, link, _ = serve(db)
    try:
        browser = Browser(link)
        page, wrong = browser.get(), [0]
        for number in range(REVIEWED):
            if number % STEP == 0:
                wrong.append(wrong[-1])
            key = field(page, "key")
            page = browser.post("/decide", key=key, seen="", action="relabel", label=truth[key])
            wrong[-1] += given[key] != truth[key]
            if number % LEARN_EVERY == LEARN_EVERY - 1:
                # By itself, too; but it leaves time to a person, who takes longer to read a row.
                browser.post("/learn")
                while '"learning":true' in browser.get("/pulse"):
                    time.sleep(0.1)
                page = browser.get()
        return wrong
    finally:
        process.terminate()
        process.wait()


def found_in_order() -> tuple[list[int], list[float]]:
    """The same in the order of label_quality, and what a random order finds on average."""
    import sqlfuncs

    with sqlfuncs.connect() as con:
        con.execute(f"CREATE TABLE train AS {TABLES['blog'][0]}")
        wrong = con.execute("""
            SELECT (label <> true_label)::INT FROM label_issues(train, text, label)
            ORDER BY label_quality, id
        """).fetchnumpy()
    flags = next(iter(wrong.values()))
    sums = np.concatenate([[0], np.cumsum(flags)])[: REVIEWED + 1 : STEP]
    chance = [flags.mean() * n for n in range(0, REVIEWED + 1, STEP)]
    return sums.tolist(), chance


def main() -> None:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder:
        table = speed(Path(folder))
        page = found_by_page(Path(folder))
    quality, chance = found_in_order()
    heads = " | ".join(str(n) for n in range(0, REVIEWED + 1, STEP))
    lines = [f"| blog: wrong labels found after so many decisions | {heads} |"]
    lines.append("|---|" + "---|" * len(page))
    for name, counts in (
        ("the page's queue", page),
        ("label-quality order", quality),
        ("random order", chance),
    ):
        lines.append(f"| {name} | {' | '.join(f'{count:.0f}' for count in counts)} |")
    write("review_page", "\n\n".join([table, "\n".join(lines), circumstances()]))


if __name__ == "__main__":
    main()
