"""`sqlfuncs queries`: the shipped query files and what they accept."""

from __future__ import annotations

import click

from sqlfuncs.queries import files


@click.command("queries")
def command() -> None:
    """List the shipped query files with their parameters."""
    for file in files.shipped():
        print(f"{file.name}: {file.title}")
        print(f"  {file.answers}")
        for parameter in file.parameters:
            print(f"    {parameter.describe()}")
        print()
    print("Run one with: sqlfuncs run NAME --db my.duckdb parameter=value ...")
