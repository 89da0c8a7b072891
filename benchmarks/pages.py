"""Writing a measurement into the pages that quote it, between its two markers."""

from __future__ import annotations

import os
import platform
import re
import sys
from importlib.metadata import version
from pathlib import Path

from sqlfuncs.store import weights

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "benchmarks.md")


def write(name: str, text: str) -> None:
    """Print a measurement and put it between `<!-- bench NAME -->` and `<!-- end NAME -->`."""
    print(text)
    block = re.compile(rf"(<!-- bench {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
    for page in PAGES:
        before = page.read_text(encoding="utf-8")
        page.write_text(
            block.sub(lambda found: f"{found[1]}{text}\n{found[2]}", before), encoding="utf-8"
        )


def circumstances() -> str:
    """The versions and the machine a measurement was made with."""
    packages = ("duckdb", "cleanlab", "scikit-learn", "numpy", "sentence-transformers", "torch")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return f"Seed 0; {versions}; Python {platform.python_version()}, {os.cpu_count()} cores."


def refuse_fallback(program: str) -> None:
    """Exit where `best` would read as something else: its larger encoder is not here."""
    if weights.local(weights.MPNET) is None:
        sys.exit(f"{program}: 'best' would read as something else: fetch mpnet first.")
