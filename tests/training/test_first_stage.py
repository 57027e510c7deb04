"""The first stage learns, its latents come to unit scale, and it is saved as diffusers' own class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny

from style_a_video.training import first_stage
from tests.conftest import moving_picture


def test_first_stage_learns_and_its_latents_come_to_unit_scale(tmp_path: Path) -> None:
    torch.manual_seed(0)
    vae = first_stage.build()
    pictures = torch.from_numpy(moving_picture(8, 32, 32)).permute(0, 3, 1, 2).float() / 127.5 - 1
    loss = first_stage.reconstruction_loss(vae, lambda _: pictures, statistics_weight=1.0)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=2e-3)
    rng = np.random.default_rng(0)
    first = float(loss(rng).detach())
    for _ in range(60):
        optimizer.zero_grad()
        loss(rng).backward()
        optimizer.step()
    with torch.no_grad():
        latents = vae.encode(pictures).latents
        decoded = vae.decode(latents).sample
    assert latents.shape == (8, 12, 8, 8)
    assert float(loss(rng).detach()) < 0.5 * first
    assert 0.5 < float(latents.std((0, 2, 3)).mean()) < 1.5
    # What is saved opens as diffusers' class and gives the same numbers, though two layers were not trained.
    first_stage.stock_form(vae).save_pretrained(tmp_path)
    opened = AutoencoderTiny.from_pretrained(tmp_path)
    with torch.no_grad():
        torch.testing.assert_close(opened.encode(pictures).latents, latents, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(opened.decode(latents).sample, decoded, atol=1e-5, rtol=1e-5)
