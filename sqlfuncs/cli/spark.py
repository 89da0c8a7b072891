"""`sqlfuncs spark catalog-sql`: the functions as SQL for a catalog of Databricks'."""

from __future__ import annotations

import click

from sqlfuncs.cli import show


@click.group("spark")
def command() -> None:
    """What Spark needs beside a session."""


@command.command("catalog-sql")
@click.option("--catalog", default="main", show_default=True)
@click.option("--schema", default="default", show_default=True)
@click.option(
    "--home",
    default="/Volumes/main/default/sqlfuncs",
    show_default=True,
    help="A folder that all workers see, where judges and models are kept.",
)
def catalog_sql(catalog: str, schema: str, home: str) -> None:
    """Print SQL that puts the functions of a row into a schema of Unity Catalog.

    label_quality, suggest_label, label_set in SQL; judge_labels, llm_classify, embed in Python.
    """
    from sqlfuncs.engines.spark import catalog as generated

    statements = generated.statements(catalog, schema, home)
    show.written("\n\n".join(f"{each};" for each in statements))
