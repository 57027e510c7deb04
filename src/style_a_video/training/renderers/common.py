"""What the renderers share: orientation fields, line integral convolution, edge-preserving smoothing, lines, paper.

Pictures are float32 RGB (H, W, 3) in [0, 1]; maps are float32 (H, W). Lengths are pixels of a picture whose short
side is 256 (the bundled model's working size). Grain, paper and the places of marks come from `Chance`, one noise
field for all frames of a video, so that they stay still.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .chance import Chance

Image = NDArray[np.float32]
Map = NDArray[np.float32]
Palette = NDArray[np.float32]
Array = NDArray[Any]
"""Pictures and maps of any float type, on their way to one of the above."""


def clip01(values: Array) -> Image:
    """Values limited to [0, 1], float32, of any shape."""
    return np.clip(values, 0.0, 1.0).astype(np.float32)


def blur(values: Array, sigma: float) -> Array:
    """Gaussian blur of (H, W) or (H, W, C), `sigma` in pixels, float32."""
    return cv2.GaussianBlur(np.asarray(values, np.float32), (0, 0), sigma)


def luminance(image: Image) -> Map:
    """Rec. 601 luma, (H, W)."""
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def saturate(image: Array, factor: float) -> Image:
    """Chroma times `factor` about the luma, (H, W, 3) in [0, 1]."""
    grey = luminance(image.astype(np.float32))[..., None]
    return clip01(grey + (image - grey) * factor)


def stretch(values: Array, low: float = 0.02, high: float = 0.98) -> Array:
    """Quantiles `low` and `high` moved to 0 and 1, no further than doubling the contrast."""
    a, b = np.quantile(values, [low, high])
    if b - a < 0.5:
        middle = (a + b) / 2
        a, b = middle - 0.25, middle + 0.25
    return clip01((values - a) / (b - a))


def exposed(values: Array) -> Array:
    """A gamma that brings the median to the middle, within limits: a dark scene still has something to draw."""
    median = float(np.clip(np.median(values), 0.02, 0.98))
    return np.asarray(values, np.float32) ** np.float32(np.clip(np.log(0.5) / np.log(median), 0.5, 1.4))


def smoothstep(values: Array, low: float | Array, high: float | Array) -> Map:
    """3t² − 2t³ between `low` and `high`, 0 below and 1 above, float32."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def tangent_field(image: Image, sigma: float) -> tuple[Map, Map, Map]:
    """Direction along edges (cos, sin) and anisotropy in [0, 1], from the smoothed structure tensor (Kang et al.)."""
    grey = blur(luminance(image), 0.8)
    gx, gy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    xx, yy, xy = blur(gx * gx, sigma), blur(gy * gy, sigma), blur(gx * gy, sigma)
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    root = np.sqrt((xx - yy) ** 2 + 4 * xy**2)
    return np.cos(angle), np.sin(angle), root / (xx + yy + 1e-4)


