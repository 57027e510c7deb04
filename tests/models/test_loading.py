"""`load_pipeline`: the three sources, the two layouts, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import style_a_video as sav
from style_a_video.models import bundled_folder, load_refiner
from tests.conftest import moving_picture, tiny_pipeline


def test_folder(tiny_folder: Path) -> None:
    pipeline = sav.load_pipeline(tiny_folder, device="cpu", dtype=torch.float32)
    assert pipeline.unet.config.in_channels == 8
    assert pipeline.unet.dtype == torch.float32


def test_text_to_image_layout_is_widened_and_says_so(tmp_path: Path) -> None:
    plain = tiny_pipeline(in_channels=4)
    plain.save_pretrained(tmp_path / "plain")
    with pytest.warns(UserWarning, match="image slot is new"):
        wide = sav.load_pipeline(tmp_path / "plain", device="cpu", dtype=torch.float32)
    assert wide.unet.config.in_channels == 8
    generator = torch.Generator().manual_seed(0)
    z, image, text = (torch.randn(shape, generator=generator) for shape in ((1, 4, 8, 8), (1, 4, 8, 8), (1, 5, 16)))
    with torch.no_grad():
        expected = plain.unet(z, 7, text).sample
        actual = wide.unet(torch.cat([z, image], dim=1), 7, text).sample
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)


def test_instruct_pix2pix_folder_loads_unchanged(tmp_path: Path) -> None:
    from diffusers import StableDiffusionInstructPix2PixPipeline

    tiny = tiny_pipeline()
    peer = StableDiffusionInstructPix2PixPipeline(
        tiny.vae,
        tiny.text_encoder,
        tiny.tokenizer,
        tiny.unet,
        tiny.scheduler,
        None,
        None,
        requires_safety_checker=False,
    )
    peer.save_pretrained(tmp_path / "ip2p")
    loaded = sav.load_pipeline(tmp_path / "ip2p", device="cpu", dtype=torch.float32)
    assert loaded.image_encoder is None
    for mine, theirs in zip(loaded.unet.parameters(), tiny.unet.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    result = loaded("a cat", moving_picture(1, 16, 16), num_inference_steps=1).frames
    assert np.isfinite(result).all()


def test_odd_channel_count_is_refused(tmp_path: Path) -> None:
    tiny_pipeline(in_channels=9).save_pretrained(tmp_path / "odd")
    with pytest.raises(sav.InputError, match="9 channels"):
        sav.load_pipeline(tmp_path / "odd", device="cpu")


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "pickled"
    tiny_pipeline().save_pretrained(folder)
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.unlink()
    torch.save(tiny_pipeline().unet.state_dict(), folder / "unet" / "diffusion_pytorch_model.bin")
    with pytest.raises(sav.InputError, match="no safetensors weights"):
        sav.load_pipeline(folder, device="cpu")


@pytest.mark.parametrize("name", ["/nowhere/model", "./nowhere", "nowhere", "a/b/c"])
def test_unknown_model(name: str) -> None:
    with pytest.raises(sav.InputError, match="give 'bundled'"):
        sav.load_pipeline(name)


def test_hub_id_that_cannot_be_had() -> None:
    with pytest.raises(sav.InputError, match="give 'bundled'"):
        sav.load_pipeline("nobody-at-all/no-such-model")


def test_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(sav.InputError, match=r"model_index\.json"):
        sav.load_pipeline(tmp_path)


def test_bundled_weights_fit_and_are_half_precision_safetensors() -> None:
    from safetensors import safe_open

    files = list(bundled_folder().rglob("*.safetensors"))
    assert {file.parent.name for file in files} == {"vae", "unet", "text_encoder", "image_encoder", "bundled"}
    assert sum(file.stat().st_size for file in files) <= 94e6
    assert not [file for file in bundled_folder().rglob("*") if file.suffix in (".bin", ".pt", ".pkl", ".ckpt")]
    for file in files:
        with safe_open(file, "pt") as tensors:
            kinds = {tensors.get_slice(name).get_dtype() for name in tensors.keys()}  # noqa: SIM118
        assert kinds <= {"F16", "I64"}


def test_the_package_ships_a_refiner_of_the_warped_form() -> None:
    refiner = load_refiner()
    assert refiner.config.form == "warped"
    assert sum(parameter.numel() for parameter in refiner.parameters()) * 2 < 8e6  # bytes, as it is stored


def test_no_refiner(tmp_path: Path) -> None:
    with pytest.raises(sav.InputError, match=r"there is no refiner in .*train one"):
        load_refiner(tmp_path)
