"""Which part of an answer is about which of several texts: by their names, and never by place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlfuncs.llm.spelling import EDGES

_DEEPEST = 6  # objects in each other that are looked into


def rows_of(value: object, names: Sequence[str], depth: int = 0) -> Iterator[tuple[str, object]]:
    """The rows in a value by the names of their texts, whatever they are wrapped in."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for each in value:
            yield from rows_of(each, names, depth + 1)
    if not isinstance(value, dict):
        return
    name = value.get("id")
    if isinstance(name, str) and name.strip() in names:
        yield name.strip(), {key: each for key, each in value.items() if key != "id"}
        return
    for key, each in value.items():
        if key.strip() in names:
            yield key.strip(), each
        else:
            yield from rows_of(each, names, depth + 1)


def lines_of(reply: str, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Lines such as `0-1a2b3c4d: polite`, each with one name."""
    for line in reply.splitlines()[: 4 * len(names)]:
        held = [name for name in names if name in line]
        if len(held) == 1:
            before, _, after = line.partition(held[0])
            if not before.strip(EDGES + "-•*#").replace("id", "").isalnum():
                yield held[0], after.strip(" \t:=->→|\"'`*,").strip()
