"""Models that reports train are shared by the tests: the same rows give the same ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import made_home


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Path:
    """A SQLFUNCS_HOME for reports that several tests read."""
    folder = made_home(tmp_path_factory.mktemp("reports") / "home", shared_cache)
    (folder / "models").mkdir()
    return folder


@pytest.fixture(autouse=True)
def models_are_kept(home: Path, trained: Path) -> None:
    (home / "models").symlink_to(trained / "models")
