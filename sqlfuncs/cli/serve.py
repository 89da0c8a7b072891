"""`sqlfuncs serve FILE`: the database and our functions, for DuckDB's own shell."""

from __future__ import annotations

import os
import signal
import sys
import threading

import click

from sqlfuncs import work
from sqlfuncs.cli.run import opened
from sqlfuncs.cli.serving import served


@click.command("serve")
@click.argument("db", default=":memory:")
@click.option("--port", type=click.IntRange(0, 65535), default=9494, show_default=True)
@click.option("--host", default="localhost", help="The name to listen at; by default this machine.")
@click.option("--read-only", is_flag=True, help="Open the file without the right to change it.")
def command(db: str, port: int, host: str, read_only: bool) -> None:
    """Serve a database with all functions to DuckDB's own shell, until Ctrl-C.

    Prints the line to type in duckdb. The token it needs is in the file which that line reads;
    only you may read it, and it is gone with the server.
    """
    from sqlfuncs.engines.duckdb.quack import VERSION

    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    con = opened(db, read_only=read_only)
    with served(con, host=host, port=port) as it:
        script = it.script(VERSION, alone=False)
        print(f".read '{script}'", flush=True)
        work.say(f"serving {db} at {it.endpoint.address}; type the line above in duckdb")
        if host != "localhost":
            work.say("texts go over the network as they are: put something with TLS before it")
        work.say("Ctrl-C ends it")
        while not over.wait(1.0):
            pass
    work.say("no longer served")
    # Whoever is still computing for a client that is gone has nobody to answer.
    sys.stdout.flush()
    os._exit(0)
