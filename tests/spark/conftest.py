"""A session of Spark, or none of these tests where there is no Spark."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import made_home
from tests.llm.conftest import _process, server
from tests.spark import sessions

__all__ = ["_process", "server"]

if not sessions.IS_THERE:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Iterator[Any]:
    """The session of this process. Its workers share the embeddings of the run."""
    folder = tmp_path_factory.mktemp("spark")
    before = os.environ.get("SQLFUNCS_HOME")
    os.environ["SQLFUNCS_HOME"] = str(made_home(folder / "home", shared_cache))
    try:
        yield sessions.session(folder)
    finally:
        os.environ.pop("SQLFUNCS_HOME")
        if before is not None:
            os.environ["SQLFUNCS_HOME"] = before
