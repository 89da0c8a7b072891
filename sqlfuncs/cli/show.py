"""Printing results: a table that fits the window, CSV, JSON or Markdown. Knows no engine."""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from rich import box
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from sqlfuncs.errors import CannotKeep
from sqlfuncs.visible import visible

FORMATS = ("table", "csv", "json", "markdown")
TABLE_ROWS = 40
CELL_CHARACTERS = 300
_LEGIBLE = 12  # characters of a column that may be folded
_QUOTED_IN_CSV = re.compile(r'[",\r\n]')
_DAY = timedelta(days=1)

Rows = Sequence[Sequence[Any]]


def result(columns: Sequence[str], rows: Rows, form: str) -> None:
    """Print one result on stdout. JSON is one array a line, with an object for each row."""
    match form:
        case "csv":
            _csv(columns, rows)
        case "json":
            names = _distinct(columns)
            records = [dict(zip(names, map(_plain, row), strict=True)) for row in rows]
            written(json.dumps(records, ensure_ascii=not _takes_all()))
        case "markdown":
            _markdown(columns, rows)
        case _:
            _table(columns, rows)


def sql(text: str) -> None:
    """Print SQL on stderr, highlighted where that is a terminal."""
    console = Console(stderr=True)
    if console.is_terminal:
        console.print(Syntax(visible(text), "sql", background_color="default", word_wrap=True))
    else:
        print(visible(text), file=sys.stderr)


def heading(text: str) -> None:
    """Print a title on stderr."""
    Console(stderr=True).print(
        f"\n[bold]{visible(text).replace('[', chr(92) + '[')}[/bold]", highlight=False
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
        case timedelta():
            return _interval(value)
    return visible(str(value))


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
        print(f"{cell(columns[0])}: {cell(rows[0][0])}")  # a sentence needs no box
        return
    width = None if sys.stdout.isatty() else int(os.environ.get("COLUMNS") or 160)
    console = Console(width=width, file=sys.stdout)
    columns = [cell(name) for name in columns]
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


def _csv(columns: Sequence[str], rows: Rows) -> None:
    """As DuckDB's COPY writes it: NULL is nothing, and empty text is two quotes."""
    lines = [columns, *rows]
    written("\n".join(",".join(map(_csv_field, line)) for line in lines))


def _csv_field(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case bytes():
            text = _blob(value)
        case timedelta():
            text = _interval(value)
        case dict() | list() | tuple():
            text = json.dumps(_plain(value), ensure_ascii=False)
        case _:
            text = str(value)
    quoted = text.replace('"', '""')
    return f'"{quoted}"' if not text or _QUOTED_IN_CSV.search(text) else text


def _blob(value: bytes) -> str:
    r"""Bytes as DuckDB writes them.

    >>> print(_blob(b"a\x00\\"))
    a\x00\x5C
    """
    return "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b"\\'\"" else f"\\x{byte:02X}"
        for byte in value
    )


def _interval(value: timedelta) -> str:
    """An INTERVAL as DuckDB writes it; what was a month is 30 days by now.

    >>> _interval(timedelta(days=1, seconds=5.5)), _interval(-timedelta(hours=1))
    ('1 day 00:00:05.5', '-01:00:00')
    """
    days = int(value / _DAY)
    rest = value - days * _DAY
    sign, rest = ("-", -rest) if rest < timedelta(0) else ("", rest)
    minutes, seconds = divmod(rest.seconds, 60)
    fraction = f".{rest.microseconds:06}".rstrip("0") if rest.microseconds else ""
    time = f"{sign}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{fraction}"
    parts = [f"{days} day{'' if abs(days) == 1 else 's'}"] if days else []
    return " ".join([*parts, time] if rest or not days else parts)


def written(text: str) -> None:
    """Print data: as it is where a program reads it, and what can be seen of it at a terminal."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError as error:
        raise CannotKeep(
            f"{text[error.start : error.end]!r} cannot be written in {error.encoding}, which this "
            "output is in. Set PYTHONIOENCODING=utf-8."
        ) from None
    print(visible(text) if sys.stdout.isatty() else text)


def _takes_all() -> bool:
    """Whether stdout takes every character."""
    return (sys.stdout.encoding or "utf-8").lower().startswith("utf")


def _markdown(columns: Sequence[str], rows: Rows) -> None:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in cells) + " |"

    print(line([cell(name) for name in columns]))
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
        case bytes():
            return _blob(value)
        case timedelta():
            return _interval(value)
        case dict():
            return {str(_plain(k)): _plain(v) for k, v in value.items()}
        case list() | tuple():
            return [_plain(v) for v in value]
    return str(value)