def line_integral_convolution(texture: Array, vx: Map, vy: Map, length: int) -> Array:
    """Average `texture` along the direction field, `length` pixels both ways (Cabral and Leedom, 1993).

    The field is a line field (its sign is arbitrary): each step keeps to the half-plane of the step before.
    """
    height, width = vx.shape
    x0, y0 = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    total = np.asarray(texture, np.float32).copy()
    for sign in (1.0, -1.0):
        x, y, px, py = x0.copy(), y0.copy(), sign * vx, sign * vy
        for _ in range(length):
            x, y = x + px, y + py
            total += cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            nx = cv2.remap(vx, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
            ny = cv2.remap(vy, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
            flip = np.where(nx * px + ny * py < 0, np.float32(-1), np.float32(1))
            px, py = nx * flip, ny * flip
    return total / (2 * length + 1)


@lru_cache(maxsize=8)
def _sector_kernels(radius: int, sectors: int = 8) -> tuple[Map, ...]:
    yy, xx = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float32)
    angle, distance = np.arctan2(yy, xx), np.hypot(xx, yy)
    kernels = []
    for k in range(sectors):
        difference = np.angle(np.exp(1j * (angle - 2 * np.pi * k / sectors)))
        weight = np.clip(1.2 - np.abs(difference) * sectors / (2 * np.pi), 0, 1)
        weight = np.where(distance < 0.5, 1.0, weight)
        weight = weight * np.exp(-((distance / (0.55 * radius)) ** 2) / 2) * (distance <= radius)
        kernels.append((weight / weight.sum()).astype(np.float32))
    return tuple(kernels)


def kuwahara(image: Image, radius: int, sharpness: float = 8.0) -> Image:
    """Generalised Kuwahara filter: eight soft sectors, each weighted by how even it is (Papari et al., 2007)."""
    total, weights = np.zeros_like(image), np.zeros((*image.shape[:2], 1), np.float32)
    for kernel in _sector_kernels(radius):
        mean = cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT)
        square = cv2.filter2D(image * image, -1, kernel, borderType=cv2.BORDER_REFLECT)
        deviation = np.sqrt(np.clip(square - mean * mean, 0, None)).sum(axis=2, keepdims=True)
        weight = 1.0 / (1.0 + (40.0 * deviation) ** sharpness)
        weight = weight + 1e-12
        total += mean * weight
        weights += weight
    return clip01(total / weights)


def ink_lines(
    image: Image,
    sigma: float = 1.0,
    length: int = 4,
    strength: float = 18.0,
    threshold: float = 0.01,
    line: float = 1.0,
) -> Map:
    """Flow-based difference of Gaussians (Kang et al., 2007; Winnemöller et al., 2012): 1 where ink is, 0 on paper.

    `line` scales the breadth of the lines; 0 leaves the paper empty.
    """
    if line == 0:
        return np.zeros(image.shape[:2], np.float32)
    sigma = max(0.5, sigma * line)
    grey = luminance(image)
    difference = blur(grey, 1.6 * sigma) - blur(grey, sigma)
    vx, vy, _ = tangent_field(image, 2.0)
    along = line_integral_convolution(difference, vx, vy, length) if length else difference
    threshold = threshold / max(line, 0.7)
    return clip01(np.tanh(np.clip(along - threshold, 0, None) * strength))


def flowing_field(
    chance: Chance, image: Image, sigma: float, noise_sigma: float, turns: float, seed: int
) -> tuple[Map, Map]:
    """Direction of brush strokes: along the forms where there are any, along smooth noise elsewhere.

    The two line fields are blended as doubled angles, since a direction and its opposite are the same stroke.
    """
    vx, vy, anisotropy = tangent_field(image, sigma)
    grey = luminance(image)
    edges = blur(np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)), sigma)
    follow = smoothstep(anisotropy, 0.15, 0.5) * smoothstep(edges, 0.02, 0.10)
    free = chance.smooth(noise_sigma, seed) * turns * 2 * np.pi
    angle = np.arctan2(vy, vx)
    c = follow * np.cos(2 * angle) + (1 - follow) * np.cos(free)
    s = follow * np.sin(2 * angle) + (1 - follow) * np.sin(free)
    angle = 0.5 * np.arctan2(s, c)
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def stroke_paths(seeds: NDArray[np.float32], vx: Map, vy: Map, steps: int, stride: float) -> NDArray[np.float32]:
    """Curves (N, 2·steps + 1, 2) through every seed: `steps` steps of `stride` pixels both ways along the lines."""
    height, width = vx.shape
    halves = []
    for sign in (1.0, -1.0):
        position: Array = seeds.copy()
        half: list[Array] = []
        previous = np.zeros_like(seeds)
        for _ in range(steps):
            column = np.clip(position[:, 0], 0, width - 1).astype(int)
            row = np.clip(position[:, 1], 0, height - 1).astype(int)
            direction = np.stack([vx[row, column], vy[row, column]], axis=1)
            # The first step goes the half's own way; each later one keeps to the half-plane of the step before.
            forward = (direction * previous).sum(1, keepdims=True) if len(half) else np.full((len(seeds), 1), sign)
            direction = np.where(forward < 0, -direction, direction)
            position = position + stride * direction
            half.append(position)
            previous = direction
        halves.append(half)
    return np.stack([*halves[1][::-1], seeds, *halves[0]], axis=1)


