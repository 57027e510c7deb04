"""The noise of every frame: shared, warped, independent."""

from __future__ import annotations

from typing import Any

import numpy as np
import PIL.Image
import torch

import style_a_video as sav
from style_a_video.settings import Settings
from style_a_video.stream import FrameContext, frame_contexts
from style_a_video.temporal import Motion, dis_flow, with_motion
from style_a_video.video import ShotDetector, VideoFrame


def texture(seed: int, height: int = 48, width: int = 160) -> np.ndarray:
    """Something to see everywhere, (height, width, 3) uint8, that moves as one."""
    grain = np.random.default_rng(seed).integers(60, 110, (height // 4, width // 4, 3), dtype=np.uint8)
    return np.asarray(PIL.Image.fromarray(grain).resize((width, height), PIL.Image.Resampling.BICUBIC))


def shot(seed: int, count: int, speed: int = 2) -> list[np.ndarray]:
    """A camera that moves to the right."""
    return [texture(seed)[:, speed * t : speed * t + 64] for t in range(count)]


def video(pictures: list[np.ndarray]) -> list[VideoFrame]:
    return [VideoFrame(pixels, k) for k, pixels in enumerate(pictures)]


def noise_fields(pipeline: sav.StyleAVideoPipeline, pictures: np.ndarray, noise: Any) -> np.ndarray:
    stream = with_motion(video(list(pictures)), dis_flow(), ShotDetector().begins_shot)
    settings = Settings(noise=noise, seed=4)
    return np.stack([context.noise[0].numpy() for context in frame_contexts(pipeline, stream, settings)])


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


def context(number: int, cut: bool) -> FrameContext:
    still = Motion(*torch.zeros(5, 1, 2, 1, 1))
    return FrameContext(
        VideoFrame(np.zeros((1, 1, 3), np.uint8), number), None if cut else still, torch.zeros(1), 0, number
    )
