"""`sqlfuncs report FILE`: the report on a table's labels, as one HTML file."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from sqlfuncs import work
from sqlfuncs.cli import columns, statements
from sqlfuncs.cli.run import SECONDS, opened
from sqlfuncs.engines.base import ColumnType, Kind
from sqlfuncs.errors import BadInput, CannotKeep
from sqlfuncs.report.source import Source, Wanted
from sqlfuncs.review.decisions import check_log

_BEGIN = b"<!doctype html>"


@click.command("report")
@click.argument("db", type=click.Path(exists=True, dir_okay=False))
@click.option("--out", default="report.html", show_default=True, help="The file to write.")
@click.option("--table", default="train", show_default=True, help="The table that is reviewed.")
@click.option("--text", help="The column to read; by default text or prompt.")
@click.option("--label", help="The column of labels; by default label or completion.")
@click.option("--key", help="The column that names a row; by default id or key.")
@click.option("--x", help="The column the model reads, such as an embedding; by default --text.")
@click.option("--log", help="The decision log, '' for none; by default decisions, if there is one.")
@click.option("--truth", help="The column of right labels, where they are known.")
@click.option("--test", help="Rows to test on, for the gain; by default test, if there is one.")
@click.option("--test-key", help="The column that names a test row; by default as --key.")
@click.option("--test-log", help="Decisions about them; by default test_decisions.")
@click.option("--task", default="auto", show_default=True, help="As in label_issues.")
@click.option("--model", default="fast", show_default=True, help="As in label_issues.")
@click.option("--base", default="fast", show_default=True, help="What is trained, as in fine_tune.")
@click.option(
    "--skip", multiple=True, type=click.Choice(["gain", "noisy"]), help="Leave a part out."
)
@click.option(
    "--wait", type=SECONDS, default=0.0, help="For so long, if another process has the file open."
)
def command(
    db: str,
    out: str,
    table: str,
    text: str | None,
    label: str | None,
    key: str | None,
    x: str | None,
    log: str | None,
    truth: str | None,
    test: str | None,
    test_key: str | None,
    test_log: str | None,
    task: str,
    model: str,
    base: str,
    skip: Sequence[str],
    wait: float,
) -> None:
    """Write what was found, decided and gained into one HTML file that needs nothing else.

    The database is only read. Models are trained on the labels as given, without the flagged rows,
    auto-corrected and reviewed, and kept as report_TABLE_given and so on.
    """
    from sqlfuncs.engines.duckdb.reporting import ReportedDatabase
    from sqlfuncs.report import page
    from sqlfuncs.report.findings import gather
    from sqlfuncs.report.kinds import registry

    place = Path(out)
    _check_place(place, Path(db))
    with opened(db, read_only=True, wait=wait) as con:
        source = ReportedDatabase(con, statements.run)
        types = source.columns(table)
        shown = columns.find(types, table, "text", text, columns.TEXT)
        key = columns.find(types, table, "key", key, columns.KEY)
        source.check_keys(table, key)
        label = columns.find(types, table, "label", label, columns.LABEL)
        x = columns.find(types, table, "x", x, (shown,))
        kind = registry.of(source.task(table, label, x, task))
        is_asked = bool(test or test_key or test_log)
        test = "" if "gain" in skip else _table(source, "test", test, "test")
        wanted = Wanted(
            file=Path(db).name,
            table=table,
            text=shown,
            label=label,
            key=key,
            x=x,
            log=_log(source, "log", log, "decisions"),
            truth=columns.find(types, table, "truth", truth, ()) if truth else "",
            test=test,
            test_log=_log(source, "test-log", test_log, "test_decisions") if test else "",
            model=model,
            base=base,
        )
        if test:
            wanted = _tested(source, wanted, types, test_key, is_asked)
        html = page.render(gather(source, wanted, kind, frozenset(skip)))
    _write(place, html)
    work.say(f"{out} is written ({len(html.encode()) / 1024:,.0f} kB)")


def _table(source: Source, role: str, given: str | None, usual: str) -> str:
    """A table that was named and has to be there, or the usual one, if it is; none for ''."""
    if given == "":
        return ""
    try:
        source.columns(given or usual)
    except BadInput as error:
        if given:
            raise BadInput(f"--{role}: {error}") from None
        return ""
    return given or usual


def _log(source: Source, role: str, given: str | None, usual: str) -> str:
    found = _table(source, role, given, usual)
    if found:
        check_log(found, source.columns(found))
    return found


def _tested(
    source: Source, wanted: Wanted, types: Mapping[str, ColumnType], key: str | None, is_asked: bool
) -> Wanted:
    """With the test rows, or without those that nobody asked for and that do not fit."""
    try:
        return _with_test_columns(wanted, source.columns(wanted.test), types, key)
    except BadInput as error:
        if is_asked:
            raise
        return replace(wanted, test="", test_log="", why_no_test=str(error))


def _with_test_columns(
    wanted: Wanted,
    types: Mapping[str, ColumnType],
    of_train: Mapping[str, ColumnType],
    key: str | None,
) -> Wanted:
    reads = wanted.text if of_train[wanted.text].kind is Kind.TEXT else wanted.x
    for role, name in (("text" if reads == wanted.text else "x", reads), ("label", wanted.label)):
        if name not in types:
            raise BadInput(
                f"{wanted.test} is taken for the rows to test on, and has no column {name}, which "
                f"is --{role} of {wanted.table}. It has {', '.join(types)}. Name another table "
                "with --test (a view will do)."
            )
        if role != "label" and (types[name].kind is Kind.TEXT) != (
            of_train[name].kind is Kind.TEXT
        ):
            raise BadInput(
                f"{name} is {of_train[name]} in {wanted.table} and {types[name]} in {wanted.test}, "
                "the rows to test on. Name another table with --test."
            )
    if key is not None and key not in types:
        raise BadInput(
            f"--test-key {key}: {wanted.test} has no such column. It has {', '.join(types)}."
        )
    found = key or (wanted.key if wanted.key in types else "")
    if wanted.test_log and not found:
        raise BadInput(
            f"{wanted.test_log} holds decisions about {wanted.test}, of which no column is known "
            f"that names a row: --test-key. It has {', '.join(types)}."
        )
    return replace(wanted, test_key=found)


def _check_place(place: Path, db: Path) -> None:
    """What stands in the way of the file is said before the work, not after it."""
    if place.exists() and place.samefile(db):
        raise BadInput(f"--out {place} is the database. Name another file: --out report.html.")
    if not place.parent.is_dir():
        raise BadInput(f"--out {place}: there is no folder {place.parent}.")
    if place.is_dir():
        raise BadInput(f"--out {place} is a folder. Name a file in it: {place / 'report.html'}.")
    if place.exists() and not (place.is_file() and _is_page(place)):
        raise BadInput(
            f"--out {place} is there and no HTML page, so it is left as it is. Name another file."
        )
    with _aside(place):
        pass


def _is_page(place: Path) -> bool:
    try:
        with place.open("rb") as file:
            begin = file.read(len(_BEGIN))
    except OSError:
        return False
    return not begin or begin.lower() == _BEGIN


def _write(place: Path, html: str) -> None:
    """All of it or nothing: a report that a page links to is never half there.

    It holds what the rows say: it is its owner's alone, unless the file that it replaces is not.
    """
    with _aside(place) as aside:
        aside.write_text(html, encoding="utf-8")
        if place.exists():
            aside.chmod(stat.S_IMODE(place.stat().st_mode))
        aside.replace(place)


@contextmanager
def _aside(place: Path) -> Iterator[Path]:
    """A file beside another, gone at the end of the block. Raises CannotKeep."""
    made: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
        os.close(handle)
        made = Path(name)
        yield made
    except OSError as error:
        raise CannotKeep(f"{place} cannot be written: {error.strerror}.") from None
    finally:
        if made is not None:
            made.unlink(missing_ok=True)
