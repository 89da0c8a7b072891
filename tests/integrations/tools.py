"""Where the programs are that sqlfuncs plugs into."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT

TOOLS = ROOT / ".venv-tools" / "bin"
needs_tools = pytest.mark.skipif(
    not (TOOLS.parent / ".installed").exists(),
    reason="dbt, Harlequin and Jupyter are not installed: make .venv-tools/.installed",
)
