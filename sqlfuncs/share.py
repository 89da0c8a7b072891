"""Files that come with the package but are no code: query files and the bundled sample."""

from __future__ import annotations

from pathlib import Path


def share(name: str) -> Path:
    """A folder of shipped files, in the installed package or in a checkout of it."""
    installed = Path(__file__).parent / "_share" / name
    return installed if installed.is_dir() else Path(__file__).parent.parent / name
