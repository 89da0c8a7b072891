"""The Python of docs/spark.md runs, from its first line to its last."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.examples import SPARK
from tests.spark import sessions


@pytest.mark.skipif(sessions.CONNECT, reason="the page begins a classic session")
def test_the_page_runs(spark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    page = SPARK.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    known: dict[str, Any] = {}
    try:
        for block in blocks:
            exec(compile(block, "docs/spark.md", "exec"), known)
    finally:
        spark.sql("DROP TABLE IF EXISTS issues")
    printed = capsys.readouterr().out
    assert len(blocks) == 4
    assert printed.count("suggested_label") == 2
    assert "error_rate" in printed
