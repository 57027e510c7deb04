"""The recipe of the bundled model, whole and small."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import style_a_video as sav
from style_a_video.training.budgets import BundledBudget
from style_a_video.training.bundled import train_bundled
from style_a_video.training.pairs import SHARD
from tests.conftest import moving_picture


@pytest.mark.slow
@pytest.mark.xdist_group("pairs")
def test_the_whole_recipe_in_small(work: Path, tmp_path: Path) -> None:
    """Two steps of everything: the folder that comes out is a model that `load_pipeline` and `stylize` take, and that a
    further run starts from."""
    budget = BundledBudget(
        contents=SHARD,
        first_stage_steps=2,
        decoder_steps=2,
        clip_steps=2,
        unet_steps=2,
        unet_full_steps=1,
        sharpen_steps=1,
    )
    train_bundled(work, tmp_path / "model", budget, "cpu", seed=3, workers=1)
    pipeline = sav.load_pipeline(tmp_path / "model", device="cpu", dtype=torch.float32)
    assert pipeline.defaults()["size"] == 256
    calls: list[dict[str, Any]] = [{}, {"fast": True}, {"mask_guidance_scale": 0.5, "content_weight": 1.0}]
    for call in calls:
        frames = pipeline("Make it an Ukiyo-e painting.", moving_picture(2, 40, 32), **call).frames
        assert frames.shape == (2, 32, 40, 3)
        assert np.isfinite(frames).all()
    for other in ({"start": tmp_path / "model"}, {"seed": 4}, {"budget": replace(budget, clip_steps=3)}):
        settings = {"budget": budget, "seed": 3, "start": None} | other
        with pytest.raises(sav.InputError, match="a run of another"):
            train_bundled(work, tmp_path / "further", device="cpu", workers=1, **settings)
    # A stage that a later one started from is not trained further unseen: its new steps would be lost.
    for more in ("unet_steps", "unet_full_steps"):
        with pytest.raises(sav.InputError, match=f"fewer {more}"):
            train_bundled(work, tmp_path / "model", replace(budget, **{more: 4}), "cpu", seed=3, workers=1)
    shutil.copytree(work / "pairs", tmp_path / "again" / "pairs")
    train_bundled(tmp_path / "again", tmp_path / "further", budget, "cpu", seed=3, workers=1, start=tmp_path / "model")
    further = sav.load_pipeline(tmp_path / "further", device="cpu", dtype=torch.float32)
    # Latents of a start hold in what is trained from it; what is made of them may get better.
    for name, value in pipeline.vae.encoder.state_dict().items():
        torch.testing.assert_close(further.vae.encoder.state_dict()[name], value)
    decoders = (pipeline.vae.decoder.state_dict(), further.vae.decoder.state_dict())
    assert any(not torch.equal(value, decoders[1][name]) for name, value in decoders[0].items())
    assert any(
        not torch.equal(value, further.unet.state_dict()[name]) for name, value in pipeline.unet.state_dict().items()
    )
    # Two steps at CLIP's rate leave its encoder near where it started; one begun anew would be far.
    for one, other in zip(pipeline.text_encoder.parameters(), further.text_encoder.parameters(), strict=True):
        assert float((one - other).abs().max()) < 0.01
    record = json.loads((tmp_path / "further" / "training.json").read_text())
    assert record["started_from"] == json.loads((tmp_path / "model" / "training.json").read_text())
    assert not any(str(tmp_path) in path.read_text() for path in (tmp_path / "further").rglob("*.json"))
    with pytest.raises(sav.InputError, match="not a model that this recipe made"):
        train_bundled(tmp_path / "new", tmp_path / "other", budget, "cpu", seed=3, workers=1, start=tmp_path)
