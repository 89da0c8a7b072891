"""Progress in the cell of a notebook: bars of ipywidgets, else lines. Imports IPython."""

from __future__ import annotations

import threading
import time
from typing import Any

from IPython.core.getipython import get_ipython

from sqlfuncs import work
from sqlfuncs.work import Task

_SOON = 0.5  # seconds: what ends before needs no bar
_OFTEN = 0.2  # seconds between two looks


class NotebookProgress(work.Quiet):
    """Hears of tasks in any thread, and shows them in the one that calls `draw`.

    A widget made in another thread would turn up in another cell, or in none.
    """

    def __init__(self) -> None:
        self._tasks: dict[int, Task] = {}
        self._lock = threading.Lock()
        self._bars: dict[int, Any] = {}
        self._box: Any = None
        self._drawn = 0.0
        self._widgets = _widgets()

    def started(self, task: Task) -> None:
        """A bar is wanted, if it takes long."""
        with self._lock:
            self._tasks[id(task)] = task

    def advanced(self, task: Task) -> None:
        """Where there are no bars, a line now and then."""
        if self._widgets is None:
            super().advanced(task)

    def finished(self, task: Task) -> None:
        """Its bar goes."""
        with self._lock:
            self._tasks.pop(id(task), None)

    def draw(self) -> None:
        """Show what is being done, as it is now."""
        now = time.monotonic()
        if self._widgets is None or now < self._drawn + _OFTEN:
            return
        self._drawn = now
        with self._lock:
            tasks = {key: t for key, t in self._tasks.items() if now > t.begun + _SOON}
        if not tasks and not self._bars:
            return
        if self._box is None:
            from IPython.display import display

            self._box = self._widgets.VBox([])
            display(self._box)
        known = {key: self._bars.get(key) or self._bar(task) for key, task in tasks.items()}
        for key, task in tasks.items():
            known[key].value = task.done / max(task.total, 1)
            known[key].description = f"{task.title}: {known[key].value:.0%} {task.note}".strip()
        if known.keys() != self._bars.keys():
            self._box.children = tuple(known.values())
        self._bars = known

    def close(self) -> None:
        """Leave nothing in the cell."""
        if self._box is not None:
            self._box.close()
            self._box = None

    def _bar(self, task: Task) -> Any:
        return self._widgets.FloatProgress(
            min=0.0, max=1.0, style={"description_width": "initial"}, layout={"width": "100%"}
        )


def _widgets() -> Any:
    """The module of widgets, where it is installed and a kernel is there to show them."""
    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    try:
        import ipywidgets
    except ImportError:
        return None
    return ipywidgets
