"""How fast the review page answers with 100,000 rows queued, and what its queue finds.

    SQLFUNCS_DATA=... python -m benchmarks.review_page

The real server and plain HTTP, one request after the other, as a browser's script sends them: a
decision and the page that follows. Then a reviewer who knows the consensus labels of blog goes
through the page's queue, beside label-quality order and a random one, and `sqlfuncs report` draws
the three.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from html import unescape
from pathlib import Path

import duckdb
import numpy as np

from benchmarks.detection import TABLES
from benchmarks.pages import circumstances, write
from sqlfuncs.review.review import LEARN_EVERY
from tests.review.server import Browser, field, serving, shown_key

PATHS = (
    "/?text=abc",
    "/?given=1&suggested=2",
    "/list",
    "/list?page=900",
    "/?sort=random",
)
ROWS, DECISIONS, STEP, REVIEWED, SAMPLE = 100_000, 200, 100, 600, 60
MADE = f"""
CREATE TABLE train AS
SELECT i AS id,
    'row ' || i || ' says ' || md5(i::VARCHAR) || ' and ' || md5((i * 7)::VARCHAR) AS text,
    'class ' || if(hash(i) % 10 = 0, (i + 1) % 5, i % 5) AS label,
    [(hash(i * 31 + d) % 1000 / 500 - 1 + 2 * (i % 5 = d)::INT)::FLOAT FOR d IN range(16)] AS vector
FROM range({ROWS}) r(i)
"""


def speed(folder: Path) -> str:
    """Seconds of the first page, and of decisions, with 100,000 rows queued."""
    db = folder / "many.duckdb"
    with duckdb.connect(str(db)) as con:
        con.execute(MADE)
    begun = time.perf_counter()
    with serving(db, "--x", "vector") as server:
        to_start = time.perf_counter() - begun
        browser = server.browser()
        first, page = _timed(browser, "/")
        seconds = []
        for number in range(DECISIONS):
            form = {"row": field(page, "row"), "seen": ""}
            begun = time.perf_counter()
            page = browser.post("/decide", action=("keep", "exclude")[number % 2], **form)
            seconds.append(time.perf_counter() - begun)
        filtered = [_timed(browser, path)[0] for path in PATHS]
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


def _timed(browser: Browser, path: str) -> tuple[float, str]:
    begun = time.perf_counter()
    page = browser.get(path)
    return time.perf_counter() - begun, page


def found_by_page(folder: Path) -> list[int]:
    """How many wrong labels of blog are found after each 100 decisions on the page."""
    db = folder / "blog.duckdb"
    with duckdb.connect(str(db)) as con:
        con.execute(f"CREATE TABLE known AS {TABLES['blog'][0]}")
        con.execute("CREATE TABLE train AS SELECT id, text, label FROM known")
        truth = dict(con.execute("SELECT id::VARCHAR, true_label FROM known").fetchall())
        given = dict(con.execute("SELECT id::VARCHAR, label FROM known").fetchall())
        con.execute("DROP TABLE known")
    with serving(db) as server:
        browser = server.browser()
        page, wrong = browser.get(), [0]
        for number in range(REVIEWED):
            if number % STEP == 0:
                wrong.append(wrong[-1])
            key = shown_key(page)
            page = browser.relabel(page, truth[key])
            wrong[-1] += given[key] != truth[key]
            if number % LEARN_EVERY == LEARN_EVERY - 1:
                # By itself, too; but it leaves time to a person, who takes longer to read a row.
                browser.post("/learn")
                while browser.pulse()["learning"]:
                    time.sleep(0.1)
                page = browser.get()
        page = browser.get("/?sort=random")  # a random sample, for what is left and the control
        for _ in range(SAMPLE):
            key = shown_key(page)
            page = browser.relabel(page, truth[key], sort="random")
    return wrong


def drawn(folder: Path) -> str:
    """What the reports on that review say, with the truth known to them and without."""
    db = folder / "blog.duckdb"
    with duckdb.connect(str(db)) as con:
        con.execute(f"CREATE OR REPLACE TABLE train AS {TABLES['blog'][0]}")
        con.execute(f"CREATE TABLE test AS {TABLES['blog'][1]}")
    said = []
    for knows, options in (("is not", ()), ("is", ("--truth", "true_label"))):
        out = folder / "report.html"
        subprocess.run(
            [sys.executable, "-m", "sqlfuncs.cli", "report", str(db), "--out", str(out), *options],
            check=True,
        )
        html = out.read_text(encoding="utf-8")
        figure = html[html.index("What the order of the review was worth") :]
        lines = figure[: figure.index("</figure>")].count("<polyline")
        last = re.findall(r"<tr>(.*?)</tr>", figure[: figure.index("</table>")])[-1]
        cells = re.findall(r">([\d.,]+)</td>", last)
        short = html[html.index('<ul class="short">') :].partition("</ul>")[0]
        said.append(
            f"Where the truth {knows} known to it, the report draws {lines} lines; they end, after "
            f"{cells[0]} decisions with those of a random sample, at: as it went {cells[1]}, in "
            f"order of label quality {cells[2]} ({cells[3]} to {cells[4]}), at random {cells[5]} "
            f"({cells[6]} to {cells[7]}). It says: "
            f"{unescape(' '.join(re.sub('<[^>]+>', ' ', short).split()))}"
        )
    return "\n\n".join(said)


def found_in_order() -> tuple[list[int], list[float]]:
    """The same in the order of label_quality, and what a random order finds on average."""
    import sqlfuncs

    with sqlfuncs.connect() as con:
        con.execute(f"CREATE TABLE train AS {TABLES['blog'][0]}")
        con.execute("""
            SELECT (label <> true_label)::INT FROM label_issues(train, text, label)
            ORDER BY label_quality, id
        """)
        flags = np.array([wrong for (wrong,) in con.fetchall()])
    sums = np.concatenate([[0], np.cumsum(flags)])[: REVIEWED + 1 : STEP]
    chance = [flags.mean() * n for n in range(0, REVIEWED + 1, STEP)]
    return sums.tolist(), chance


def main() -> None:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder:
        table = speed(Path(folder))
        page = found_by_page(Path(folder))
        report = drawn(Path(folder))
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
    write("review_page", "\n\n".join([table, "\n".join(lines), report, circumstances()]))


if __name__ == "__main__":
    main()
