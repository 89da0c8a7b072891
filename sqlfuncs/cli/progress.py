"""Progress bars and remarks on stderr, for people at a terminal. Uses rich."""

from __future__ import annotations

import threading

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from sqlfuncs.visible import visible
from sqlfuncs.work import Quiet, Share, Task


class Bars(Quiet):
    """A `sqlfuncs.work.Listener`: a bar for each task that runs, gone when none does."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._titles: set[str] = set()
        self._lock = threading.Lock()
        self._progress: Progress | None = None
        self._ids: dict[int, TaskID] = {}

    def started(self, task: Task) -> None:
        """Show a bar; where stderr is no terminal, say the title once."""
        with self._lock:
            if not self._console.is_terminal:
                if task.title not in self._titles:
                    total = "" if isinstance(task, Share) else f" ({task.total})"
                    self.show(f"{task.title}{total}")
                self._titles.add(task.title)
                return
            if self._progress is None:
                self._progress = Progress(
                    TextColumn("{task.description}", markup=False),
                    BarColumn(),
                    MofNCompleteColumn(),
                    TimeRemainingColumn(),
                    TextColumn("{task.fields[note]}", markup=False),
                    console=self._console,
                    transient=True,
                )
                self._progress.start()
            self._ids[id(task)] = self._progress.add_task(
                visible(task.title), total=task.total, note=visible(task.note)
            )

    def advanced(self, task: Task) -> None:
        """Move its bar; where stderr is no terminal, a line now and then."""
        with self._lock:
            if not self._console.is_terminal:
                super().advanced(task)
            elif self._progress is not None and id(task) in self._ids:
                bar = self._ids[id(task)]
                self._progress.update(bar, completed=task.done, note=visible(task.note))

    def finished(self, task: Task) -> None:
        """Take its bar away."""
        with self._lock:
            bar = self._ids.pop(id(task), None)
            if self._progress is None or bar is None:
                return
            self._progress.remove_task(bar)
            if not self._ids:
                self._progress.stop()
                self._progress = None

    def show(self, message: str) -> None:
        """A remark, above the bars."""
        self._console.print(
            f"sqlfuncs: {visible(message)}",
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=True,
        )
