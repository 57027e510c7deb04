"""What the tests of the stream share: moving pictures, and streams of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import PIL.Image
import torch

import style_a_video as sav
from style_a_video.settings import Settings
from style_a_video.stream import FrameContext, frame_contexts, stylized_frames
from style_a_video.temporal import Motion, Refiner, dis_flow, with_motion
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


def context(number: int, cut: bool) -> FrameContext:
    still = Motion(*torch.zeros(5, 1, 2, 1, 1))
    return FrameContext(
        VideoFrame(np.zeros((1, 1, 3), np.uint8), number), None if cut else still, torch.zeros(1), 0, number
    )


ONE_STEP: dict[str, Any] = {"num_inference_steps": 1}


def stylized(
    pipeline: sav.StyleAVideoPipeline, pictures: list[np.ndarray], refiner: Refiner | None = None, **settings: Any
) -> np.ndarray:
    """(T, H, W, 3) float64, of 255."""
    found = stylized_frames(pipeline, video(pictures), "a cat", Settings(**ONE_STEP | settings), refiner)
    return np.stack([frame.pixels for frame in found]).astype(float)
