"""Image analogies (Hertzmann et al., 2001): a picture painted with the strokes of a real painting.

Let A' be a painting, A the same without its strokes (smoothed), B a picture. The analogy B' is to B what A' is to A:
every patch of B' is copied from A' at a place where A looks as B does here and A' fits what is already painted beside
it. The places are a nearest-neighbour field, found coarse to fine by PatchMatch (Barnes et al., 2009).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from .common import Array, Image, clip01

Lab = NDArray[np.float32]
"""(H, W, 3) CIELAB divided by 100."""
Field = NDArray[np.int32]
"""(H, W, 2): row and column of the patch of A' that is copied to each pixel."""

REACH = 2
"""Patches are 5 x 5 pixels."""
LEVELS = 4
GUIDES = np.array([1.6, 1.2, 1.2, 0.5], np.float32)
"""Weights of smoothed L, a, b and of the gradient's strength, beside 1 for the colours painted so far."""
ROUNDS = (4, 3, 3, 2)
"""Of search and vote, at each level from the coarsest."""
SWEEPS = 3
FARTHEST = (10_000, 10_000, 32, 8)
"""Pixels to the farthest random place that is tried, at each level: fine ones keep to what coarse ones found."""
CHANNELS = 7
"""Of what is compared: the colours painted so far, and the guides."""
OCCURRENCE = 0.08
"""Price of a patch per time that it is used beyond its share: without it, skies are one patch over and over."""
SHARPNESS = 1.2
"""Of the vote: a patch's say falls with the squared distance from its middle, so that strokes are not averaged."""
_QUANTILES = np.linspace(0, 1, 65)


@dataclass(frozen=True)
class Painting:
    """A' and A in LEVELS sizes, coarsest first, and the colours of A'."""

    colours: tuple[Lab, ...]
    guides: tuple[Array, ...]
    """(H, W, 4): smoothed L, a, b, and gradient strength."""
    mean: Array
    deviation: Array
    lightness: Array
    """Quantiles of L."""

    @classmethod
    def of(cls, picture: Image, short_side: int) -> Painting:
        """Of a painting, (H, W, 3) RGB in [0, 1]. Its strokes are the larger the larger `short_side`, in pixels."""
        factor = short_side / min(picture.shape[:2])
        interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        full = to_lab(clip01(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=interpolation)))
        plain = smoothed(full)
        sizes = [(full.shape[1] >> k, full.shape[0] >> k) for k in reversed(range(LEVELS))]
        return cls(
            tuple(cv2.resize(full, size, interpolation=cv2.INTER_AREA) for size in sizes),
            tuple(guides_of(cv2.resize(plain, size, interpolation=cv2.INTER_AREA)) for size in sizes),
            full.mean((0, 1)), full.std((0, 1)), np.quantile(full[..., 0], _QUANTILES),
        )  # fmt: skip


def to_lab(picture: Image) -> Lab:
    """RGB in [0, 1] to CIELAB / 100."""
    return cv2.cvtColor(np.ascontiguousarray(picture, np.float32), cv2.COLOR_RGB2LAB) / np.float32(100)


def to_rgb(lab: Lab) -> Image:
    """CIELAB / 100 to RGB in [0, 1]."""
    return clip01(cv2.cvtColor(lab * np.float32(100), cv2.COLOR_LAB2RGB))


def smoothed(lab: Lab) -> Lab:
    """Without strokes and grain: three passes of a bilateral filter."""
    for _ in range(3):
        lab = cv2.bilateralFilter(lab, 7, 0.09, 4)
    return lab


def guides_of(plain: Lab) -> Array:
    """What patches of A and B are compared by, (H, W, 4)."""
    slope = np.hypot(cv2.Sobel(plain[..., 0], cv2.CV_32F, 1, 0), cv2.Sobel(plain[..., 0], cv2.CV_32F, 0, 1)) / 4
    return np.concatenate([plain, slope[..., None]], axis=2) * GUIDES


