"""Short clips with true flow, stylized frame by frame so that they flicker: what the refiner learns from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor

from ..affine import Affine, affine_flow, sample, seen_before, similarity
from ..atomic import atomic_path
from ..frames import picture_to_pixels
from ..pipeline import StyleAVideoPipeline
from ..settings import Settings
from ..stream import stylized_frames
from ..styles.media import STYLES
from ..video import VideoFrame
from .captions import caption, random_spec
from .contents import random_content, smooth_noise
from .renderers import RENDERERS, Chance, render

SIDE = 128
LENGTH = 8
BY_RENDERERS = 0.35
"""Share of clips that a renderer stylized; the others are the model's, which is what the refiner will meet."""


@dataclass(frozen=True)
class MovingScene:
    """A clip with its true motion.

    Frames (T, H, W, 3) in [0, 1], their flow to the frame before (T − 1, 2, H, W), and where that was seen (T − 1, H,
    W).
    """

    frames: NDArray[np.float32]
    flows: NDArray[np.float32]
    visible: NDArray[np.bool_]


def moving_scene(rng: np.random.Generator, length: int = LENGTH, side: int = SIDE) -> MovingScene:
    """A picture under a moving camera, behind a second one in a blob that moves on its own."""
    back, front = (random_content(rng, 2 * side) for _ in range(2))
    blob = (smooth_noise(rng, 2 * side, 2 * side, side / 6) > 0.62).astype(np.float32)[..., None]
    cameras = _path(rng, length, side, scale=float(rng.uniform(0.8, 1.5)))
    fronts = _path(rng, length, side, scale=float(rng.uniform(0.8, 1.8)))
    pictures, inside = [], []
    for camera, mover in zip(cameras, fronts, strict=True):
        alpha = sample(blob, mover, side, side)
        pictures.append(sample(back, camera, side, side) * (1 - alpha) + sample(front, mover, side, side) * alpha)
        inside.append(alpha[..., 0] > 0.5)
    flows, visible = [], []
    for t in range(1, length):
        moved = [affine_flow(path[t], path[t - 1], side, side) for path in (fronts, cameras)]
        flow = np.where(inside[t][None], *moved)
        flows.append(flow)
        visible.append(seen_before(flow, inside[t], inside[t - 1]))
    return MovingScene(np.stack(pictures), np.stack(flows).astype(np.float32), np.stack(visible))


def _path(rng: np.random.Generator, length: int, side: int, scale: float) -> list[Affine]:
    """Frame pixel -> pixel of a texture of twice the side: mostly slow, a fifth of them still, a fifth fast."""
    speed = float(rng.choice([0.0, 1.2, 5.0], p=[0.2, 0.6, 0.2]))
    drift, turn, zoom = rng.normal(0, speed, 2), rng.normal(0, 0.004 * speed), rng.normal(0, 0.004 * speed)
    middle, angle = np.array([side / 2, side / 2]), float(rng.uniform(-0.3, 0.3))
    path = []
    for t in range(length):
        # Hand-held: a little of every motion is its own.
        shake = rng.normal(0, 0.15 * speed, 2)
        path.append(similarity(scale * (1 + zoom * t), angle + turn * t, middle, 2 * middle + drift * t + shake))
    return path


def disturbed_renderer(rng: np.random.Generator, frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Every frame by one renderer, disturbed on its own: colour, brightness, coarse noise, phase of its marks."""
    media = sorted(RENDERERS)  # those that need no paintings
    spec = replace(random_spec(rng, media[int(rng.integers(len(media)))]), second="")
    strength = float(rng.uniform(0.3, 1.0))
    chance = Chance.of_seed(int(rng.integers(2**31)), *frames.shape[1:3])
    styled = []
    for frame in frames:
        # The marks hang on the noise: move the picture under it, and they lie elsewhere on it.
        shift = tuple(int(k) for k in rng.integers(0, 1 + round(6 * strength), 2))
        picture = np.roll(render(np.roll(frame, shift, (0, 1)), spec, chance), (-shift[0], -shift[1]), (0, 1))
        gain = 1 + strength * (rng.normal(0, 0.03, 3) + rng.normal(0, 0.03))
        blotches = smooth_noise(rng, frame.shape[0], frame.shape[1], 8.0)[..., None] - 0.5
        styled.append(picture * gain + 0.08 * strength * blotches)
    return np.clip(np.stack(styled), 0, 1).astype(np.float32)


def model_stylized(
    rng: np.random.Generator, pipeline: StyleAVideoPipeline, frames: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The clip by the model, as a job does it before the refiner.

    Half of the clips with keyframes, the others frame by frame; a quarter of both with noise of its own in every frame.
    """
    prompt = caption(random_spec(rng, STYLES[int(rng.integers(len(STYLES)))].name), rng)
    settings = Settings(
        seed=int(rng.integers(2**31)),
        noise="independent" if rng.random() < 0.25 else "shared",
        keyframe_interval=int(rng.integers(3, LENGTH + 1)) if rng.random() < 0.5 else 1,
    )
    clip = [VideoFrame(pixels, k) for k, pixels in enumerate(picture_to_pixels(frames))]
    styled = [frame.pixels for frame in stylized_frames(pipeline, clip, prompt, settings)]
    return (np.stack(styled) / 255).astype(np.float32)


def make_sequences(folder: Path, pipeline: StyleAVideoPipeline, count: int, seed: int) -> None:
    """Write `count` clips under `folder`, `NNNNN.npz` each; those that exist are kept.

    Each depends on (seed, number), on the model, and on this package's code.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [k for k in range(count) if not (folder / f"{k:05d}.npz").exists()]
    for k in track(missing, "making clips"):
        rng = np.random.default_rng((seed, k))
        scene = moving_scene(rng)
        frames = np.round(scene.frames * 255) / np.float32(255)
        styled = (
            disturbed_renderer(rng, frames) if rng.random() < BY_RENDERERS else model_stylized(rng, pipeline, frames)
        )
        flows = scene.flows.astype(np.float16)
        with atomic_path(folder / f"{k:05d}.npz") as partial:
            np.savez(
                partial,
                frames=picture_to_pixels(frames),
                styled=picture_to_pixels(styled),
                flows=flows,
                visible=scene.visible,
            )


@dataclass(frozen=True)
class Sequence:
    """A batch of clips; pictures (B, T, 3, H, W) in [0, 1], flows (B, T − 1, 2, H, W), visible (B, T − 1, 1, H, W)."""

    frames: Tensor
    styled: Tensor
    flows: Tensor
    visible: Tensor


def load_sequences(paths: list[Path]) -> Sequence:
    """The clips of these files as one batch."""
    clips = []
    for path in paths:
        with np.load(path) as stored:
            clips.append({name: torch.from_numpy(stored[name]) for name in stored.files})
    together = {name: torch.stack([clip[name] for clip in clips]) for name in clips[0]}
    frames, styled = (together[name].permute(0, 1, 4, 2, 3).float() / 255 for name in ("frames", "styled"))
    return Sequence(frames, styled, together["flows"].float(), together["visible"].float()[:, :, None])
