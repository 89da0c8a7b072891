"""`sqlfuncs models`: the trained models."""

from __future__ import annotations

import click

from sqlfuncs.cli import show


@click.command("models")
@click.option("--format", "form", type=click.Choice(show.FORMATS), default="table")
def command(form: str) -> None:
    """List the trained models."""
    from sqlfuncs.functions.models import models

    rows = models().to_pylist()
    columns = list(rows[0]) if rows else ["model"]
    show.result(columns, [list(row.values()) for row in rows], form)