def drawn_towards(plain: Lab, painting: Painting, light: float, chroma: float) -> Lab:
    """The picture's light drawn by `light` towards the painting's histogram, its a and b by `chroma` towards the
    painting's mean and deviation."""
    out = plain.copy()
    own = np.quantile(plain[..., 0], _QUANTILES) + 1e-6 * np.arange(len(_QUANTILES))
    out[..., 0] += light * (np.interp(plain[..., 0], own, painting.lightness) - plain[..., 0])
    for k in (1, 2):
        mean, deviation = plain[..., k].mean(), plain[..., k].std() + 1e-4
        moved = (plain[..., k] - mean) * min(painting.deviation[k] / deviation, 2.5) + painting.mean[k]
        out[..., k] += chroma * (moved - plain[..., k])
    return out


def analogy(
    picture: Image, painting: Painting, seed: int, light: float = 0.6, chroma: float = 0.5, keep: float = 0.4
) -> Image:
    """`picture` painted as `painting` is, (H, W, 3) in [0, 1]; sides divisible by 2^(LEVELS - 1).

    Args:
        seed: of the search; another one is another painting of the same picture.
        light, chroma: how far the picture's colours are drawn towards the painting's, in [0, 1].
        keep: share of the picture's own light that is given back at the size of shapes, so that faces stay.
    """
    plain = drawn_towards(smoothed(to_lab(picture)), painting, light, chroma)
    rng = np.random.default_rng(seed)
    state = np.uint32(rng.integers(1, 2**32))
    height, width = picture.shape[:2]
    field: Field | None = None
    for k, (colours, guides) in enumerate(zip(painting.colours, painting.guides, strict=True)):
        shift = LEVELS - 1 - k
        small = cv2.resize(plain, (width >> shift, height >> shift), interpolation=cv2.INTER_AREA)
        wanted = _padded(guides_of(small))
        shape, source = wanted.shape[:2], colours.shape[:2]
        field = _random_field(rng, shape, source) if field is None else _finer(field, shape, source)
        known = _flat(colours, guides)
        painted = _vote(colours, field, SHARPNESS)
        for _ in range(ROUNDS[k]):
            used = _use(field, source)
            searched = _flat(painted, wanted)
            cost = _costs(known, searched, field, used)
            for sweep in range(SWEEPS):
                state = np.uint32(_sweep(known, searched, field, cost, used, state, sweep % 2 == 1, FARTHEST[k]))
            painted = _vote(colours, field, SHARPNESS)
    painted = painted[REACH:-REACH, REACH:-REACH].copy()
    painted[..., 0] += keep * cv2.GaussianBlur(plain[..., 0] - painted[..., 0], (0, 0), 3.0)
    return to_rgb(painted)


def _padded(values: Array) -> Array:
    return np.pad(values, ((REACH, REACH), (REACH, REACH), (0, 0)), mode="reflect").astype(np.float32)


def _flat(colours: Array, guides: Array) -> Array:
    """(H, W * CHANNELS)."""
    return np.concatenate([colours, guides], axis=2).reshape(colours.shape[0], -1).astype(np.float32)


def _random_field(rng: np.random.Generator, shape: tuple[int, ...], source: tuple[int, ...]) -> Field:
    return np.stack([rng.integers(REACH, side - REACH, shape) for side in source], axis=2).astype(np.int32)


