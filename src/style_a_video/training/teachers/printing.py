"""Teachers of print and craft: ukiyo-e, pop art, comic, stained glass, mosaic, pixel art, paper cut-out."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .common import (
    Array,
    Image,
    blur,
    clip01,
    colours,
    emboss,
    fixed_noise,
    ink_lines,
    jittered_grid,
    kuwahara,
    luminance,
    paper,
    saturate,
    smoothstep,
    stretch,
    to_palette,
)

_WOODBLOCK = colours(
    "1d2d50",
    "2f5d8a",
    "7fa8b8",
    "c9d3c0",
    "efe3c2",
    "e0b878",
    "c8553d",
    "8c3b2e",
    "5b7553",
    "a3a86b",
    "2b2a33",
    "d9a5a0",
)


def ukiyo_e(image: Image, rng: np.random.Generator) -> Image:
    """Flat areas of woodblock colours with a dark key-block line on warm paper, a trace of wood grain in the ink."""
    height, width = image.shape[:2]
    smooth = kuwahara(kuwahara(image, 6), 5)
    smooth = saturate(stretch(smooth), 1.3)
    flat = blur(to_palette(smooth, _WOODBLOCK, softness=1.5), 0.7)
    grain = cv2.resize(
        fixed_noise(height, max(8, width // 12), 1.0, 101), (width, height), interpolation=cv2.INTER_CUBIC
    )
    flat = flat * (0.95 + 0.08 * (grain[..., None] - 0.5) + 0.04 * (paper(height, width, 102)[..., None] - 0.5))
    lines = ink_lines(kuwahara(image, 3), sigma=1.3, length=6, strength=34, threshold=0.008)[..., None]
    return clip01(flat * (1 - lines) + np.array([0.10, 0.11, 0.18], np.float32) * lines)


_POP = colours("f7e017", "e4002b", "0057b8", "ffffff", "111111", "ff7bac", "00a3a1", "ff8a00", "f8d9b6")


def pop_art(image: Image, rng: np.random.Generator) -> Image:
    """Screen print: loud flat inks, a dot screen in the middle tones, thick black outlines."""
    height, width = image.shape[:2]
    smooth = saturate(stretch(kuwahara(kuwahara(image, 5), 4)), 1.9)
    flat = blur(to_palette(smooth, _POP, softness=1.0), 0.6)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    period = 6.5
    u, v = (x + y) / np.sqrt(2), (x - y) / np.sqrt(2)
    screen = 0.5 + 0.25 * (np.cos(2 * np.pi * u / period) + np.cos(2 * np.pi * v / period))
    tone = luminance(smooth)
    dots = smoothstep(screen, 0.08 + tone, 0.30 + tone) * smoothstep(-tone, -0.92, -0.8) * smoothstep(tone, 0.10, 0.22)
    dotted = flat * (1 - 0.72 * dots[..., None])
    lines = ink_lines(kuwahara(image, 3), sigma=1.7, length=5, strength=36, threshold=0.010)[..., None]
    return clip01(dotted * (1 - lines) + 0.05 * lines)


def comic(image: Image, rng: np.random.Generator) -> Image:
    """Inked comic: three flat tones of every colour, firm black lines, solid black shadows."""
    smooth = saturate(stretch(kuwahara(kuwahara(image, 5), 4)), 1.45)
    hsv = cv2.cvtColor(smooth, cv2.COLOR_RGB2HSV)
    value = hsv[..., 2]
    hsv[..., 2] = 0.38 + 0.30 * smoothstep(value, 0.33, 0.40) + 0.32 * smoothstep(value, 0.62, 0.69)
    flat = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    shadow = smoothstep(-luminance(smooth), -0.20, -0.15)
    lines = ink_lines(image, sigma=1.2, length=5, strength=40, threshold=0.007)
    ink = np.maximum(lines, shadow)[..., None]
    return clip01(flat * (1 - ink) + 0.03 * ink)


def _cells(image: Image, points: NDArray[np.float32]) -> tuple[NDArray[np.int32], Image, NDArray[np.float32]]:
    """Voronoi cells of `points`: label map, the picture with each cell's mean colour, and each pixel's distance in
    pixels to its cell's border."""
    from scipy.spatial import cKDTree

    height, width = image.shape[:2]
    yy, xx = np.mgrid[0:height, 0:width]
    distance, index = cKDTree(points).query(np.stack([xx, yy], axis=-1).reshape(-1, 2), k=2)
    labels = index[:, 0]
    count = np.maximum(np.bincount(labels, minlength=len(points)), 1)
    means = np.stack([np.bincount(labels, image[..., k].ravel(), len(points)) / count for k in range(3)], axis=1)
    between = np.linalg.norm(points[index[:, 0]] - points[index[:, 1]], axis=1) + 1e-6
    border = (distance[:, 1] ** 2 - distance[:, 0] ** 2) / (2 * between)
    shape = (height, width)
    return (
        labels.reshape(shape),
        means[labels].reshape(height, width, 3).astype(np.float32),
        border.reshape(shape).astype(np.float32),
    )


