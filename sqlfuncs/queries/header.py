"""The header of a query file: its title, what it answers, and the parameters it accepts.

    -- title: Find wrong labels
    -- answers: Which labels of a table are probably wrong?
    -- param table table = train: the table to check
    -- param folds integer = 5: how many parts it is cut into

A parameter has a name, a type, a default unless it has to be given, and a help text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlfuncs.errors import BadQueryFile

TYPES = ("table", "column", "text", "integer", "number", "boolean", "list")
Value = str | int | float | bool | tuple[str, ...] | None
_PARAM = re.compile(
    r"--\s*param\s+(?P<name>[a-z_][a-z0-9_]*)\s+(?P<type>[a-z]+)(?:\s*=\s*(?P<default>.*?))?\s*:\s+(?P<help>.+)"
)
_NO_TEXT = re.compile(
    "[\ud800-\udfff]"
)  # bytes of a command line that are no UTF-8, or half a sign
_ITEM = re.compile(r'\s*(?:"((?:""|[^"])*)"\s*(?=,|\Z)|([^,]*))(?:,|\Z)', re.DOTALL)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a query file. `default` is as it would be typed; None: has to be given."""

    name: str
    type: str
    default: str | None
    help: str

    def describe(self) -> str:
        """One line: how to give it, and what it means."""
        given = "has to be given" if self.default is None else f"default {self.default or 'none'}"
        return f"{self.name}=... ({self.type}, {given}): {self.help}"


@dataclass(frozen=True)
class QueryFile:
    """A query file: its header, and the text that is rendered; `is_shipped` if it is of ours."""

    name: str
    title: str
    answers: str
    parameters: tuple[Parameter, ...]
    text: str
    is_shipped: bool = False

    def given(self, words: Sequence[str]) -> dict[str, str]:
        """Parameters as they are typed, `name=value`. Raises BadQueryFile."""
        pairs = {}
        for word in words:
            name, equals, value = word.partition("=")
            if not equals:
                raise BadQueryFile(f"{word!r} is no parameter: write name=value; {self.accepts()}")
            pairs[name] = value
        return pairs

    def accepts(self) -> str:
        """What the file accepts, a line for each parameter."""
        if not self.parameters:
            return "it takes no parameters"
        return "it accepts\n" + "\n".join(f"  {p.describe()}" for p in self.parameters)


def parse(name: str, text: str) -> QueryFile:
    """Read the header of a query file. Raises BadQueryFile for a line that is not understood.

    >>> header = "-- title: Count\\n-- param t table: what to count\\n"
    >>> file = parse("count", header + "FROM {{ t | ident }}")
    >>> file.title, file.parameters[0].type
    ('Count', 'table')
    """
    fields = {"title": name, "answers": ""}
    parameters: list[Parameter] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("--"):
            break
        key, _, value = line.removeprefix("--").strip().partition(":")
        if key in fields:
            fields[key] = value.strip()
        elif key.split()[:1] == ["param"]:
            parameters.append(_parameter(name, number, line))
    # The header's lines stay as empty ones: a message about line 9 means line 9 of the file.
    body = re.sub(r"\A(?:--.*(?:\n|\Z))+", lambda found: "\n" * found[0].count("\n"), text)
    return QueryFile(name, fields["title"], fields["answers"], tuple(parameters), body)


def _parameter(name: str, number: int, line: str) -> Parameter:
    found = _PARAM.fullmatch(line.rstrip())
    if found is None or found["type"] not in TYPES:
        raise BadQueryFile(
            f"{name}, line {number}: {line!r} is no parameter. Write: "
            f"-- param NAME TYPE = DEFAULT: what it is; TYPE is one of {', '.join(TYPES)}."
        )
    return Parameter(found["name"], found["type"], found["default"], found["help"])


def values(file: QueryFile, given: Mapping[str, str]) -> dict[str, Value]:
    """The value of every parameter, typed. Raises BadQueryFile, saying what the file accepts."""
    known = {parameter.name: parameter for parameter in file.parameters}
    for name in given:
        if name not in known:
            raise BadQueryFile(f"{file.name} has no parameter {name}; {file.accepts()}")
    typed: dict[str, Value] = {}
    for parameter in file.parameters:
        text = given.get(parameter.name, parameter.default)
        if text is None:
            raise BadQueryFile(f"{file.name} needs {parameter.name}=...; {file.accepts()}")
        if _NO_TEXT.search(text):
            raise BadQueryFile(
                f"{file.name}: {parameter.name}={text!r} is no text: it has bytes that are not "
                "UTF-8, or half a character."
            )
        try:
            typed[parameter.name] = _typed(parameter.type, text)
        except ValueError:
            raise BadQueryFile(
                f"{file.name}: {parameter.name}={text} is not of type {parameter.type}; "
                f"{file.accepts()}"
            ) from None
    return typed


def _items(text: str) -> tuple[str, ...]:
    """The parts between commas; quotes around a part protect the commas in it.

    >>> _items('a, "b, c" ,d')
    ('a', 'b, c', 'd')
    """
    items = []
    for found in _ITEM.finditer(text):
        items.append(found[2].strip() if found[1] is None else found[1].replace('""', '"'))
        if found.end() == len(text):
            break
    return tuple(items)


def _typed(kind: str, text: str) -> Value:
    if text == "":
        return None
    match kind:
        case "integer":
            return int(text)
        case "number":
            return float(text)
        case "boolean" if text.casefold() in ("true", "false"):
            return text.casefold() == "true"
        case "boolean":
            raise ValueError(text)
        case "list":
            return _items(text)
    if "\0" in text:
        raise ValueError(text)
    return text
