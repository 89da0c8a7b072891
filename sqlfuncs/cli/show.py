"""Printing results: a table that fits the window, CSV, JSON or Markdown. Knows no engine."""

from __future__ import annotations

import csv
import json
import math
import os
import re
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal, TextIO

from rich import box
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

FORMATS = ("table", "csv", "json", "markdown")
TABLE_ROWS = 40
CELL_CHARACTERS = 300
_LEGIBLE = 12  # characters of a column that may be folded
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

Rows = Sequence[Sequence[Any]]


def result(columns: Sequence[str], rows: Rows, form: str) -> None:
    """Print one result on stdout. JSON is one array a line, with an object for each row."""
    match form:
        case "csv":
            _csv(columns, rows, sys.stdout)
        case "json":
            names = _distinct(columns)
            records = [dict(zip(names, map(_plain, row), strict=True)) for row in rows]
            print(json.dumps(records, ensure_ascii=False))
        case "markdown":
            _markdown(columns, rows)
        case _:
            _table(columns, rows)


def sql(text: str) -> None:
    """Print SQL on stderr, highlighted where that is a terminal."""
    console = Console(stderr=True)
    if console.is_terminal:
        console.print(Syntax(text, "sql", background_color="default", word_wrap=True))
    else:
        print(text, file=sys.stderr)


def heading(text: str) -> None:
    """Print a title on stderr."""
    Console(stderr=True).print(
        f"\n[bold]{text.replace('[', chr(92) + '[')}[/bold]", highlight=False
    )


def cell(value: object) -> str:
    """A value as a person reads it: at most four decimals, NULL spelled out.

    >>> cell(0.123456), cell(None), cell(0.5), cell(True), cell({"a": 0.25})
    ('0.1235', 'NULL', '0.5', 'true', '{a: 0.25}')
    """
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case float() if math.isfinite(value):
            shown = f"{value:.4f}".rstrip("0").rstrip(".")
            return f"{value:.1e}" if shown in ("0", "-0") and value != 0 else shown
        case dict():
            return "{" + ", ".join(f"{cell(k)}: {cell(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(cell(v) for v in value) + "]"
    # A control character in the data must not reach the terminal as one.
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], str(value))


def _distinct(names: Sequence[str]) -> list[str]:
    """Names for the fields of an object: a second `a` is `a_1`, as in DuckDB."""
    seen: list[str] = []
    for name in names:
        count = 0
        free = name
        while free in seen:
            count += 1
            free = f"{name}_{count}"
        seen.append(free)
    return seen


def _table(columns: Sequence[str], rows: Rows) -> None:
    if len(columns) == len(rows) == 1 and isinstance(rows[0][0], str):
        print(f"{columns[0]}: {cell(rows[0][0])}")  # a sentence needs no box
        return
    width = None if sys.stdout.isatty() else int(os.environ.get("COLUMNS") or 160)
    console = Console(width=width, file=sys.stdout)
    shown = [[_short(cell(value)) for value in row] for row in rows[:TABLE_ROWS]]
    fitting = _fitting(columns, shown, console.width)
    table = Table(box=box.ROUNDED, show_lines=False)
    for at in fitting:
        numeric = any(isinstance(r[at], int | float) and not isinstance(r[at], bool) for r in rows)
        justify: Literal["left", "right"] = "right" if numeric else "left"
        table.add_column(Text(columns[at]), justify=justify, overflow="fold")
    for row in shown:
        table.add_row(*(Text(row[at]) for at in fitting))
    console.print(table)
    if len(rows) > TABLE_ROWS:
        console.print(f"({len(rows)} rows, the first {TABLE_ROWS} shown)", highlight=False)
    left_out = [columns[at] for at in range(len(columns)) if at not in fitting]
    if left_out:
        console.print(f"(no room for {', '.join(left_out)})", highlight=False, markup=False)


def _fitting(columns: Sequence[str], shown: Sequence[Sequence[str]], width: int) -> list[int]:
    """Which columns a window has room for: where it is short, those in the middle go.

    >>> _fitting(["id", "a_long_name", "label"], [["1", "x", "spam"]], 20)
    [0, 2]
    """
    needed = [
        min(max(map(len, [name, *(row[at] for row in shown)])), _LEGIBLE)
        for at, name in enumerate(columns)
    ]
    kept = list(range(len(columns)))
    while len(kept) > 2 and sum(needed[at] + 3 for at in kept) + 1 > width:
        del kept[len(kept) // 2]
    return kept


def _short(text: str) -> str:
    return text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - 1] + "…"


def _csv(columns: Sequence[str], rows: Rows, out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(["" if value is None else _csv_cell(value) for value in row])


def _csv_cell(value: object) -> object:
    if isinstance(value, dict | list | tuple):
        return json.dumps(_plain(value), ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else value


def _markdown(columns: Sequence[str], rows: Rows) -> None:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in cells) + " |"

    print(line(columns))
    print(line(["---"] * len(columns)))
    for row in rows:
        print(line([cell(value) for value in row]))


def _plain(value: object) -> object:
    """A value as JSON has it; what JSON lacks (dates, NaN, decimals) as text or null."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case None | bool() | int() | str():
            return value
        case Decimal():
            return float(value)
        case dict():
            return {str(k): _plain(v) for k, v in value.items()}
        case list() | tuple():
            return [_plain(v) for v in value]
    return str(value)
