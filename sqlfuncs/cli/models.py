"""`sqlfuncs models`: the trained models."""

from __future__ import annotations

import click

from sqlfuncs.cli import show

COLUMNS = ("model", "version", "base", "input", "rows", "cv_accuracy", "created_at")


@click.command("models")
@click.option("--format", "form", type=click.Choice(show.FORMATS), default="table")
def command(form: str) -> None:
    """List the trained models."""
    from sqlfuncs.functions.models import models

    rows = models().to_pylist()
    show.result(COLUMNS, [[row[name] for name in COLUMNS] for row in rows], form)
