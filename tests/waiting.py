"""Limits of time that hold on a busy machine, too.

They tell what hangs from what ends. How soon it ends where nothing else runs is told by benchmarks.
"""

from __future__ import annotations

import os


def patient(seconds: float) -> float:
    """A limit for what takes at most so long where nothing else runs.

    It has half a minute for what else a machine does, and is longer by as many processes as have
    lately waited for each processor.
    """
    return 30 + seconds * (2 + os.getloadavg()[0] / (os.cpu_count() or 1))
