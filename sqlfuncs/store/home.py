"""Where sqlfuncs keeps its files: `SQLFUNCS_HOME`, or the user's data folder."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """The folder everything is kept in; made on first use by whoever writes there."""
    given = os.environ.get("SQLFUNCS_HOME")
    return Path(given).expanduser() if given else Path(platformdirs.user_data_dir("sqlfuncs"))
