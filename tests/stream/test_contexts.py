"""The noise of every frame: shared, warped, independent."""

from __future__ import annotations

import numpy as np
import PIL.Image

import style_a_video as sav
from tests.stream.helpers import noise_fields


def test_warped_noise_moves_with_the_picture_and_starts_anew_at_a_cut(pipeline: sav.StyleAVideoPipeline) -> None:
    """4 pixels to the right in every frame: two of the tiny model's latent cells."""
    grain = np.random.default_rng(0).integers(60, 110, (24, 60, 3), dtype=np.uint8)
    texture = np.asarray(PIL.Image.fromarray(grain).resize((480, 96), PIL.Image.Resampling.BICUBIC))
    shot = np.stack([texture[:, 200 - 4 * t : 328 - 4 * t] for t in range(4)])
    fields = noise_fields(pipeline, np.concatenate([shot, 255 - shot[:, ::-1]]), "warped")
    cells = 4 // pipeline.vae_scale_factor
    inner = np.s_[:, 8:-8, 16:-16]
    followed = np.corrcoef(fields[3][inner].ravel(), np.roll(fields[0], 3 * cells, axis=2)[inner].ravel())[0, 1]
    stayed = np.corrcoef(fields[3][inner].ravel(), fields[0][inner].ravel())[0, 1]
    assert followed > 0.7
    assert abs(stayed) < 0.15
    np.testing.assert_allclose(fields[4], fields[0], atol=1e-5)
    assert np.abs(fields[5] - fields[4]).max() > 0.1


def test_shared_and_independent_noise(pipeline: sav.StyleAVideoPipeline) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (3, 32, 32, 3), dtype=np.uint8)
    shared, independent = (noise_fields(pipeline, pictures, noise) for noise in ("shared", "independent"))
    assert np.array_equal(shared[0], shared[2])
    assert abs(np.corrcoef(independent[0].ravel(), independent[1].ravel())[0, 1]) < 0.15
    assert np.array_equal(shared[0], independent[0])
