from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.conftest import needs_local

PROGRAM = str(Path(sys.executable).parent / "sqlfuncs")
NOWHERE = dict.fromkeys(
    ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"
)


def _demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **NOWHERE}
    env.pop("SQLFUNCS_DATA", None)
    env.pop("no_proxy", None)
    env.pop("NO_PROXY", None)
    ran = subprocess.run(
        [PROGRAM, "demo", *arguments],
        capture_output=True,
        encoding="utf-8",
        env=env,
        cwd=folder,
        timeout=580,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert "Traceback" not in ran.stderr
    return ran


@needs_local
@pytest.mark.slow
def test_on_the_real_data_and_again(politeness: Path, tmp_path: Path) -> None:
    first = _demo(tmp_path, "--data", str(politeness))
    assert "real data" in first.stderr
    assert "which --data names" in first.stderr
    gain = first.stdout[-first.stdout[::-1].index("╭") - 1 :]
    words = " ".join(first.stdout.replace("│", " ").split())  # whatever the width of the window
    assert "Against politeness_given, with 95 % confidence: politeness_reviewed is better" in words
    assert "Everything is in demo_politeness.duckdb" in first.stdout
    with duckdb.connect(str(tmp_path / "demo_politeness.duckdb")) as con:
        assert con.execute("SELECT model, n FROM gain").fetchall() == [
            (f"politeness_{name}", 480)
            for name in ("given", "pruned", "auto_corrected", "reviewed")
        ]
        decisions = con.execute("SELECT count(*) FROM decisions").fetchall()
    second = _demo(tmp_path, "--data", str(politeness))
    assert "the embeddings were computed before and are reused" in second.stderr
    assert second.stderr.count("was trained on exactly these rows; it is reused") == 4
    assert second.stdout.endswith(gain)
    with duckdb.connect(str(tmp_path / "demo_politeness.duckdb")) as con:
        assert con.execute("SELECT count(*) FROM decisions").fetchall() == decisions


@pytest.mark.slow
def test_without_data_and_network_the_sample_is_used_and_said(tmp_path: Path) -> None:
    ran = _demo(tmp_path)
    assert "synthetic" in ran.stderr
    assert "not real data" in ran.stderr
    assert "the public data could not be had" in ran.stderr
    assert "this is the bundled sample" in ran.stderr
    assert "support_reviewed" in ran.stdout
    (db,) = tmp_path.glob("*.duckdb")
    assert f"Everything is in {db.name}" in ran.stdout
    shown = [line.strip() for line in ran.stdout.splitlines() if line.startswith("  ")]
    assert len(shown) == 8
    # The commands to try next run as they are shown.
    on_path = {**os.environ, "PATH": f"{Path(PROGRAM).parent}:{os.environ['PATH']}"}
    for line in shown[:4]:
        tried = subprocess.run(
            ["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path, env=on_path
        )
        assert tried.returncode == 0, tried.stderr
    assert (
        "People have reviewed all 1,500 rows and found 273 wrong"
        in (tmp_path / "report.html").read_text()
    )
    line = f"exec {shown[4]} --no-browser --port 0"
    with subprocess.Popen(
        ["bash", "-c", line], stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=on_path
    ) as served:
        assert served.stdout is not None
        assert served.stdout.readline().startswith("http://127.0.0.1:")
        served.terminate()


def test_a_folder_without_the_data_is_refused(tmp_path: Path) -> None:
    for arguments, env in ((["--data", str(tmp_path)], {}), ([], {"SQLFUNCS_DATA": str(tmp_path)})):
        ran = subprocess.run(
            [PROGRAM, "demo", *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, **env},
            cwd=tmp_path,
        )
        assert ran.returncode == 1
        assert "does not hold blog_train.csv" in ran.stderr
        assert list(tmp_path.glob("*.duckdb")) == []