def paint_strokes(
    chance: Chance,
    canvas: Image,
    heights: Map,
    colour_of: Image,
    vx: Map,
    vy: Map,
    spacing: float,
    length: float,
    breadth: float,
    tint: float,
    seed: int,
    detail: Map | None = None,
) -> None:
    """Lay curved strokes on `canvas`, in place, in an order left to chance.

    Args:
        heights: gets each stroke's thickness of paint.
        colour_of: where a stroke takes its colour, at its seed.
        spacing, length, breadth: of strokes, in pixels.
        tint: deviation of a stroke's own colour.
        detail: if given, strokes are laid only where it is above 0.5.
    """
    height, width = canvas.shape[:2]
    seeds = chance.points(spacing, 10 * seed)
    near = 0.2 * spacing
    of_channels = np.stack([chance.normal_at(seeds, near, 10 * seed + k) for k in (1, 2, 3)], axis=1)
    tints = tint * (0.6 * of_channels + chance.normal_at(seeds, near, 10 * seed + 4)[:, None])
    paint = 0.3 + 0.7 * chance.uniform_at(seeds, near, 10 * seed + 5)
    steps = max(2, round(length / 8))
    paths = stroke_paths(seeds, vx, vy, steps, length / (2 * steps))
    columns = np.clip(seeds[:, 0], 0, width - 1).astype(int)
    rows = np.clip(seeds[:, 1], 0, height - 1).astype(int)
    picked = np.clip(colour_of[rows, columns] + tints, 0, 1)
    points = np.round(paths * 16).astype(np.int32)
    thickness = max(1, round(breadth))
    for index in np.argsort(chance.normal_at(seeds, near, 10 * seed + 6)):
        if detail is not None and detail[rows[index], columns[index]] < 0.5:
            continue
        curve = [points[index]]
        cv2.polylines(canvas, curve, False, picked[index].tolist(), thickness, cv2.LINE_AA, shift=4)
        cv2.polylines(heights, curve, False, float(paint[index]), thickness, cv2.LINE_AA, shift=4)


def to_palette(image: Image, palette: Palette, softness: float = 0.0) -> Image:
    """Replace each colour by the palette's nearest in Lab; `softness` > 0 blends near ties (Lab units)."""
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    colours = cv2.cvtColor(palette[None].astype(np.float32), cv2.COLOR_RGB2LAB)[0]
    distance = np.stack([np.linalg.norm(lab - colour, axis=2) for colour in colours], axis=-1)
    if softness <= 0:
        return palette[distance.argmin(axis=-1)].astype(np.float32)
    weight = np.exp(-(distance - distance.min(axis=-1, keepdims=True)) / softness)
    return clip01((weight / weight.sum(axis=-1, keepdims=True)) @ palette)


def emboss(height_map: Map, strength: float) -> Map:
    """Light from the upper left on a height map: about 1, brighter on slopes that face it."""
    gx, gy = cv2.Sobel(height_map, cv2.CV_32F, 1, 0), cv2.Sobel(height_map, cv2.CV_32F, 0, 1)
    return 1.0 + strength * np.clip(gx + gy, -1, 1)


def colours(*codes: str) -> Palette:
    """Hexadecimal colours to an (N, 3) palette."""
    return np.array([[int(code[k : k + 2], 16) / 255 for k in (0, 2, 4)] for code in codes], np.float32)
