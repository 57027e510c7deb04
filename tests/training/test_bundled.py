"""The recipe of the bundled model, whole and small."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from diffusers import StableDiffusionInstructPix2PixPipeline

import style_a_video as sav
from style_a_video.models.understanding import PhraseIndex
from style_a_video.styles import STYLES
from style_a_video.training.budgets import SMOKE
from style_a_video.training.bundled import train_bundled
from tests.conftest import moving_picture


@pytest.mark.slow
@pytest.mark.xdist_group("pairs")
def test_the_whole_recipe_in_small(work: Path, tmp_path: Path) -> None:
    """A step of everything: the folder that comes out is a model that `load_pipeline`, diffusers and `stylize` take,
    and that a further run starts from."""
    train_bundled(work, tmp_path / "model", SMOKE, "cpu", seed=3, workers=1)
    pipeline = sav.load_pipeline(tmp_path / "model", device="cpu", dtype=torch.float32)
    assert pipeline.defaults()["size"] == 256
    clip = moving_picture(2, 40, 32)
    calls: list[dict[str, Any]] = [
        {}, {"style_image": clip[0]}, {"mask_guidance_scale": 0.5, "content_weight": 1.0, "num_inference_steps": 2},
    ]  # fmt: skip
    for call in calls:
        frames = pipeline("Make it an Ukiyo-e painting.", clip, **call).frames
        assert frames.shape == (2, 32, 40, 3)
        assert np.isfinite(frames).all()
    stock = StableDiffusionInstructPix2PixPipeline.from_pretrained(tmp_path / "model", safety_checker=None)
    assert type(stock.vae).__name__ == "AutoencoderTiny"
    with PIL.Image.open(work / "samples.png") as sheet:
        assert sheet.height > 192 * len(STYLES)
    assert len(PhraseIndex.read(tmp_path / "model").phrases) >= 24 * 60
    for other in ({"start": tmp_path / "model"}, {"seed": 4}):
        settings = {"seed": 3, "start": None} | other
        with pytest.raises(sav.InputError, match="a run of another"):
            train_bundled(work, tmp_path / "further", SMOKE, device="cpu", workers=1, **settings)


@pytest.mark.slow
@pytest.mark.xdist_group("pairs")
def test_a_run_starts_from_a_finished_model(work: Path, tmp_path: Path) -> None:
    train_bundled(work, tmp_path / "model", SMOKE, "cpu", seed=3, workers=1)
    again = tmp_path / "again"
    again.mkdir()
    (again / "pairs").symlink_to(work / "pairs")
    train_bundled(again, tmp_path / "further", SMOKE, "cpu", seed=3, workers=1, start=tmp_path / "model")
    models = [sav.load_pipeline(tmp_path / name, device="cpu", dtype=torch.float32) for name in ("model", "further")]
    for part, kept in (("vae", True), ("text_encoder", True), ("image_encoder", True), ("unet", False)):
        states = [getattr(model, part).state_dict() for model in models]
        assert all(torch.equal(value, states[1][name]) for name, value in states[0].items()) == kept
    record = json.loads((tmp_path / "further" / "training.json").read_text())
    assert record["started_from"] == json.loads((tmp_path / "model" / "training.json").read_text())
    assert not any(str(tmp_path) in path.read_text() for path in (tmp_path / "further").rglob("*.json"))
    with pytest.raises(sav.InputError, match="not a model that this recipe made"):
        train_bundled(tmp_path / "new", tmp_path / "other", SMOKE, "cpu", seed=3, workers=1, start=tmp_path)
