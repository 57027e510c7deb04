"""Pictures to train on: photographs, cut-outs and paintings of `material`, photographs in Python packages, scenes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .material import PAINTINGS, Material

Image = NDArray[np.float32]
"""(H, W, 3) RGB in [0, 1]."""

TRAINING_PHOTOGRAPHS = (
    "astronaut", "brick", "camera", "cell", "chelsea", "coffee", "color", "grass", "gravel", "hubble_deep_field", "ihc",
    "moon", "motorcycle_left", "retina", "page", "china", "flower", "grace_hopper",
)  # fmt: skip
HELD_OUT_PHOTOGRAPHS = ("rocket", "coins", "clock_motion")
_WEIGHTS = {"astronaut": 4, "chelsea": 4, "coffee": 3, "china": 4, "flower": 3, "grace_hopper": 4, "motorcycle_left": 3}


@lru_cache(maxsize=1)
def photographs() -> dict[str, Image]:
    """Photographs inside scikit-image, scikit-learn and matplotlib, by name, short side at most 720 pixels."""
    import matplotlib
    import skimage
    import sklearn

    folders = (
        Path(skimage.__file__).parent / "data",
        Path(sklearn.__file__).parent / "datasets" / "images",
        Path(matplotlib.get_data_path()) / "sample_data",
    )
    found: dict[str, Image] = {}
    for folder in folders:
        for path in sorted(folder.glob("*")):
            if path.stem in TRAINING_PHOTOGRAPHS + HELD_OUT_PHOTOGRAPHS and path.suffix in (".png", ".jpg"):
                pixels = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
                scale = min(1.0, 720 / min(pixels.shape[:2]))
                pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
                found[path.stem] = (pixels / 255.0).astype(np.float32)
    return found


def random_content(rng: np.random.Generator, size: int = 256, material: Material | None = None) -> Image:
    """One training picture, (size, size, 3) in [0, 1], with random colour changes.

    A photograph's crop (64 %), things cut out and set before a photograph (16 %; without `material` photographs cut
    into overlapping leaves), a crop of a painting (4 %; as before), or a generated scene.
    """
    kind = rng.random()
    if kind < 0.64:
        picture = photograph_crop(rng, size, material=material)
    elif kind < 0.80:
        picture = still_life(rng, size, material) if material else dead_leaves(rng, size, textured=True)
    elif kind < 0.84:
        picture = painting_crop(rng, size, material) if material else dead_leaves(rng, size, textured=True)
    elif kind < 0.89:
        picture = dead_leaves(rng, size, textured=True)
    elif kind < 0.94:
        picture = landscape(rng, size)
    elif kind < 0.98:
        picture = lit_solids(rng, size)
    else:
        picture = dead_leaves(rng, size, textured=False)
    return colour_jitter(rng, picture)


PACKAGED_SHARE = 0.15
"""Of crops where there is `material`: the packages' photographs are few, but have faces."""


def photograph_crop(
    rng: np.random.Generator,
    size: int,
    names: tuple[str, ...] = TRAINING_PHOTOGRAPHS,
    material: Material | None = None,
) -> Image:
    """A random square of a random photograph, mirrored half the time."""
    if material and rng.random() >= PACKAGED_SHARE:
        paths = material.photographs()
        return random_square(rng, material.read(paths[int(rng.integers(len(paths)))]), size, 0.5)
    weights = np.array([_WEIGHTS.get(name, 1) for name in names], dtype=np.float64)
    return random_square(rng, photographs()[names[int(rng.choice(len(names), p=weights / weights.sum()))]], size, 0.34)


def painting_crop(rng: np.random.Generator, size: int, material: Material) -> Image:
    """A random square of one of the paintings that media are imitated from."""
    paths = [path for medium in PAINTINGS for path in material.files(f"paintings/{medium}")]
    return random_square(rng, material.read(paths[int(rng.integers(len(paths)))]), size, 0.5)


def random_square(rng: np.random.Generator, picture: Image, size: int, smallest: float) -> Image:
    """A square of `smallest` to all of the short side, resized to `size`, mirrored half the time."""
    height, width = picture.shape[:2]
    side = int(min(height, width) * rng.uniform(smallest, 1.0))
    top, left = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
    crop = picture[top : top + side, left : left + side]
    crop = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_CUBIC)
    return np.clip(crop[:, ::-1] if rng.random() < 0.5 else crop, 0.0, 1.0).astype(np.float32)


