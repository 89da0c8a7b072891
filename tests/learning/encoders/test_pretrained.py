from __future__ import annotations

import json
from pathlib import Path

import pytest

from sqlfuncs.errors import DamagedModel
from sqlfuncs.learning.encoders import encoders
from sqlfuncs.learning.encoders.pretrained import LOCAL, as_safetensors
from sqlfuncs.store import weights
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
@pytest.mark.parametrize("architecture", ["BertModel", "LlamaForCausalLM"])
@pytest.mark.parametrize("weighs", [b"", b"not numbers"])
def test_damaged_weights_say_what_to_do(tmp_path: Path, architecture: str, weighs: bytes) -> None:
    about = {"architectures": [architecture], "model_type": architecture[:5].lower().rstrip("m")}
    (tmp_path / "config.json").write_text(json.dumps(about))
    (tmp_path / "model.safetensors").write_bytes(weighs)
    encoder = encoders.encoder(str(tmp_path))
    with pytest.raises(DamagedModel, match=r"cannot be loaded from .*delete that folder"):
        list(encoder.encode(["a text"]))
