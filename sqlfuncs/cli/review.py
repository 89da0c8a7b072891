"""`sqlfuncs review FILE`: the page on which labels are reviewed."""

from __future__ import annotations

import getpass
import os
import signal
import socket
import sys
import tempfile
import threading
import webbrowser
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sqlfuncs import work
from sqlfuncs.cli import columns
from sqlfuncs.cli.run import opened
from sqlfuncs.errors import Cancelled, CannotKeep, CannotServe

if TYPE_CHECKING:
    import uvicorn

    from sqlfuncs.engines.duckdb.reviewing import ReviewedTable

_HOST = "127.0.0.1"
_USUAL_PORT = 8321
_SWITCH_SECONDS = 0.0005  # the page is answered while a model learns: threads take short turns
_GRACE_SECONDS = 0.7  # for requests that are being answered, once the end was asked for


@click.command("review")
@click.argument("db", type=click.Path(exists=True, dir_okay=False))
@click.option("--table", default="train", show_default=True, help="The table that is reviewed.")
@click.option("--text", help="Text, an image or a STRUCT; by default text or prompt.")
@click.option("--label", help="The column of labels; by default label or completion.")
@click.option("--key", help="The column that names a row; by default id or key.")
@click.option("--x", help="The column the model reads, such as an embedding; by default --text.")
@click.option("--log", default="decisions", show_default=True, help="The decision log.")
@click.option("--model", default="fast", show_default=True, help="As in label_issues.")
@click.option("--task", default="auto", show_default=True, help="As in label_issues.")
@click.option("--reviewer", "reviewers", multiple=True, help="Who reviews; again for another one.")
@click.option("--port", type=click.IntRange(0, 65535), help="By default 8321, or one that is free.")
@click.option("--no-browser", is_flag=True, help="Print the link, open nothing.")
def command(
    db: str,
    table: str,
    text: str | None,
    label: str | None,
    key: str | None,
    x: str | None,
    log: str,
    model: str,
    task: str,
    reviewers: tuple[str, ...],
    port: int | None,
    no_browser: bool,
) -> None:
    """Review labels on a page in the browser, on this machine only, until Ctrl-C.

    Every decision is a row of the decision log before the next row is shown; nothing else is
    written. A link that is printed lets one browser in, once.
    """
    from sqlfuncs.engines.duckdb import catalog
    from sqlfuncs.engines.duckdb.reviewing import ReviewedTable
    from sqlfuncs.engines.duckdb.statements import interruptibly
    from sqlfuncs.review.decisions import as_csv
    from sqlfuncs.review.review import Review
    from sqlfuncs.review.web.actions import reviewer_name
    from sqlfuncs.review.web.app import guarded

    sys.setswitchinterval(_SWITCH_SECONDS)
    names = [reviewer_name(name) for name in reviewers or (_user(),)]
    listening = listening_at(port)
    con = opened(db)
    types = catalog.columns(con, table)
    shown = columns.find(types, table, "text", text, columns.TEXT)
    source = ReviewedTable(
        con,
        table=table,
        text=shown,
        label=columns.find(types, table, "label", label, columns.LABEL),
        key=columns.find(types, table, "key", key, columns.KEY),
        x=columns.find(types, table, "x", x, (shown,)),
        log=log,
        model=model,
        task=task,
    )
    try:
        review = interruptibly(con, partial(Review, source))
    except Cancelled:
        raise Cancelled("stopped before there was a page; nothing was decided") from None
    at = listening.getsockname()[1]
    guard = guarded(review, _HOST, at)
    links = [f"http://{_HOST}:{at}{guard.link(name)}" for name in names]
    for name, link in zip(names, links, strict=True):
        print(link if len(names) == 1 else f"{name}: {link}", flush=True)
    work.say("each link lets one browser in, once; Ctrl-C ends the review")
    review.look_around()
    _serve(guard, listening, None if no_browser else links[0])
    lost: list[str] = []
    settling = threading.Thread(target=partial(_settle, source, lost), daemon=True)
    settling.start()
    settling.join(_GRACE_SECONDS)
    if lost:
        place = _rescued(db, as_csv(review.decisions.all))
        work.say(f"{lost[0]} All decisions of the log are saved in {place}.")
    else:
        work.say(f"every decision is in the table {log}")
    sys.stdout.flush()
    # What is still being learned has nobody to tell it to.
    os._exit(1 if lost else 0)


def _settle(source: ReviewedTable, lost: list[str]) -> None:
    try:
        source.settle()
    except CannotKeep as error:
        lost.append(str(error))


def _rescued(db: str, log: str) -> str:
    """Where the decisions are written whose database is gone: beside it, if that can be."""
    for folder in (Path(db).absolute().parent, None):
        with suppress(OSError):
            handle, name = tempfile.mkstemp(".csv", f"{Path(db).stem}-decisions-", folder)
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(log)
            return name
    return "no file: none could be written"


def web_server(app: object) -> uvicorn.Server:
    """What answers for an application once it is run on a socket."""
    import uvicorn

    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_level="warning",
        lifespan="off",
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


def _serve(app: object, listening: socket.socket, link: str | None) -> None:
    server = web_server(app)
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    serving = threading.Thread(target=server.run, args=([listening],), daemon=True)
    serving.start()
    if link is not None and not webbrowser.open(link):
        work.say("no browser could be opened; open the link above in one")
    while not over.wait(1.0) and serving.is_alive():
        pass
    server.should_exit = True
    serving.join(_GRACE_SECONDS)


def listening_at(port: int | None) -> socket.socket:
    """A socket at a port; at any that is free, if none is named and the usual one is taken."""
    # Named, TCP is sent at once by asyncio; else each page would wait 40 ms for an acknowledgement.
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((_HOST, _USUAL_PORT if port is None else port))
    except OSError as error:
        if port is None:
            found.close()
            return listening_at(0)
        raise CannotServe(
            f"port {port} cannot be used: {error.strerror}. Take another one: --port 0 finds one."
        ) from None
    found.listen(64)
    return found


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "reviewer"
