"""Exercises in reading the noise: pictures that show nothing but where a teacher's marks would lie.

Why: to place a mark the UNet must find peaks, phases and regions of the noise. From pictures alone that is learnt
late, since each medium is a small share of them and its marks a small share of its error. These show the fields and
points that the media use at their usual scale, with no picture in the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from numpy.typing import NDArray
from rich.progress import track
from scipy.spatial import cKDTree

from ..atomic import atomic_path
from ..devices import autocast
from ..frames import picture_to_pixels
from .pairs import ALIGNMENT, SIZE, noise_of, to_model
from .teachers import Chance, Image
from .teachers.chance import CELL
from .teachers.common import Array, clip01, smoothstep
from .teachers.craft import cells
from .teachers.drawing import hatching

Exercise = Callable[[Chance], Image]
FIRST_COLUMN = 1000
"""Columns of noise from here on are exercises', not media's."""


def borders(spacing: float, seed: int) -> Exercise:
    """Dark borders of cells."""

    def draw(chance: Chance) -> Image:
        _, border = cells(chance.points(spacing, seed), chance.height, chance.width)
        return _grey(smoothstep(border, 0.5, 0.5 + 0.1 * spacing))

    return draw


def waves(degrees: float, period: float, seed: int) -> Exercise:
    """Parallel lines."""

    def draw(chance: Chance) -> Image:
        return _grey(0.5 + 0.5 * np.cos(chance.wave_phase(degrees, period, seed)))

    return draw


def dots(spacing: float, radius: float, seed: int) -> Exercise:
    """Dots on black, each of a grey of its own."""

    def draw(chance: Chance) -> Image:
        points = chance.points(spacing, seed)
        y, x = np.mgrid[0 : chance.height, 0 : chance.width]
        distance, nearest = cKDTree(points).query(np.stack([x, y], axis=-1).reshape(-1, 2))
        inside = smoothstep(radius - distance.reshape(x.shape), -0.5, 0.5)
        return _grey(
            inside * (0.3 + 0.7 * chance.uniform_at(points, 0.2 * spacing, seed + 1)[nearest.reshape(x.shape)])
        )

    return draw


def tints(chance: Chance) -> Image:
    """Cells filled with a value of their own: of three sizes, as red, green and blue."""
    planes = []
    for spacing, seed in ((12.0, 151), (7.0, 121), (36.0, 141)):
        points = chance.points(spacing, seed)
        labels, _ = cells(points, chance.height, chance.width)
        planes.append(chance.uniform_at(points, 0.17 * spacing, seed + 1)[labels])
    return np.stack(planes, axis=2)


def grain(chance: Chance) -> Image:
    """Grain, tooth and clouds, as red, green and blue."""
    return np.stack([chance.smooth(0.8, 73), chance.smooth(2.5, 74), chance.smooth(7.0, 77)], axis=2)


def strokes(chance: Chance) -> Image:
    """Hatching in three directions, as red, green and blue."""
    kinds = ((-50, 71, 10, 0.7), (25, 72, 10, 0.7), (-60, 82, 6, 1.0))
    return np.stack([hatching(chance, *kind) for kind in kinds], axis=2)


def _grey(plane: Array) -> Image:
    """Fine marks are grey: three of them at once, as colours, are more than the first stage can hold."""
    return clip01(np.repeat(plane[..., None], 3, axis=2))


EXERCISES: dict[str, Exercise] = {
    "exercise in large borders": borders(20.0, 110), "exercise in small borders": borders(7.0, 121),
    "exercise in waves": waves(80.0, 4.6, 290), "exercise in slanting waves": waves(50.0, 5.2, 278),
    "exercise in dots": dots(6.0, 2.6, 410), "exercise in tints": tints, "exercise in grain": grain,
    "exercise in hatching": strokes,
}  # fmt: skip
"""By the sentence that asks for them, which nobody would say of a picture. Seeds and lengths are those of the media."""


@dataclass(frozen=True)
class Exercises:
    """Latents (N, kinds, C, h, w) float16 of exercises, with the noise of pairs' columns from FIRST_COLUMN on."""

    latents: NDArray[np.float16]
    seed: int

    def window(self, rng: np.random.Generator, size: int) -> tuple[NDArray[np.float32], NDArray[np.float32], str]:
        """A random window: latents and noise (C, size, size), and the sentence that asks for its kind.

        Its corner is a multiple of ALIGNMENT.
        """
        row, kind = (int(rng.integers(count)) for count in self.latents.shape[:2])
        top, left = (ALIGNMENT * int(rng.integers((side - size) // ALIGNMENT + 1)) for side in self.latents.shape[-2:])
        there = np.s_[:, top : top + size, left : left + size]
        noise = noise_of(self.seed, row, FIRST_COLUMN + kind)[there]
        return self.latents[row, kind][there].astype(np.float32), noise, list(EXERCISES)[kind]


@torch.no_grad()
def make_exercises(vae: AutoencoderTiny, path: Path, count: int, seed: int) -> Exercises:
    """Draw and encode `count` exercises of every kind into `path`; kept when complete."""
    shape = (count, len(EXERCISES), vae.config.latent_channels, SIZE // CELL, SIZE // CELL)
    if not path.exists() or np.load(path, mmap_mode="r").shape != shape:
        device = next(vae.parameters()).device
        with atomic_path(path) as partial:
            latents = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float16, shape=shape)
            for row in track(range(count), "drawing exercises"):
                chances = [Chance(noise_of(seed, row, FIRST_COLUMN + k), SIZE, SIZE) for k in range(len(EXERCISES))]
                pictures = np.stack([draw(chance) for draw, chance in zip(EXERCISES.values(), chances, strict=True)])
                with autocast(device):
                    modes = vae.encode(to_model(picture_to_pixels(pictures)).to(device)).latents
                latents[row] = modes.float().cpu().numpy().astype(np.float16)
            latents.flush()
            del latents  # so that the file is closed where an open one cannot be renamed
    return Exercises(np.load(path, mmap_mode="r"), seed)
