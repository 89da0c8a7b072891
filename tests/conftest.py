"""What the tests share: a home of their own, a connection, and the real data if it is there."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import duckdb
import hypothesis
import pytest

import sqlfuncs
from sqlfuncs import work
from sqlfuncs.learning.encoders import encoders

# Threads of OpenMP wait for one another by running in circles, which is quick where each has a core
# of its own; where two processes of tests share the cores, a small network took 20 times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# SQLFUNCS_TEST_SAME_DRAWS: a gate that draws anew may fail on a commit that changed nothing.
hypothesis.settings.register_profile(
    "on a busy machine", deadline=None, derandomize="SQLFUNCS_TEST_SAME_DRAWS" in os.environ
)
hypothesis.settings.load_profile("on a busy machine")

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "data" / "support_requests.csv"

needs_local = pytest.mark.skipif(
    not encoders.is_available(), reason="needs the extra `local` (a sentence encoder)"
)


# Where the Makefile has `sqlfuncs models fetch smollm2` put it.
FETCHED = ROOT / ".venv" / "home" / "weights"
needs_smollm2 = pytest.mark.skipif(
    not (encoders.is_available() and FETCHED.is_dir()),
    reason="needs SmolLM2 (make .venv/home/weights)",
)


def pytest_report_header() -> str:
    """The versions a failure may depend on."""
    return (
        f"duckdb {duckdb.__version__}, extra local: {encoders.is_available()}, "
        f"SmolLM2: {FETCHED.is_dir()}"
    )


FAST_SECONDS = 60.0  # of a processor and of children: ten, and six times that for chance
QUIET_SECONDS = 0.15  # of a processor, for the loop of `_slowness` where nothing else runs
LOADING = {"torch", "transformers", "sklearn"}  # who is first loads them, and reads the sample
REASON = "{spent:.1f} s of a processor: mark it slow, or make it take less than {allowed:.0f}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test that takes long, and is not marked so, fails."""
    loaded, begun = LOADING & sys.modules.keys(), _processor_seconds()
    result = yield
    spent = _processor_seconds() - begun
    allowed = FAST_SECONDS * (1 if LOADING & sys.modules.keys() == loaded else 3)
    if spent > allowed and item.get_closest_marker("slow") is None:
        allowed *= max(1.0, _slowness())
        if spent > allowed:
            pytest.fail(REASON.format(spent=spent, allowed=allowed), pytrace=False)
    return result


def _slowness() -> float:
    """How many times as long as on a quiet machine a loop takes now: shared cores are slower."""
    begun = time.process_time()
    sum(i * i % 7 for i in range(2_000_000))
    return (time.process_time() - begun) / QUIET_SECONDS


def _processor_seconds() -> float:
    """What this process and its children that have ended have used."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Embeddings, shared by the tests and processes of one run, so that each is made once."""
    mine = tmp_path_factory.getbasetemp()
    is_one_of_several = "PYTEST_XDIST_WORKER" in os.environ
    folder = (mine.parent if is_one_of_several else mine) / "cache"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared_cache: Path) -> Path:
    """An empty SQLFUNCS_HOME for each test; only the embeddings are shared."""
    folder = made_home(tmp_path / "home", shared_cache)
    monkeypatch.setenv("SQLFUNCS_HOME", str(folder))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    work.resume()
    return folder


def made_home(folder: Path, cache: Path) -> Path:
    """A folder for SQLFUNCS_HOME that has embeddings and fetched weights, and nothing else."""
    folder.mkdir()
    (folder / "cache").symlink_to(cache)
    if FETCHED.is_dir():
        (folder / "weights").symlink_to(FETCHED)
    return folder


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in memory in which the functions have bare names."""
    with sqlfuncs.connect() as connection:
        yield connection


@pytest.fixture
def sample(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The connection, with the bundled sample as the table `requests`."""
    con.execute(f"CREATE TABLE requests AS FROM '{SAMPLE}'")
    return con


@pytest.fixture
def politeness() -> Path:
    """The folder of the real data; the test is skipped, and says so, where there is none."""
    places = [os.environ.get("SQLFUNCS_DATA"), str(ROOT.parent / "shared" / "data")]
    for place in filter(None, places):
        folder = Path(place) / "politeness"
        if folder.is_dir():
            return folder
    pytest.skip("needs the politeness data (SQLFUNCS_DATA, or shared/data beside the project)")


class _Heard(work.Quiet):
    def __init__(self) -> None:
        super().__init__()
        self.remarks: list[str] = []

    def show(self, message: str) -> None:
        self.remarks.append(message)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The remarks that are made meanwhile."""
    monkeypatch.setattr(work, "_said", set())
    listener = _Heard()
    with work.listening(listener):
        yield listener.remarks
