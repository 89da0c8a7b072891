from __future__ import annotations

import json
from pathlib import Path

import pytest

from sqlfuncs.errors import DamagedModel
from sqlfuncs.learning.encoders import encoders
from sqlfuncs.learning.encoders.pretrained import LOCAL, as_safetensors
from sqlfuncs.store import folders, weights
from tests.conftest import needs_local, needs_smollm2


@pytest.mark.slow
@needs_smollm2
def test_the_converted_copy_holds_the_same_numbers_and_is_not_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import torch
    from transformers import AutoModel

    found = weights.local("smollm2")
    assert found is not None
    kept, source = as_safetensors(found)
    assert (kept / "model.safetensors").is_file()
    converted = AutoModel.from_pretrained(kept, **source, **LOCAL).state_dict()
    (tmp_path / "no-room").mkdir()
    (tmp_path / "no-room" / "weights").touch()
    monkeypatch.setenv("SQLFUNCS_HOME", str(tmp_path / "no-room"))
    folder, source = as_safetensors(found)
    assert folder == found.folder
    assert "cannot be kept in" in capfd.readouterr().err
    read = AutoModel.from_pretrained(folder, **source, **LOCAL).state_dict()
    assert read.keys() == converted.keys()
    for name, numbers in read.items():
        assert numbers.dtype == torch.bfloat16
        assert torch.equal(numbers, converted[name]), name


@needs_smollm2
def test_it_is_converted_once(capfd: pytest.CaptureFixture[str]) -> None:
    found = weights.local("smollm2")
    assert found is not None
    kept = as_safetensors(found)[0]
    capfd.readouterr()
    before = (kept / "model.safetensors").stat()
    assert as_safetensors(found)[0] == kept
    assert (kept / "model.safetensors").stat().st_mtime_ns == before.st_mtime_ns
    assert capfd.readouterr().err == ""
    assert "quantization_config" not in json.loads((kept / "config.json").read_text())


@needs_local
def test_a_converted_copy_that_is_not_what_was_made_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQLFUNCS_HOME", str(tmp_path / "own"))
    (tmp_path / "model.gguf").touch()
    found = weights.Weights("owner/model", tmp_path, "d" * 64)
    copy = tmp_path / "own" / "weights" / f"{found.digest[:16]}-bf16"
    with folders.renamed_into(copy) as new:
        (new / "model.safetensors").write_bytes(b"1234")
    assert as_safetensors(found)[0] == copy
    (copy / "model.safetensors").write_bytes(b"1235")
    with pytest.raises(DamagedModel, match=r"is not what was stored.*models fetch owner/model"):
        as_safetensors(found)


@needs_local
@pytest.mark.parametrize("architecture", ["BertModel", "LlamaForCausalLM"])
@pytest.mark.parametrize("weighs", [b"", b"not numbers"])
def test_damaged_weights_say_what_to_do(tmp_path: Path, architecture: str, weighs: bytes) -> None:
    about = {"architectures": [architecture], "model_type": architecture[:5].lower().rstrip("m")}
    (tmp_path / "config.json").write_text(json.dumps(about))
    (tmp_path / "model.safetensors").write_bytes(weighs)
    encoder = encoders.encoder(str(tmp_path))
    with pytest.raises(DamagedModel, match=r"cannot be loaded from .*delete that folder"):
        list(encoder.encode(["a text"]))
