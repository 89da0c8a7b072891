"""Labels and keys of any text can be decided, filtered by and undone, with and without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Locator, expect

from tests.review.chromium import chromium, needs_chromium
from tests.review.forms import as_read, forms, submit
from tests.review.server import reviewing, serving

ODD = (
    "win\rdows", "new\nline", "cr\r\nlf", "\rx", "y\n\n", "tab\tbed", "  leading", "trailing  ",
    "nul\0l", "it's \"q\" & <b>b</b> &#13; &amp;", "🎈", "percent %0D %", "a=b&c=d", "long " * 4000,
    "none", "0", "-1",
)  # fmt: skip


def _make(db: Path, labels: Sequence[str]) -> list[str]:
    """Two rows of each label; the first one is doubtful, and should be the next label."""
    n = len(labels)
    keys = [f"{label[:60]}{number}{label[:60]}" for number, label in enumerate([*labels, *labels])]
    with duckdb.connect(str(db)) as con:
        con.execute("CREATE TABLE train (id VARCHAR, text VARCHAR, label VARCHAR, probs DOUBLE[])")
        for place, key in enumerate(keys):
            of, sure = place % n, (place + (place < n)) % n
            rest = 0.1 / (n - 1)
            probs = [0.9 if at == sure else rest for at in range(n)]
            con.execute("INSERT INTO train VALUES ($1, $2, $3, $4)",
                        [key, f"text {place}", labels[of], probs])  # fmt: skip
        con.execute(
            "ALTER TABLE train ALTER probs TYPE MAP(VARCHAR, DOUBLE) USING "
            f"map_from_entries(list_zip({_list(labels)}, probs))"
        )
    return keys


def _list(texts: Sequence[str]) -> str:
    """A list as SQL writes it, control characters and all."""
    return "[" + ", ".join(map(_written, texts)) + "]"


def _written(text: str) -> str:
    quoted = text.replace("'", "''")
    for character in "\0\t\n\r":
        quoted = quoted.replace(character, f"' || chr({ord(character)}) || '")
    return f"'{quoted}'"


def test_every_label_and_key_by_forms_alone(tmp_path: Path) -> None:
    db = tmp_path / "odd.duckdb"
    keys = _make(db, ODD)
    n = len(ODD)
    expected: list[tuple[object, ...]] = []
    with reviewing(db) as server:
        browser = server.browser()
        for code, label in enumerate(ODD):
            place = (code + 3) % n
            page = browser.get(f"/?row={place}")
            other = next(each for each in forms(page) if "Give it" in each.button)
            other.choose("label", label)
            assert "U takes it back" in submit(browser, other)
            expected.append((keys[place], "relabel", ODD[place], label))
            undo = next(each for each in forms(browser.get()) if each.action == "./undo")
            assert "was taken back" in submit(browser, undo)
            expected.append((keys[place], "needs_review", ODD[place], None))
            filters = next(each for each in forms(browser.get()) if "Show" in each.button)
            filters.choose("given", label)
            filters.choose("state", "all")
            assert "2 rows" in submit(browser, filters), label
        listed = browser.get("/list?state=all")
        for place in range(n):
            keep = [
                each for each in forms(listed)
                if each.button.startswith("Keep") and ("row", str(place)) in each.fields
            ]  # fmt: skip
            assert "kept." in submit(browser, keep[0])
            expected.append((keys[place], "keep", ODD[place], None))
            undo = next(each for each in forms(browser.get()) if each.action == "./undo")
            submit(browser, undo)
            expected.append((keys[place], "needs_review", ODD[place], None))
        assert server.log("key, action, old_label, new_label") == expected


def test_clean_top_of_every_label_and_key_by_forms_alone(tmp_path: Path) -> None:
    db = tmp_path / "odd.duckdb"
    keys = _make(db, ODD)
    n = len(ODD)
    with reviewing(db) as server:
        browser = server.browser()
        previewed = browser.get("/clean?count=100")
        replace = next(each for each in forms(previewed) if "Replace these" in each.button)
        assert f"{n} labels were replaced" in submit(browser, replace)
        undo = next(each for each in forms(browser.get()) if each.action == "./undo")
        assert f"{n} decisions were taken back" in submit(browser, undo)
        log = server.log("key, action, old_label, new_label")
        assert sorted(map(str, log[:n])) == sorted(
            str((keys[i], "relabel", ODD[i], ODD[(i + 1) % n])) for i in range(n)
        )
        assert len(log) == 2 * n


def is_label(option: Locator, label: str) -> bool:
    """Whether a list shows a label there. Browsers leave NUL out."""
    return option.text_content() in (as_read(label), as_read(label).replace("\ufffd", ""))


@needs_chromium
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_in_a_browser(tmp_path: Path, scripts: bool) -> None:
    labels = ("win\rdows", "new\nline", "cr\r\nlf", " <b>&#13;", "nul\0l")
    db = tmp_path / "odd.duckdb"
    keys = _make(db, labels)
    expected: list[tuple[object, ...]] = []
    with serving(db, "--x", "probs") as server, chromium() as browser:
        context = browser.new_context(java_script_enabled=scripts)
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.goto(server.links["ann"])
        root = page.url.removesuffix("/")
        page.get_by_role("link", name="Clean top").click()
        page.get_by_role("button", name="Replace these 5 labels").click()
        expect(page.locator("#said")).to_contain_text("5 labels were replaced")
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("#said")).to_contain_text("5 decisions were taken back")
        for place, label in enumerate(labels):
            page.goto(f"{root}/?row={place}")
            page.locator("article button.accept").click()
            expect(page.locator("#said")).to_contain_text("U takes it back")
            expected.append((keys[place], "relabel", label, labels[(place + 1) % len(labels)]))
            page.get_by_role("button", name="Undo").click()
            expect(page.locator("#said")).to_contain_text("was taken back")
            expected.append((keys[place], "needs_review", label, None))
            options = page.locator("select[name=given] option")
            shown = next(at for at in range(options.count()) if is_label(options.nth(at), label))
            page.locator("select[name=given]").select_option(index=shown)
            page.locator("select[name=state]").select_option("all")
            page.get_by_role("button", name="Show").click()
            expect(page.locator(".place")).to_contain_text("2 rows")
        context.close()
        assert server.log("key, action, old_label, new_label")[2 * len(labels) :] == expected
