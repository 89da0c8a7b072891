"""dbt builds a project in which labels are judged, corrected and tested, by the real program."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import duckdb
import pytest

from tests.conftest import SAMPLE
from tests.integrations.tools import TOOLS, needs_tools

PROJECT = Path(__file__).parent / "dbt_project"
DBT = TOOLS / "dbt"
pytestmark = [needs_tools, pytest.mark.slow]


def _dbt(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(str(DBT), "--no-send-anonymous-usage-stats", *arguments),
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
        ],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "LABEL_QUALITY_DB": str(folder / "mine.duckdb")},
        timeout=300,
    )


def test_labels_are_judged_corrected_and_tested(tmp_path: Path) -> None:
    requests = f"requests: '{SAMPLE}'"
    built = _dbt(tmp_path, "build", "--vars", f"{{{requests}, highest_error_rate: 0.9}}")
    assert built.returncode == 0, built.stdout
    assert "Completed successfully" in built.stdout
    with duckdb.connect(str(tmp_path / "mine.duckdb"), read_only=True) as con:
        flagged, rows = con.execute(
            "SELECT sum(is_label_issue::INT), count(*) FROM issues"
        ).fetchall()[0]
        assert (rows, 150 < flagged < 600) == (1500, True)
        corrected = dict(con.execute("SELECT id, label FROM corrected WHERE id < 25").fetchall())
    assert (corrected[6], corrected[13], corrected[20]) == ("product", "account", "delivery")
    assert 23 not in corrected

    tested = _dbt(tmp_path, "test", "--vars", f"{{{requests}, highest_error_rate: 0.1}}")
    assert tested.returncode == 1
    assert "few_labels_are_wrong" in tested.stdout
    assert "FAIL" in tested.stdout


def test_a_mistake_is_said_by_dbt(tmp_path: Path) -> None:
    said = _dbt(tmp_path, "show", "--inline", "FROM label_issues(nothing, text, label)")
    assert said.returncode != 0
    assert "nothing" in said.stdout