def still_life(rng: np.random.Generator, size: int, material: Material) -> Image:
    """One to three cut-out things or animals before a photograph or a plain ground, each with a soft shadow."""
    ground = photograph_crop(rng, size, material=material) if rng.random() < 0.75 else _gradient(rng, size)
    canvas = cv2.GaussianBlur(np.asarray(ground, np.float32), (0, 0), rng.uniform(0.5, 3.0))
    paths = material.files("cutouts")
    for _ in range(int(rng.integers(1, 4))):
        thing = material.read(paths[int(rng.integers(len(paths)))])
        factor = size * rng.uniform(0.35, 0.95) / max(thing.shape[:2])
        thing = cv2.resize(thing, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        if rng.random() < 0.5:
            thing = thing[:, ::-1]
        height, width = thing.shape[:2]
        layer = np.zeros((size, size, 4), np.float32)
        top = int(rng.integers(0, max(1, size - height + 1)))
        left = int(rng.integers(-width // 4, max(1, size - 3 * width // 4)))
        rows, columns = slice(top, min(size, top + height)), slice(max(0, left), min(size, left + width))
        layer[rows, columns] = thing[: rows.stop - top, columns.start - left : columns.stop - left]
        alpha = np.clip(layer[..., 3:], 0, 1)
        shadow = cv2.GaussianBlur(np.roll(alpha[..., 0], (size // 40, size // 60), (0, 1)), (0, 0), size / 50)
        canvas = canvas * (1 - 0.45 * shadow[..., None] * (1 - alpha))
        canvas = canvas * (1 - alpha) + layer[..., :3] * alpha
    return np.clip(canvas, 0, 1).astype(np.float32)


def colour_jitter(rng: np.random.Generator, picture: Image) -> Image:
    """Random hue, saturation, gamma, contrast and white balance: small changes mostly, large ones sometimes."""
    hsv = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2HSV)
    hue_range = 180.0 if rng.random() < 0.12 else 15.0
    hsv[..., 0] = np.mod(hsv[..., 0] + rng.uniform(-hue_range, hue_range), 360.0)
    hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.5, 1.5), 0.0, 1.0)
    picture = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    picture = np.clip(picture, 1e-4, 1.0) ** rng.uniform(0.65, 1.5)
    contrast, brightness = rng.uniform(0.75, 1.25), rng.uniform(-0.08, 0.08)
    picture = (picture - 0.5) * contrast + 0.5 + brightness
    white_balance = rng.uniform(0.92, 1.08, size=3)
    return np.clip(picture * white_balance, 0.0, 1.0).astype(np.float32)


def dead_leaves(rng: np.random.Generator, size: int, textured: bool) -> Image:
    """Overlapping discs, boxes and polygons, radii drawn from a power law (Lee, Mumford and Huang, 2001).

    They are filled with plain colours and gradients, or with photographs.
    """
    canvas = photograph_crop(rng, size) if textured else _gradient(rng, size)
    for radius in np.sort(_power_law_radii(rng, count=int(rng.integers(6, 40)), smallest=size / 28, largest=size / 3))[
        ::-1
    ]:
        mask = np.zeros((size, size), np.float32)
        centre = rng.uniform(0, size, 2)
        kind = rng.integers(3)
        corners = {0: 24, 1: 4, 2: int(rng.integers(3, 8))}[int(kind)]
        angles = np.sort(rng.uniform(0, 2 * np.pi, corners)) if kind == 2 else np.arange(corners) * 2 * np.pi / corners
        angles = angles + rng.uniform(0, 2 * np.pi)
        points = centre + radius * np.stack([np.cos(angles), np.sin(angles) * rng.uniform(0.4, 1.0)], axis=1)
        cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 1.0, lineType=cv2.LINE_AA, shift=4)
        fill = photograph_crop(rng, size) if textured and rng.random() < 0.6 else _gradient(rng, size)
        shade = 1.0 - 0.35 * cv2.GaussianBlur(mask, (0, 0), max(2.0, radius / 8))[..., None] * rng.random()
        canvas = canvas * shade * (1 - mask[..., None]) + fill * mask[..., None]
    return np.clip(canvas, 0.0, 1.0).astype(np.float32)


def landscape(rng: np.random.Generator, size: int) -> Image:
    """A sky with a sun, fractal mountain ridges fading into haze, a foreground, and trees."""
    y = np.linspace(0, 1, size, dtype=np.float32)[:, None, None]
    top, horizon, near = (_colour(rng, *span) for span in ((0.3, 0.9), (0.6, 1.0), (0.05, 0.5)))
    canvas = np.broadcast_to(top * (1 - y) + horizon * y, (size, size, 3)).copy()
    sun = rng.uniform([0.1, 0.05], [0.9, 0.5]) * size
    yy, xx = np.mgrid[0:size, 0:size]
    distance = np.hypot(xx - sun[0], yy - sun[1])
    glow = np.exp(-distance / (0.15 * size)) * 0.5 + (distance < rng.uniform(6, 22))
    canvas += glow[..., None] * np.array([1.0, 0.9, 0.6]) * 0.5
    clouds = smooth_noise(rng, size, size, sigma=size / 18)
    canvas += np.clip(clouds - 0.6, 0, 1)[..., None] * 0.25 * (1 - y)
    ridges = int(rng.integers(2, 6))
    for k in range(ridges):
        depth = (k + 1) / ridges
        line = (0.35 + 0.5 * depth) * size + _fractal_line(rng, size) * size * 0.14
        mask = np.clip(yy - line[None, :], 0, 1)[..., None]
        texture = 1 + 0.25 * depth * (smooth_noise(rng, size, size, sigma=1.5) - 0.5)[..., None]
        canvas = canvas * (1 - mask) + (horizon * (1 - depth) + near * depth) * texture * mask
    for _ in range(int(rng.integers(0, 12))):
        x, base, height = rng.uniform(0, size), rng.uniform(0.6, 1.0) * size, rng.uniform(0.08, 0.3) * size
        points = np.array([[x, base - height], [x - height / 4, base], [x + height / 4, base]])
        cv2.fillPoly(canvas, [points.astype(np.int32)], (_colour(rng, 0.05, 0.35)).tolist(), lineType=cv2.LINE_AA)
    return np.clip(canvas, 0.0, 1.0).astype(np.float32)


def lit_solids(rng: np.random.Generator, size: int) -> Image:
    """Spheres with diffuse light, a highlight and a cast shadow, on a ground before a wall."""
    canvas = np.where(
        np.arange(size)[:, None, None] < size * rng.uniform(0.3, 0.7), _gradient(rng, size), _gradient(rng, size)
    )
    light = rng.normal(size=3) + np.array([0, -0.8, 1.5])
    light /= np.linalg.norm(light)
    yy, xx = np.mgrid[0:size, 0:size].astype(np.float32)
    for _ in range(int(rng.integers(2, 8))):
        cx, cy, radius = rng.uniform(0, size), rng.uniform(0.3, 0.9) * size, rng.uniform(0.06, 0.25) * size
        shadow = np.exp(-(((xx - cx + light[0] * radius) / radius) ** 2 + ((yy - cy - radius) / (0.35 * radius)) ** 2))
        canvas = canvas * (1 - 0.55 * shadow[..., None])
        nx, ny = (xx - cx) / radius, (yy - cy) / radius
        inside = np.clip((1 - np.hypot(nx, ny)) * radius, 0, 1)
        nz = np.sqrt(np.clip(1 - nx**2 - ny**2, 0, 1))
        diffuse = np.clip(nx * light[0] + ny * light[1] + nz * light[2], 0, 1)
        fill = photograph_crop(rng, size) if rng.random() < 0.3 else _colour(rng, 0.15, 1.0)
        surface = fill * (0.25 + 0.8 * diffuse[..., None]) + (diffuse**24 * 0.7)[..., None]
        canvas = canvas * (1 - inside[..., None]) + surface * inside[..., None]
    return np.clip(canvas, 0.0, 1.0).astype(np.float32)


def smooth_noise(rng: np.random.Generator, height: int, width: int, sigma: float) -> Image:
    """Gaussian-filtered noise stretched to [0, 1], (height, width)."""
    noise = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), sigma)
    low, high = np.quantile(noise, [0.01, 0.99])
    return np.clip((noise - low) / (high - low + 1e-8), 0.0, 1.0).astype(np.float32)


def _power_law_radii(rng: np.random.Generator, count: int, smallest: float, largest: float) -> NDArray[np.float64]:
    """Radii with density r⁻³ between the two ends."""
    u = rng.random(count)
    return 1.0 / np.sqrt(u / largest**2 + (1 - u) / smallest**2)


def _colour(rng: np.random.Generator, low: float, high: float) -> NDArray[np.float64]:
    return rng.uniform(low, high, size=3)


def _gradient(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    angle = rng.uniform(0, 2 * np.pi)
    yy, xx = np.mgrid[0:size, 0:size] / size - 0.5
    ramp = (np.clip((np.cos(angle) * xx + np.sin(angle) * yy) + 0.5, 0, 1))[..., None]
    first: Any = _colour(rng, 0, 1)
    second = np.clip(first + rng.normal(0, 0.15, 3), 0, 1)
    return first * (1 - ramp) + second * ramp


def _fractal_line(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    line = np.zeros(size)
    for octave in range(2, 7):
        knots = rng.normal(size=2**octave + 1) / 2 ** (octave - 2)
        line += np.interp(np.linspace(0, 2**octave, size), np.arange(2**octave + 1), knots)
    return line * 0.5
