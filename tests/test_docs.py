"""The pages are true: their examples run and print what they show, and nothing is left out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sqlfuncs.engines.duckdb.functions import Function, SqlMacro, functions
from sqlfuncs.queries import files
from tests.conftest import ROOT, needs_local
from tests.examples import PAGES

REFERENCE = ROOT / "docs" / "reference.md"
PUBLIC = [f for f in functions() if not f.name.startswith("_")]


SLOW = ("README.md", "reference.md")


@needs_local
@pytest.mark.parametrize(
    "page",
    [pytest.param(each, marks=[pytest.mark.slow] * (each.name in SLOW)) for each in PAGES],
    ids=lambda page: page.name,
)
def test_examples_print_what_the_page_shows(page: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.examples", "--check", str(page)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("function", PUBLIC, ids=lambda function: function.name)
def test_every_function_has_a_section_with_an_example(function: Function) -> None:
    sections = re.split(r"(?m)^### ", REFERENCE.read_text(encoding="utf-8"))
    (section,) = [s for s in sections if s.startswith(f"`{function.name}(")]
    assert re.search(rf"```sql\n[^`]*\b{function.name}\(", section), "no example calls it"
    assert "```text" in section, "no example shows what it prints"
    if not isinstance(function, SqlMacro):
        for option in function.options:
            assert f"`{option}`" in section or f"{option} :=" in section, option


@pytest.mark.parametrize("function", PUBLIC, ids=lambda function: function.name)
def test_every_function_has_a_test_file(function: Function) -> None:
    assert (ROOT / "tests" / "functions" / f"test_{function.name}.py").is_file()


def test_every_query_file_is_on_the_page_of_queries() -> None:
    page = (ROOT / "docs" / "queries.md").read_text(encoding="utf-8")
    assert [file.name for file in files.shipped() if f"`{file.name}`" not in page] == []


def test_the_changelog_begins_with_this_version() -> None:
    import sqlfuncs

    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"(?m)^## (\S+)", changelog)[1] == sqlfuncs.__version__  # type: ignore[index]
