"""What the UNet is trained on: masks, timesteps, pictures with their conditions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from style_a_video.training import unet
from style_a_video.training.pairs import COLUMNS, Pairs


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
def test_pictures_come_with_their_own_noise_frame_and_words(work: Path) -> None:
    pairs = Pairs.open(work / "pairs")
    # Latents that say whose they are.
    rows, columns = np.meshgrid(np.arange(len(pairs)), np.arange(COLUMNS), indexing="ij")
    said = (100 * rows + columns + 1)[:, :, None, None, None, None]
    wholes = np.broadcast_to(said, (*rows.shape, 1, 12, unet.GRID, unet.GRID)).astype(np.float16)
    quarters = np.broadcast_to(said, (*rows.shape, 4, 12, unet.GRID // 2, unet.GRID // 2)).astype(np.float16)
    asked: list[list[str]] = []

    def states(sentences: list[str]) -> torch.Tensor:
        asked.append(sentences)
        return torch.zeros(len(sentences), 5, 16)

    draw = unet.random_pictures(unet.Latents(wholes, quarters), pairs, states, 24, unet.Dropout(0.3, 0.2, 0.1, 0.3))
    batches = [draw(np.random.default_rng(k)) for k in range(8)]
    divided = [len(batch.clean) != 24 for batch in batches]
    assert 0 < sum(divided) < 8
    whole, empty, wordless, total = 0, 0, 0, 0
    for batch, words, in_quarters in zip(batches, asked, divided, strict=True):
        count, side = (96, unet.GRID // 2) if in_quarters else (24, unet.GRID)
        assert batch.clean.shape == batch.noise.shape == batch.frame.shape == (count, 12, side, side)
        for k, (row, column) in enumerate(batch.drawn):
            assert float(batch.clean[k].max()) == 100 * row + column + 1
            _assert_part_of(batch.noise[k].numpy(), pairs.noise(row, column))
            shown = set(batch.frame[k].unique().tolist())
            assert shown <= {0.0, float(100 * row + 1)}
            whole += shown == {float(100 * row + 1)}
            empty += shown == {0.0}
        wordless += sum(not sentence for sentence in words)
        total += count
    # By the dropout 0.3 are without a frame, 0.3 and some of the masked ones without words, 0.3 of the others masked.
    assert 0.22 < empty / total < 0.38
    assert 0.4 < whole / total < 0.6
    assert 0.3 < wordless / total < 0.5


def _assert_part_of(part: NDArray[np.float32], whole: NDArray[np.float32]) -> None:
    """`part` stands somewhere in `whole`, in all channels at one place."""
    side = part.shape[-1]
    (top, left), *others = np.argwhere(whole[0] == part[0, 0, 0])
    assert not others
    np.testing.assert_array_equal(part, whole[:, top : top + side, left : left + side])
