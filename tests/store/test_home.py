"""What is made in a home is its owner's alone, whatever the umask."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sqlfuncs.learning.rows.text import Texts
from sqlfuncs.store import answers, jobs
from sqlfuncs.store.answers import Answer
from sqlfuncs.store.home import made, made_file
from sqlfuncs.training.request import Request

pytestmark = pytest.mark.skipif(os.name == "nt", reason="files have no modes there")

_EVERYTHING = """
import os
os.umask(0o022)
import numpy as np
import sqlfuncs
from sqlfuncs.store import embeddings
con = sqlfuncs.connect()
con.execute("CREATE TABLE t AS SELECT 'text ' || i AS text, [i, i % 2]::FLOAT[] AS vec, "
            "['a', 'b'][i % 2 + 1] AS label FROM range(40) r(i)")
con.execute("FROM fine_tune('mine', t, vec, label)").fetchall()
con.execute("SELECT llm_classify(text, ['a', 'b'], model := 'fake:') FROM t").fetchall()
embeddings.write("m", {"x": np.ones(4, np.float32)})
for folder, _, names in os.walk(os.environ["SQLFUNCS_HOME"]):
    for path in [folder, *(os.path.join(folder, name) for name in names)]:
        print(oct(os.lstat(path).st_mode & 0o7777), path)
"""


def _everything(home: Path) -> dict[str, str]:
    """The mode of everything that is made in a home, while it is in use."""
    said = subprocess.run(
        [sys.executable, "-c", _EVERYTHING],
        env={**os.environ, "SQLFUNCS_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = (line.split(" ", 1) for line in said.stdout.splitlines())
    found = {str(Path(path).relative_to(home)): mode for mode, path in lines}
    assert {"answers/answers.sqlite", "answers/answers.sqlite-wal", "models"} <= found.keys()
    assert {"jobs/jobs.sqlite", "cache/embeddings.sqlite"} <= found.keys()
    return found


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_all_that_is_made_is_its_owners_alone(tmp_path: Path) -> None:
    found = _everything(tmp_path / "a" / "new")
    assert {path: mode for path, mode in found.items() if mode not in ("0o700", "0o600")} == {}
    assert _mode(tmp_path / "a") != 0o700  # what is around the home is not ours


def test_a_home_that_is_there_keeps_its_rights_and_gives_none(tmp_path: Path) -> None:
    home = tmp_path / "own"
    home.mkdir()
    home.chmod(0o755)
    found = _everything(home)
    assert found.pop(".") == "0o755"
    assert set(found.values()) == {"0o700", "0o600"}


def test_what_an_earlier_version_left_open_is_closed(tmp_path: Path) -> None:
    home = tmp_path / "own"
    _everything(home)
    for path in (home, *home.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    found = _everything(home)
    assert found["answers"] == found["jobs"] == found["models"] == found["cache"] == "0o700"
    assert found["answers/answers.sqlite"] == found["cache/embeddings.sqlite"] == "0o600"


def test_a_home_that_a_group_shares(tmp_path: Path) -> None:
    home = tmp_path / "own"
    home.mkdir()
    home.chmod(0o2775)
    found = _everything(home)
    assert found.pop(".") == "0o2775"
    assert {mode[-3:] for mode in found.values()} == {"770", "660"}


def test_what_a_link_leads_to_is_let_be(home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    elsewhere.chmod(0o755)
    (home / "answers").symlink_to(elsewhere)
    answers.Store(home / "answers" / "answers.sqlite").write("m", {b"1": Answer(("a",))})
    assert _mode(elsewhere) == 0o755
    assert _mode(elsewhere / "answers.sqlite") == 0o600


def test_texts_to_train_on_are_not_for_others(home: Path) -> None:
    """They are on disk for a moment, where another process trains."""
    folder = made(jobs.folder("ft-1"))
    texts = Texts(["a", "b"], np.full(2, None, dtype=object))
    Request("mine", "fast", "", 2, 0, "classification", texts, ["x", "y"]).save(folder)
    assert {each.name: _mode(each) for each in folder.iterdir()} == {
        "rows.arrow": 0o600,
        "request.json": 0o600,
    }
    assert _mode(folder) == _mode(folder.parent) == 0o700


def test_a_file_in_place_of_a_folder(home: Path) -> None:
    (home / "answers").write_text("")
    with pytest.raises(OSError):
        made(home / "answers" / "more")
    assert made_file(home / "empty").read_bytes() == b""
