"""The first stage learns, and its latents come to unit scale."""

from __future__ import annotations

import numpy as np
import torch

from style_a_video.training import first_stage
from tests.conftest import moving_picture


def test_first_stage_learns_and_its_latents_come_to_unit_scale() -> None:
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
    assert latents.shape == (8, 12, 8, 8)
    assert float(loss(rng).detach()) < 0.5 * first
    assert 0.5 < float(latents.std((0, 2, 3)).mean()) < 1.5
