"""Model folders with one fault each: refused in one line, before anything of that size is made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import style_a_video as sav


def changed_weights(folder: Path, part: str, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    file = next((folder / part).glob("*.safetensors"))
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file, {"format": "pt"})


def changed_config(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def first_of(tensors: dict[str, torch.Tensor]) -> str:
    return sorted(name for name in tensors if tensors[name].is_floating_point())[0]


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_folder, tmp_path / "model"))


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_a_missing_tensor(folder: Path, part: str) -> None:
    changed_weights(folder, part, lambda tensors: tensors.pop(first_of(tensors)))
    with pytest.raises(sav.InputError, match=rf"{part} lacks the weights \S+: download it again"):
        sav.load_pipeline(folder, device="cpu")


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_a_number_that_is_not_finite(folder: Path, part: str) -> None:
    changed_weights(folder, part, lambda tensors: tensors[first_of(tensors)].view(-1)[:1].fill_(float("inf")))
    with pytest.raises(sav.InputError, match=f"{part}: .* not finite"):
        sav.load_pipeline(folder, device="cpu")


@pytest.mark.parametrize(
    ("part", "setting", "value"),
    [
        ("unet", "layers_per_block", 10**6), ("unet", "in_channels", 10**9), ("text_encoder", "vocab_size", 10**9),
        ("text_encoder", "num_hidden_layers", 10**6), ("vae", "latent_channels", 10**8),
    ],
)  # fmt: skip
def test_a_size_that_the_weights_cannot_have(folder: Path, part: str, setting: str, value: int) -> None:
    changed_config(folder / part / "config.json", **{setting: value})
    with pytest.raises(sav.InputError, match=f"{setting} is {value}"):
        sav.load_pipeline(folder, device="cpu")


def test_a_schedule_that_would_fill_the_memory(folder: Path) -> None:
    changed_config(folder / "scheduler" / "scheduler_config.json", num_train_timesteps=10**10)
    with pytest.raises(sav.InputError, match="num_train_timesteps is 10000000000"):
        sav.load_pipeline(folder, device="cpu")


@pytest.mark.parametrize("name", ["weights.bin", "../../elsewhere.safetensors", "gone.safetensors"])
def test_an_index_may_name_safetensors_beside_it_only(folder: Path, name: str) -> None:
    weights = next((folder / "unet").glob("*.safetensors"))
    shutil.copy(weights, folder.parent / "elsewhere.safetensors")
    (folder / "unet" / "weights.bin").touch()
    index = weights.with_name(weights.name + ".index.json")
    index.write_text(json.dumps({"metadata": {}, "weight_map": dict.fromkeys(load_file(weights), name)}))
    weights.unlink()
    with pytest.raises(sav.InputError, match="only safetensors files beside it are read"):
        sav.load_pipeline(folder, device="cpu")


def test_a_configuration_that_is_no_json(folder: Path) -> None:
    (folder / "unet" / "config.json").write_text("{")
    with pytest.raises(sav.InputError, match="it is not JSON"):
        sav.load_pipeline(folder, device="cpu")


def test_a_tokenizer_without_words(folder: Path) -> None:
    for file in (folder / "tokenizer").iterdir():
        file.unlink()
    with pytest.raises(sav.InputError, match="holds no vocabulary"):
        sav.load_pipeline(folder, device="cpu")


def test_text_of_another_width(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    pipeline = sav.load_pipeline(folder, device="cpu", dtype=torch.float32)
    config = type(pipeline.text_encoder.config).from_dict(
        pipeline.text_encoder.config.to_dict() | {"hidden_size": 32, "intermediate_size": 64}
    )
    type(pipeline.text_encoder)(config).save_pretrained(other)
    shutil.rmtree(folder / "text_encoder")
    shutil.move(other, folder / "text_encoder")
    with pytest.raises(sav.InputError, match="the UNet reads text of width 16, the text encoder writes 32"):
        sav.load_pipeline(folder, device="cpu")
