"""Runs the examples of the pages: each ```sql block, whose output stands in the ```text after it.

    python -m tests.examples --write         # put in what they print today
    python -m tests.examples --check PAGE    # say what they print otherwise

Blocks of one page run in order on one connection, in the folder of the project. On all processors
text is read in fp32, as on those that do not multiply in bf16: in it some doubtful rows tip over.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

import sqlfuncs
from sqlfuncs import work
from sqlfuncs.cli import show
from sqlfuncs.engines.duckdb.statements import run
from sqlfuncs.llm import usage

ROOT = Path(__file__).parent.parent
# Run with servers by tests/integrations/test_attached.py, and by tests/spark/test_page.py.
ATTACHED, SPARK = ROOT / "docs" / "attached.md", ROOT / "docs" / "spark.md"
PAGES = (ROOT / "README.md", *sorted(set((ROOT / "docs").glob("*.md")) - {ATTACHED, SPARK}))
_BLOCK = re.compile(
    r"```(?P<kind>sql|python)\n(?P<code>.*?)```\n(?:\n```text\n(?P<output>.*?)```\n)?", re.DOTALL
)
_NUMBER = re.compile(r"-?\d+\.\d+")
TOLERANCE = 0.02  # other processors round the last bits otherwise, which may tip a doubtful row


@dataclass(frozen=True)
class Example:
    """A block of a page, and what it printed."""

    where: str
    code: str
    expected: str | None
    printed: str


class _Silent(work.Quiet):
    def show(self, message: str) -> None:
        """Remarks are no part of an example's output."""


def run_page(page: Path) -> Iterator[Example]:
    """Run the blocks of a page in order."""
    with sqlfuncs.connect() as con, contextlib.chdir(ROOT):
        yield from run_text(con, page.read_text(encoding="utf-8"), page.name, {})


def run_text(
    con: duckdb.DuckDBPyConnection, text: str, name: str, known: dict[str, object]
) -> Iterator[Example]:
    """Run the blocks of a text in order; those in Python begin with the `known` names."""
    os.environ["COLUMNS"] = "100"
    with work.listening(_Silent()), usage.afresh():
        for block in _BLOCK.finditer(text):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                if block["kind"] == "python":
                    exec(compile(block["code"], name, "exec"), dict(known))
                else:
                    for result in run(con, block["code"]):
                        if result.columns:
                            show.result(result.columns, result.rows, "table")
            line = text[: block.start()].count("\n") + 1
            yield Example(f"{name}:{line}", block["code"], block["output"], out.getvalue())


def differs(expected: str, printed: str) -> bool:
    """Whether two outputs differ by more than the last bits of a number, or by spacing."""

    def words(text: str) -> list[str]:
        return re.sub(r"[│╭╮╯╰├┤─┬┴┼]", " ", _NUMBER.sub("#", text)).split()

    def numbers(text: str) -> list[float]:
        return [float(number) for number in _NUMBER.findall(text)]

    if words(expected) != words(printed):
        return True
    pairs = zip(numbers(expected), numbers(printed), strict=True)
    return any(abs(a - b) > max(TOLERANCE, abs(a) * TOLERANCE) for a, b in pairs)


def rewrite(page: Path) -> None:
    """Put what the examples print today into a page."""
    write_down(page, run_page(page))


def write_down(page: Path, ran: Iterable[Example]) -> None:
    """Put what examples printed into their page; others stay as they are."""
    printed = {example.code: example.printed for example in ran}

    def fresh(block: re.Match[str]) -> str:
        if block["output"] is None or block["code"] not in printed:
            return block[0]
        return f"```{block['kind']}\n{block['code']}```\n\n```text\n{printed[block['code']]}```\n"

    page.write_text(_BLOCK.sub(fresh, page.read_text(encoding="utf-8")), encoding="utf-8")


def check(page: Path) -> Iterator[str]:
    """What examples print otherwise than their page shows."""
    for example in run_page(page):
        if example.expected is not None and differs(example.expected, example.printed):
            yield f"{example.where} prints\n{example.printed}\n(make readme writes it down)"


def main(arguments: list[str]) -> None:
    """Write or check; the exit status is 1 where something differs."""
    os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"  # torch asks it before it multiplies in bf16
    match arguments:
        case ["--write"]:
            for each in PAGES:
                with tempfile.TemporaryDirectory() as home:
                    os.environ["SQLFUNCS_HOME"] = home
                    rewrite(each)
        case ["--check", page]:
            sys.exit("\n".join(check(Path(page))) or None)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
