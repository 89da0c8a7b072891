"""Files that go to the workers: with a function while they are small, else through Spark's own way.

A model never travels as a value of SQL, whose bytes are repeated for every row of a batch.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from sqlfuncs.engines.spark import running

MOST_BYTES = 30_000_000  # that travel with a function: more than that fails in odd ways


@dataclass(frozen=True)
class Artifact:
    """Files by their names, or the name of an archive that Spark brings to every node."""

    held: Mapping[str, bytes]
    archive: str = ""

    def files(self) -> Mapping[str, bytes]:
        """Them; in a worker, too."""
        return _unpacked(self.archive) if self.archive else self.held


def artifact(session: Any, files: Mapping[str, bytes]) -> Artifact:
    """Files as what a function may hold that goes to the workers of a session."""
    if sum(map(len, files.values())) <= MOST_BYTES:
        return Artifact(dict(files))
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:  # not compressed: numbers do not shrink
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), content)
    content = packed.getvalue()
    path = _folder() / f"sqlfuncs-{sha256(content).hexdigest()[:32]}.zip"
    if not path.exists():
        path.write_bytes(content)
    with running.in_our_words():
        session.addArtifacts(str(path), file=True)  # once; the same file again is passed over
    return Artifact({}, path.name)


@cache
def _folder() -> Path:
    """Where archives lie as long as this process: Spark fetches them when a node first asks."""
    folder = tempfile.mkdtemp(prefix="sqlfuncs-spark-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@cache
def _unpacked(archive: str) -> dict[str, bytes]:
    from pyspark.core.files import SparkFiles

    with zipfile.ZipFile(SparkFiles.get(archive)) as held:
        return {name: held.read(name) for name in held.namelist()}
