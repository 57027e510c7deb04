"""What the UNet is trained on: masks, timesteps, windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from style_a_video.styles.media import STYLE_NAMES
from style_a_video.training import unet
from style_a_video.training.pairs import ALIGNMENT, SHARD, Pairs


def test_random_masks_are_blobs() -> None:
    masks = np.stack([unet.random_mask(np.random.default_rng(k), 16) for k in range(40)])
    assert set(np.unique(masks)) == {0.0, 1.0}
    assert 0.3 < masks.mean() < 0.7
    assert (masks[:, :, 1:] != masks[:, :, :-1]).mean() < 0.25


def test_timesteps_are_biased_to_the_start_of_sampling() -> None:
    timesteps = unet.biased_timesteps(np.random.default_rng(0), 20_000)
    assert timesteps.min() >= 0
    assert timesteps.max() == 999
    assert (timesteps >= 900).mean() == pytest.approx(0.55, abs=0.02)


def test_zero_terminal_signal() -> None:
    scheduler = unet.build_scheduler()
    assert float(scheduler.alphas_cumprod[-1]) < 1e-7
    scheduler.set_timesteps(4)
    assert scheduler.timesteps.tolist() == [999, 749, 499, 249]


@pytest.mark.slow
@pytest.mark.xdist_group("pairs")
def test_windows_carry_the_noise_that_their_marks_hang_on(work: Path) -> None:
    """The noise of every window is that of its picture, cut at the same place; corners lie on the UNet's coarsest
    cells."""
    pairs = Pairs.open(work / "pairs")
    # Latents that say where they were cut.
    rows, columns, y, x = np.meshgrid(
        np.arange(SHARD), np.arange(1 + len(STYLE_NAMES)), np.arange(64), np.arange(64), indexing="ij"
    )
    latents = np.repeat(np.stack([rows, columns, y, x], axis=2), 3, axis=2).astype(np.float16)
    windows = unet.random_windows(latents, pairs, batch=6, size=16)(np.random.default_rng(0))
    assert windows.clean.shape == windows.noise.shape == windows.image.shape == (6, 12, 16, 16)
    for clean, noise in zip(windows.clean.numpy(), windows.noise.numpy(), strict=True):
        row, column, top, left = (int(clean[3 * k, 0, 0]) for k in range(4))
        assert top % ALIGNMENT == left % ALIGNMENT == 0
        np.testing.assert_array_equal(noise, pairs.noise(row, column)[:, top : top + 16, left : left + 16])
