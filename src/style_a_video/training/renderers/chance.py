"""Where chance enters a picture: where marks lie and how they differ is read off the noise that the UNet starts from.

Why: a mark could as well lie elsewhere, and squared error then asks a model for the mean of all places, which is a
blur. If instead the place is a function of the noise beside it, the model can know it: it draws whole marks in one
step, noise that is carried along the flow carries the coarse ones along, and fresh noise is a fresh painting. All
functions here are local and (but for `on_grid`) the same in every cell, so a convolution can learn them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Map = NDArray[np.float32]
Points = NDArray[np.float32]
"""(N, 2), x first, in pixels."""

CELL = 4
"""Pixels of a picture to a side of one latent."""
CHANNELS = 12
"""Channels of the bundled model's latents, and number of fields: each has a channel of its own."""
COARSE_SHARE = 0.5
"""Weight of a field's own channel in each of its pixels; the rest is fine, and different in every pixel of a cell."""
_Z_99 = 2.326
"""Of a standard normal value 99 % are below it."""


@dataclass(frozen=True)
class Chance:
    """Fields and points of a picture of `height` x `width` pixels, read off noise.

    Args:
        noise: (C, h, w), standard normal, at a quarter of the picture's size. Fields of different seeds (modulo C) are
            independent where they are coarse, and nearly so where they are fine.

    Raises:
        ValueError: when the noise does not cover the picture.
    """

    noise: NDArray[np.float32]
    height: int
    width: int

    def __post_init__(self) -> None:
        wanted = (CHANNELS, -(-self.height // CELL), -(-self.width // CELL))
        if self.noise.shape != wanted:
            raise ValueError(f"noise is {self.noise.shape}: a picture of {self.height}x{self.width} has {wanted}")

    @classmethod
    def of_seed(cls, seed: int, height: int, width: int) -> Chance:
        """Chance of a picture that was made from no noise of a model's."""
        shape = (CHANNELS, -(-height // CELL), -(-width // CELL))
        # A stream of its own: the pairs' noise has the seeds (seed, row, column).
        rng = np.random.default_rng((seed, 0, 0, 1))
        return cls(rng.standard_normal(shape, dtype=np.float32), height, width)

    def white(self, seed: int) -> Map:
        """A standard normal value a pixel: each pixel of a cell mixes the cell's C values in its own way."""
        field = np.einsum("yxc,chw->hywx", _mixing()[seed % CHANNELS], self.noise)
        rows, columns = (CELL * side for side in self.noise.shape[1:])
        return np.ascontiguousarray(field.reshape(rows, columns)[: self.height, : self.width])

    def normal(self, sigma: float | tuple[float, float], seed: int) -> Map:
        """Standard normal values, blurred with `sigma` pixels (or along x, along y) and brought back to deviation 1."""
        return _blurred(self.white(seed), sigma) / _deviation(sigma, seed % CHANNELS)

    def smooth(self, sigma: float | tuple[float, float], seed: int) -> Map:
        """Smooth noise in [0, 1]."""
        return np.clip(0.5 + self.normal(sigma, seed) / (2 * _Z_99), 0, 1).astype(np.float32)

    def paper(self, seed: int) -> Map:
        """Paper tooth in [0, 1]: two scales of noise."""
        return 0.6 * self.smooth(0.8, seed) + 0.4 * self.smooth(2.5, seed + 1)

    def points(self, spacing: float, seed: int) -> Points:
        """Points some `spacing` pixels apart, where smooth noise is highest in a square about them; one at least."""
        field, side = self.white(seed), max(2, round(0.93 * spacing))
        if spacing >= 4:
            # A border of zeros: a mirrored one would make every ridge that leaves the picture a peak on its edge.
            field = np.asarray(
                cv2.GaussianBlur(field, (0, 0), 0.18 * spacing, borderType=cv2.BORDER_CONSTANT), np.float32
            )
            side = round(0.62 * spacing)
        highest = cv2.dilate(field, np.ones((side, side), np.uint8))
        rows, columns = np.nonzero(field == highest)
        if not len(rows):
            rows, columns = np.array([self.height // 2]), np.array([self.width // 2])
        return np.stack([columns, rows], axis=1).astype(np.float32)

    def normal_at(self, points: Points, sigma: float, seed: int) -> NDArray[np.float32]:
        """A standard normal value for every point, (N,); it hardly changes within `sigma` pixels.

        Not of the seed that the points are of: peaks are not normal.
        """
        columns = np.clip(np.round(points[:, 0]), 0, self.width - 1).astype(int)
        rows = np.clip(np.round(points[:, 1]), 0, self.height - 1).astype(int)
        return self.normal(max(sigma, 0.5), seed)[rows, columns]

    def uniform_at(self, points: Points, sigma: float, seed: int) -> NDArray[np.float32]:
        """A value in [0, 1] for every point, (N,), all equally likely."""
        return ndtr(self.normal_at(points, sigma, seed)).astype(np.float32)

    def wave_phase(self, degrees: float, period: float, seed: int) -> Map:
        """Phase in radians of parallel waves that stay in step for some periods.

        It is the angle of the noise filtered by a complex Gabor kernel; `degrees` is the direction across the waves.
        """
        real, imaginary = _gabor(round(degrees, 2), round(period, 2))
        white = self.white(seed)
        parts = [cv2.filter2D(white, -1, kernel, borderType=cv2.BORDER_REFLECT) for kernel in (real, imaginary)]
        return np.arctan2(parts[1], parts[0])


def on_grid(length: float) -> int:
    """The power of two nearest to `length` pixels, at least a cell: the only periods whose begin the UNet can tell."""
    return max(CELL, 2 ** round(np.log2(length)))


@lru_cache(maxsize=1)
def _mixing() -> Map:
    """Unit vectors (fields, CELL, CELL, channels) that mix the noise into fields.

    COARSE_SHARE is of the field's own channel. The rest is of the others, differs in every pixel, and cancels over
    the cell: seen from afar a field is its channel.
    """
    rng = np.random.default_rng(0)
    fields = np.zeros((CHANNELS, CELL * CELL, CHANNELS))
    for own in range(CHANNELS):
        others = rng.standard_normal((CELL * CELL, CHANNELS))
        for _ in range(50):
            others[:, own] = 0
            others -= others.mean(axis=0)
            others /= np.linalg.norm(others, axis=1, keepdims=True)
        fields[own] = np.sqrt(1 - COARSE_SHARE**2) * others
        fields[own, :, own] = COARSE_SHARE
    return fields.reshape(CHANNELS, CELL, CELL, CHANNELS).astype(np.float32)


def _blurred(values: Map, sigma: float | tuple[float, float]) -> Map:
    along = sigma if isinstance(sigma, tuple) else (sigma, sigma)
    return np.asarray(cv2.GaussianBlur(values, (0, 0), along[0], sigmaY=along[1]), np.float32)


@lru_cache(maxsize=4096)
def _deviation(sigma: float | tuple[float, float], seed: int) -> float:
    """Of blurred white noise: of a wide blur in closed form, of a narrow one as found on a large field."""
    along = sigma if isinstance(sigma, tuple) else (sigma, sigma)
    if min(along) >= CELL:
        # Cells count as points of variance (Σ q)², CELL⁻² of them a pixel, under ∫ g² = 1 / (4 π σ_x σ_y).
        return float(COARSE_SHARE * CELL / np.sqrt(4 * np.pi * along[0] * along[1]))
    side = 128
    noise = np.random.default_rng(0).standard_normal((CHANNELS, side, side), dtype=np.float32)
    return float(_blurred(Chance(noise, CELL * side, CELL * side).white(seed), sigma).std())


@lru_cache(maxsize=64)
def _gabor(degrees: float, period: float) -> tuple[Map, Map]:
    across, along = 1.4 * period, 2.5 * period
    half = round(2.2 * along)
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    angle = np.deg2rad(degrees)
    u, v = np.cos(angle) * x + np.sin(angle) * y, -np.sin(angle) * x + np.cos(angle) * y
    envelope = np.exp(-((u / across) ** 2 + (v / along) ** 2) / 2)
    # The kernel is correlated, not convolved: a positive frequency here makes the phase grow along u.
    wave = 2 * np.pi * u / period
    return (envelope * np.cos(wave)).astype(np.float32), (-envelope * np.sin(wave)).astype(np.float32)