def _finer(field: Field, shape: tuple[int, ...], source: tuple[int, ...]) -> Field:
    """The field for twice the size."""
    at = np.moveaxis(np.mgrid[0 : shape[0], 0 : shape[1]], 0, 2) - REACH
    rows, columns = (np.clip(at[..., k] // 2 + REACH, REACH, field.shape[k] - 1 - REACH) for k in range(2))
    doubled = 2 * field[rows, columns] + at % 2
    return np.clip(doubled, REACH, np.array(source) - 1 - REACH).astype(np.int32)


def _use(field: Field, source: tuple[int, ...]) -> Array:
    """Price of every patch of the painting, by how often it is used; its share costs OCCURRENCE."""
    inner = field[REACH:-REACH, REACH:-REACH]
    flat = (inner[..., 0] * source[1] + inner[..., 1]).ravel()
    count = np.bincount(flat, minlength=source[0] * source[1]).reshape(source).astype(np.float32)
    side = 2 * REACH + 1
    return cv2.blur(count, (side, side)) * np.float32(OCCURRENCE * source[0] * source[1] / len(flat))


@njit(cache=True, fastmath=True, inline="always")
def _distance(known: Array, searched: Array, y: int, x: int, v: int, u: int, limit: np.float32) -> np.float32:
    """Squared distance of two patches, or something above `limit`. A patch's row is one run of numbers."""
    total = np.float32(0)
    here, there = (x - REACH) * CHANNELS, (u - REACH) * CHANNELS
    for dy in range(-REACH, REACH + 1):
        one, other = known[v + dy], searched[y + dy]
        for k in range((2 * REACH + 1) * CHANNELS):
            difference = one[there + k] - other[here + k]
            total += difference * difference
        if total > limit:
            break
    return total


@njit(cache=True, fastmath=True)
def _costs(known: Array, searched: Array, field: Field, used: Array) -> Array:
    height, width = field.shape[:2]
    cost = np.zeros((height, width), np.float32)
    for y in range(REACH, height - REACH):
        for x in range(REACH, width - REACH):
            v, u = field[y, x, 0], field[y, x, 1]
            cost[y, x] = used[v, u] + _distance(known, searched, y, x, v, u, np.float32(1e30))
    return cost


@njit(cache=True)
def _next(state: np.uint32) -> np.uint32:
    """Xorshift (Marsaglia, 2003)."""
    state = np.uint32(state ^ np.uint32(state << np.uint32(13)))
    state = np.uint32(state ^ np.uint32(state >> np.uint32(17)))
    return np.uint32(state ^ np.uint32(state << np.uint32(5)))


@njit(cache=True, fastmath=True)
def _sweep(
    known: Array, searched: Array, field: Field, cost: Array, used: Array, state: np.uint32, backwards: bool,
    farthest: int,
) -> np.uint32:  # fmt: skip
    """One sweep of PatchMatch, in place: what the neighbours copy, then random places in ever smaller squares."""
    height, width = cost.shape
    rows, columns = used.shape
    step = -1 if backwards else 1
    largest = min(farthest, max(rows, columns))
    for row in range(REACH, height - REACH):
        y = height - 1 - row if backwards else row
        for column in range(REACH, width - REACH):
            x = width - 1 - column if backwards else column
            best, best_v, best_u = cost[y, x], field[y, x, 0], field[y, x, 1]
            radius = 4 * largest  # the first two candidates are the neighbours'
            while radius >= 1:
                if radius > 2 * largest:
                    v, u = field[y - step, x, 0] + step, field[y - step, x, 1]
                    inside = REACH <= y - step < height - REACH
                elif radius > largest:
                    v, u = field[y, x - step, 0], field[y, x - step, 1] + step
                    inside = REACH <= x - step < width - REACH
                else:
                    span = np.uint32(2 * radius + 1)
                    state = _next(state)
                    v = best_v + np.int32(state % span) - radius
                    state = _next(state)
                    u = best_u + np.int32(state % span) - radius
                    inside = True
                radius //= 2
                inside = inside and REACH <= v < rows - REACH and REACH <= u < columns - REACH
                if inside and used[v, u] < best:
                    price = used[v, u]
                    total = price + _distance(known, searched, y, x, v, u, best - price)
                    if total < best:
                        best, best_v, best_u = total, v, u
            cost[y, x], field[y, x, 0], field[y, x, 1] = best, best_v, best_u
    return state


@njit(cache=True, fastmath=True)
def _vote(colours: Lab, field: Field, sharpness: float) -> Lab:
    """The mean of all patches that lie over a pixel."""
    height, width = field.shape[:2]
    total = np.zeros((height, width, 3), np.float32)
    weights = np.zeros((height, width), np.float32)
    for y in range(REACH, height - REACH):
        for x in range(REACH, width - REACH):
            v, u = field[y, x, 0], field[y, x, 1]
            for dy in range(-REACH, REACH + 1):
                for dx in range(-REACH, REACH + 1):
                    weight = np.float32(np.exp(-sharpness * (dy * dy + dx * dx)))
                    weights[y + dy, x + dx] += weight
                    for c in range(3):
                        total[y + dy, x + dx, c] += weight * colours[v + dy, u + dx, c]
    for y in range(height):
        for x in range(width):
            for c in range(3):
                total[y, x, c] /= weights[y, x]
    return total
