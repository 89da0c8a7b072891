"""dbt builds a project in which labels are judged, corrected and tested, by the real program."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import duckdb
import pytest

from tests.conftest import SAMPLE
from tests.integrations.tools import TOOLS, needs_tools
from tests.waiting import patient

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


def test_ctrl_c_stops_a_model(tmp_path: Path) -> None:
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(PROJECT / name, tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "long.sql").write_text(
        "WITH many AS MATERIALIZED (SELECT 'x' || hash(i) AS t FROM range(60_000) r(i)) "
        "SELECT count(*) AS n FROM near_duplicates(many, t)"
    )
    with subprocess.Popen(
        [str(DBT), "--no-send-anonymous-usage-stats", "run", "--profiles-dir", "."],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        cwd=tmp_path,
        env={**os.environ, "LABEL_QUALITY_DB": str(tmp_path / "mine.duckdb")},
    ) as dbt:
        assert dbt.stdout is not None
        for line in dbt.stdout:
            if "TF-IDF" in line:  # it runs
                break
        time.sleep(2)
        begun = time.monotonic()
        dbt.send_signal(signal.SIGINT)
        said = dbt.stdout.read()
        assert time.monotonic() - begun < patient(5)  # a second, and the end of dbt
        assert dbt.wait() != 0
    assert "Exited because of keyboard interrupt" in said
