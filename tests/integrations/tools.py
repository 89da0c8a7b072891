"""Where the programs are that sqlfuncs plugs into."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT

# DuckDB 1.5.5, and what docs/attached.md is run with: its extensions and the like.
OLD_DUCKDB = ROOT / ".duckdb-1.5.5"
ATTACHED = ROOT / ".duckdb-attached"
TOOLS = ROOT / ".venv-tools" / "bin"
needs_tools = pytest.mark.skipif(
    not (TOOLS.parent / ".installed").exists(),
    reason="dbt, Harlequin and Jupyter are not installed: make .venv-tools/.installed",
)
needs_attached = pytest.mark.skipif(
    not (OLD_DUCKDB.is_dir() and (ATTACHED / ".installed").exists()),
    reason="DuckDB 1.5.5 and its extensions are not here: make .duckdb-attached/.installed",
)
