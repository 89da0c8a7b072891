"""Executors in processes of their own, one of which dies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.spark.on_local_cluster import PARTS, ROWS
from tests.spark.sessions import CONNECT
from tests.waiting import patient


@pytest.mark.slow
@pytest.mark.skipif(CONNECT, reason="starts a Spark of its own")
def test_an_executor_that_is_killed_changes_nothing(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "spark" / "on_local_cluster.py"), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        timeout=patient(300),
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(ran.stdout.splitlines()[-1])
    assert 0 < found.pop("done_before") < PARTS
    assert found == {"executors": 2, "rows": ROWS, "same": 1, "left": 0}