def stained_glass(image: Image, rng: np.random.Generator) -> Image:
    """Glowing panes cut along the forms (SLIC superpixels), thick dark leads, light through uneven glass."""
    from skimage.segmentation import slic

    height, width = image.shape[:2]
    smooth = kuwahara(image, 4)
    panes = slic(smooth, n_segments=height * width // 330, compactness=9, sigma=1.0, start_label=0, channel_axis=2)
    count = np.maximum(np.bincount(panes.ravel()), 1)
    means = np.stack([np.bincount(panes.ravel(), smooth[..., k].ravel()) / count for k in range(3)], axis=1)
    glass = saturate(stretch(means[panes].astype(np.float32)), 2.0)
    glass = glass * 0.85 + 0.12
    glass = glass * (0.86 + 0.35 * (fixed_noise(height, width, 6.0, 111)[..., None] - 0.3))
    labels = panes.astype(np.float32)
    edge = (cv2.dilate(labels, np.ones((2, 2))) != cv2.erode(labels, np.ones((2, 2)))).astype(np.float32)
    lead = smoothstep(blur(edge, 0.9), 0.18, 0.42)[..., None]
    halo = 0.88 + 0.12 * smoothstep(cv2.distanceTransform((edge < 0.5).astype(np.uint8), cv2.DIST_L2, 3), 0.5, 6.0)
    return clip01(glass * halo[..., None] * (1 - lead) + np.array([0.05, 0.05, 0.06], np.float32) * lead)


def mosaic(image: Image, rng: np.random.Generator) -> Image:
    """Roman tesserae: small stones of one colour each, a lit edge, pale grout between."""
    height, width = image.shape[:2]
    points = jittered_grid(np.random.default_rng(121), height, width, 8.0, 0.18)
    labels, stones, border = _cells(saturate(stretch(image), 1.25), points)
    tint = np.random.default_rng(122).normal(1.0, 0.07, len(points))[labels][..., None]
    relief = emboss(smoothstep(border, 0.4, 2.2), 0.16)[..., None]
    grout = 1 - smoothstep(border, 0.35, 1.15)[..., None]
    cement = np.array([0.70, 0.66, 0.59], np.float32) * (
        0.9 + 0.2 * (fixed_noise(height, width, 1.0, 123)[..., None] - 0.5)
    )
    return clip01(stones * tint * relief * (1 - grout) + 0.55 * cement * grout)


_CONSOLE = colours(
    "000000",
    "1d2b53",
    "7e2553",
    "008751",
    "ab5236",
    "5f574f",
    "c2c3c7",
    "fff1e8",
    "ff004d",
    "ffa300",
    "ffec27",
    "00e436",
    "29adff",
    "83769c",
    "ff77a8",
    "ffccaa",
    "3b6ea5",
    "2f4f2f",
    "8b7355",
    "d9d9b0",
)


def pixel_art(image: Image, rng: np.random.Generator) -> Image:
    """Blocks of 8 pixels in the colours of an old console, with ordered dither on the blocks."""
    height, width = image.shape[:2]
    rows, columns = max(1, height // 8), max(1, width // 8)
    small = cv2.resize(saturate(stretch(image), 1.35), (columns, rows), interpolation=cv2.INTER_AREA)
    threshold = np.array([[0, 2], [3, 1]], np.float32) / 4 - 0.375
    dither = np.tile(threshold, (rows // 2 + 1, columns // 2 + 1))[:rows, :columns, None] * 0.07
    return cv2.resize(to_palette(clip01(small + dither), _CONSOLE), (width, height), interpolation=cv2.INTER_NEAREST)


def paper_cut(image: Image, rng: np.random.Generator) -> Image:
    """Sheets of coloured paper, one per tone, stacked; each casts a soft shadow on the sheet below."""
    height, width = image.shape[:2]
    smooth = kuwahara(kuwahara(image, 6), 6)
    tone = blur(stretch(luminance(smooth)), 2.2)
    hue = saturate(blur(smooth, 4.0), 1.3)
    canvas: Array = np.zeros_like(image)
    levels = (0.0, 0.22, 0.40, 0.58, 0.77)
    shades = (0.16, 0.36, 0.56, 0.78, 0.97)
    for level, shade in zip(levels, shades, strict=True):
        sheet = smoothstep(tone, level - 0.012, level + 0.012)
        cast = np.roll(blur(sheet, 2.5), (3, 3), axis=(0, 1)) if level > 0 else np.zeros_like(sheet)
        colour = np.clip(hue - luminance(hue)[..., None], -0.22, 0.22) * 1.2 + shade
        textured = colour * (0.95 + 0.10 * (paper(height, width, 131)[..., None] - 0.5))
        canvas = canvas * (1 - 0.45 * cast[..., None] * (1 - sheet[..., None]))
        canvas = canvas * (1 - sheet[..., None]) + textured * sheet[..., None]
    return clip01(canvas)
