"""Limits of time that hold on a busy machine, too."""

from __future__ import annotations

import os


def patient(seconds: float) -> float:
    """A limit for what takes at most so long where nothing else runs.

    It is longer by as many processes as have lately waited for each processor.
    """
    return seconds * (2 + os.getloadavg()[0] / (os.cpu_count() or 1))
