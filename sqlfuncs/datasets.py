"""The data of the demo: found in a folder, kept from a download, downloaded, or bundled.

Downloads are checked by SHA-256 and land complete or not at all. Uses only the standard library.
"""

from __future__ import annotations

import os
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sqlfuncs import work
from sqlfuncs.errors import BadInput, DownloadFailed
from sqlfuncs.share import share
from sqlfuncs.store.home import home, made, made_file

_BLOG = (
    "https://raw.githubusercontent.com/databricks-industry-solutions/cleanlab-improving-llms/"
    "72ef9de77c4987f8882aab1af9dca96f7ffdb5e4/data/"
)


@dataclass(frozen=True)
class PublicFile:
    """A file to download: where it is, and what it has to be."""

    url: str
    sha256: str


BLOG_FILES: Mapping[str, PublicFile] = {
    "blog_train.csv": PublicFile(
        _BLOG + "train.csv", "a5487dfe6c5d6aae56656491b03d5e90f7fc218ebc53b30ad427dd9eb0ad7e1c"
    ),
    "blog_train_consensus.csv": PublicFile(
        _BLOG + "train_fixed.csv",
        "8d2996102c6880ecbce3831725080ee509c3594edc5ac3a87ca3453c1e61c7bc",
    ),
    "blog_test.csv": PublicFile(
        _BLOG + "test.csv", "78b7f79887351aa4f5f089f1990b86c94343f1c170f0ed5652b825c5cc3b3306"
    ),
}
TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Dataset:
    """A labelled data set: files, and what their columns are called."""

    name: str
    title: str
    why: str
    train: Path
    answers: Path
    test: Path
    text: str
    label: str
    answer: str
    key: str
    numbered: bool


def find(folder: str | None) -> Dataset:
    """The data set to show: of a folder given, of the cache, downloaded, else the sample.

    Raises BadInput if a folder was given that does not hold it.
    """
    given = folder or os.environ.get("SQLFUNCS_DATA")
    if given:
        said_by = "--data" if folder else "SQLFUNCS_DATA"
        for place in (Path(given), Path(given) / "politeness"):
            if all((place / name).is_file() for name in BLOG_FILES):
                return _blog(place, f"found in {place}, which {said_by} names")
        raise BadInput(f"{said_by} names {given}, which does not hold {', '.join(BLOG_FILES)}.")
    kept = home() / "data"
    if all(_is_intact(kept / name, file) for name, file in BLOG_FILES.items()):
        return _blog(kept, f"kept in {kept} from an earlier download")
    try:
        for name, file in BLOG_FILES.items():
            download(file, kept / name)
    except DownloadFailed as error:
        return _sample(f"the public data could not be had ({error})")
    return _blog(kept, f"downloaded from {_BLOG} and checked by SHA-256; kept in {kept}")


def download(file: PublicFile, to: Path) -> None:
    """Fetch a public file, unless it is there already. Raises DownloadFailed."""
    if _is_intact(to, file):
        return
    try:
        work.say(f"downloading {file.url}")
        with urllib.request.urlopen(file.url, timeout=TIMEOUT_SECONDS) as answer:
            content: bytes = answer.read()
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise DownloadFailed(f"{file.url}: {getattr(error, 'reason', error)}") from None
    if sha256(content).hexdigest() != file.sha256:
        raise DownloadFailed(f"{file.url} is not what it was: its SHA-256 differs")
    try:
        made(to.parent)
        aside = to.with_name(f".{to.name}-{uuid.uuid4().hex}")
        made_file(aside).write_bytes(content)
        aside.replace(to)
    except OSError as error:
        raise DownloadFailed(f"{to} cannot be written: {error}") from None


def _is_intact(path: Path, file: PublicFile) -> bool:
    return path.is_file() and sha256(path.read_bytes()).hexdigest() == file.sha256


def _blog(folder: Path, why: str) -> Dataset:
    return Dataset(
        name="politeness",
        title="politeness: 1,916 requests, labelled by one annotator each (real data)",
        why=why,
        train=folder / "blog_train.csv",
        answers=folder / "blog_train_consensus.csv",
        test=folder / "blog_test.csv",
        text="prompt",
        label="completion",
        answer="completion",
        key="id",
        numbered=True,
    )


def _sample(why: str) -> Dataset:
    folder = share("data")
    return Dataset(
        name="synthetic_support",
        title="support requests: 1,500 synthetic texts with simulated annotators (not real data)",
        why=f"{why}; this is the bundled sample",
        train=folder / "support_requests.csv",
        answers=folder / "support_requests.csv",
        test=folder / "support_requests_test.csv",
        text="text",
        label="label",
        answer="true_label",
        key="id",
        numbered=False,
    )
