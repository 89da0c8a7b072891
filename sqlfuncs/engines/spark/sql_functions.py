"""Functions of a row in Spark's own SQL: `label_quality`, `suggest_label`, `label_set`.

One `.sql` file of the folder `sql` is one function, a comment and the text from its name on.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from typing import Any


def register(session: Any) -> None:
    """All of them, until the session ends."""
    for name, text in texts():
        session.sql(f"DROP TEMPORARY FUNCTION IF EXISTS {name}")
        session.sql(f"CREATE TEMPORARY FUNCTION {text}").collect()


def texts() -> Iterator[tuple[str, str]]:
    """Names, and what follows CREATE FUNCTION, those that others need first."""
    folder = resources.files(__package__).joinpath("sql")
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".sql"):
            lines = file.read_text(encoding="utf-8").splitlines()
            text = "\n".join(line for line in lines if not line.startswith("--"))
            yield file.name.removesuffix(".sql").partition("-")[2], text.strip().removesuffix(";")
