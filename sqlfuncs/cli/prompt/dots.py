"""The commands of the prompt that begin with a dot, as in other shells."""

from __future__ import annotations

import fnmatch
import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlfuncs.cli import show
from sqlfuncs.errors import BadInput
from sqlfuncs.visible import visible

if TYPE_CHECKING:
    from sqlfuncs.cli.prompt.session import Session

Command = Callable[["Session", Sequence[str]], None]


def run(session: Session, line: str) -> None:
    """Run a line such as `.mode csv`. Raises SqlfuncsError."""
    try:
        name, *arguments = shlex.split(line)
    except ValueError as error:
        raise BadInput(f"{line}: {error}") from None
    known = [command for command in COMMANDS if command.startswith(name)]
    if name in COMMANDS:
        known = [name]
    if len(known) != 1:
        raise BadInput(f"{name} is no command of this prompt: {', '.join(COMMANDS)}")
    COMMANDS[known[0]](session, arguments)


def tables(session: Session, arguments: Sequence[str]) -> None:
    """.tables [PATTERN]              tables and views, with their rows"""
    from sqlfuncs.engines.duckdb import catalog

    pattern = (arguments[0] if arguments else "*").replace("%", "*").lower()
    rows = [r for r in catalog.tables(session.con) if fnmatch.fnmatchcase(r[0].lower(), pattern)]
    if rows:
        show.result(("name", "kind", "rows"), rows, session.form)
    else:
        print("no tables" + (f" like {visible(arguments[0])}" if arguments else ""))


def schema(session: Session, arguments: Sequence[str]) -> None:
    """.schema [TABLE]                what made a table or view, or all of them"""
    from sqlfuncs.engines.duckdb import catalog

    name = arguments[0] if arguments else None
    found = catalog.definitions(session.con, name)
    if name is not None and not found:
        there = ", ".join(row[0] for row in catalog.tables(session.con)) or "none"
        raise BadInput(f"there is no table {name}; there are: {there}")
    for sql in found:
        print(visible(sql))


def mode(session: Session, arguments: Sequence[str]) -> None:
    """.mode table|csv|json|markdown  how results are shown"""
    if not arguments:
        print(session.form)
    elif arguments[0] in show.FORMATS:
        session.form = arguments[0]
    else:
        raise BadInput(f".mode {arguments[0]} is not known: {', '.join(show.FORMATS)}")


def read(session: Session, arguments: Sequence[str]) -> None:
    """.read FILE [NAME=VALUE]...     run a query file, or a shipped one by its name"""
    from sqlfuncs.cli.run import ready, rendered
    from sqlfuncs.queries import files
    from sqlfuncs.queries.piecewise import PREFIX

    if not arguments:
        known = ", ".join(file.name for file in files.shipped())
        raise BadInput(f".read needs a file, or one of the shipped queries: {known}")
    query = files.find(arguments[0])
    given = {}
    for parameter in query.parameters:
        value = session.variable(f"{PREFIX}{parameter.name}")
        if value is not None:
            given[parameter.name] = value
    sql = rendered(query, given | query.given(arguments[1:]))
    session.sql(ready(session.con, query, sql))


def timer(session: Session, arguments: Sequence[str]) -> None:
    """.timer on|off                  how long each entry takes"""
    if list(arguments) not in (["on"], ["off"]):
        raise BadInput(".timer takes on or off")
    session.timer = arguments[0] == "on"


def help_(session: Session, arguments: Sequence[str]) -> None:
    """.help [FUNCTION]               this, or what a function of sqlfuncs does"""
    from sqlfuncs.engines.duckdb import catalog
    from sqlfuncs.engines.duckdb.signatures import signatures

    if arguments:
        found = catalog.about(session.con, arguments[0].lower())
        if found is None:
            known = ", ".join(each.name for each in signatures(session.con))
            raise BadInput(f"sqlfuncs has no function {arguments[0]}. It has: {known}")
        print(f"{found[0]}\n\n{found[1]}")
        return
    for command in dict.fromkeys(COMMANDS.values()):
        print(command.__doc__)
    print("\nA statement ends with a semicolon, on as many lines as it takes. Ctrl-C stops it.")


def quit_(session: Session, arguments: Sequence[str]) -> None:
    """.quit                          end; so does Ctrl-D"""
    session.over = True


COMMANDS: dict[str, Command] = {
    ".tables": tables,
    ".schema": schema,
    ".mode": mode,
    ".read": read,
    ".timer": timer,
    ".help": help_,
    ".quit": quit_,
    ".exit": quit_,
}
