"""Renderers of craft and geometry: stained glass, mosaic, low-poly, paper cut-out. Their marks follow the picture."""

from __future__ import annotations

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from .chance import Chance
from .common import (
    Array,
    Image,
    Map,
    blur,
    clip01,
    emboss,
    exposed,
    ink_lines,
    kuwahara,
    luminance,
    saturate,
    smoothstep,
    stretch,
    tangent_field,
)
from .registry import renderer

Labels = NDArray[np.int32]


def means_of(image: Array, labels: Labels) -> NDArray[np.float32]:
    """Mean colour of every label, (labels, 3)."""
    flat = labels.ravel()
    count = np.maximum(np.bincount(flat), 1)
    return np.stack([np.bincount(flat, image[..., k].ravel()) / count for k in range(3)], axis=1).astype(np.float32)


def borders_of(labels: Labels) -> NDArray[np.bool_]:
    """Pixels whose right or lower neighbour has another label, (H, W)."""
    border = np.zeros(labels.shape, bool)
    border[:, :-1] |= labels[:, 1:] != labels[:, :-1]
    border[:-1] |= labels[1:] != labels[:-1]
    return border


def segments(image: Image, spacing: float, compactness: float) -> Labels:
    """Superpixels some `spacing` pixels across (Achanta et al., 2012): their borders lie on the picture's edges."""
    from skimage.segmentation import slic

    count = max(4, round(image.shape[0] * image.shape[1] / spacing**2))
    return slic(image, n_segments=count, compactness=compactness, start_label=0).astype(np.int32)


@renderer("stained glass")
def stained_glass(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Panes that end at the picture's edges, in thick leads; finer shapes are painted on the glass in black enamel."""
    smooth = exposed(kuwahara(kuwahara(image, round(4 * scale)), 3))
    # Without the unrest an even sky becomes a lattice.
    unrest = 0.22 * (chance.smooth(7.0 * scale, 113)[..., None] - 0.5)
    labels = segments(clip01(smooth + unrest), 20.0 * scale, 7.0)
    pane = means_of(saturate(stretch(smooth), 1.5), labels)
    hsv = cv2.cvtColor(pane[None], cv2.COLOR_RGB2HSV)
    hsv[..., 1] = np.clip(hsv[..., 1] * 1.4 + 0.12, 0, 0.95)
    hsv[..., 2] = 0.30 + 0.68 * hsv[..., 2]
    glass = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0][labels]
    shade = 1 + 0.9 * (luminance(stretch(smooth)) - luminance(blur(glass, 1.0).astype(np.float32)))
    streaks = chance.smooth((1.5, 7.0), 111) + 0.6 * chance.smooth(7.0, 112)
    glass = glass * np.clip(shade, 0.55, 1.25)[..., None] * (0.80 + 0.26 * streaks[..., None])
    inside = cv2.distanceTransform((~borders_of(labels)).astype(np.uint8), cv2.DIST_L2, 3)
    half = 0.9 * scale**0.5 * line
    lead = 1 - smoothstep(inside, half, half + 1.0) if line else np.zeros_like(inside)
    enamel = 0.85 * ink_lines(kuwahara(image, 2), 1.0, 4, 36, 0.012, min(line, 1.0) or 0.6)
    glow = 0.78 + 0.22 * smoothstep(inside, 0.5, 6.0 * scale)
    dark = np.maximum(lead, enamel)[..., None]
    return clip01(glass * glow[..., None] * (1 - dark) + np.array([0.05, 0.05, 0.06], np.float32) * dark)


@njit(cache=True)
def _assign(sites: Map, cosines: Map, sines: Map, reach: int, height: int, width: int) -> tuple[Labels, Map]:
    """The site nearest to each pixel in the maximum norm of the site's own axes, and that distance."""
    labels = np.full((height, width), -1, np.int32)
    nearest = np.full((height, width), 1e9, np.float32)
    for k in range(len(sites)):
        x, y, c, s = sites[k, 0], sites[k, 1], cosines[k], sines[k]
        for row in range(max(0, int(y) - reach), min(height, int(y) + reach + 1)):
            for column in range(max(0, int(x) - reach), min(width, int(x) + reach + 1)):
                dx, dy = column - x, row - y
                distance = max(abs(c * dx + s * dy), abs(c * dy - s * dx))
                if distance < nearest[row, column]:
                    nearest[row, column], labels[row, column] = distance, k
    return labels, nearest


def tesserae(sites: Array, vx: Map, vy: Map, spacing: float, rounds: int = 7) -> tuple[Labels, Map, Array]:
    """Square tiles in rows along a direction field: a centroidal Voronoi diagram whose metric turns with the field
    (Hausner, 2001).

    Returns:
        the tile of every pixel, the pixel's distance to the tile's middle in the maximum norm, and the middles (N, 2).
    """
    height, width = vx.shape
    rows, columns = np.mgrid[0:height, 0:width]
    for _ in range(rounds):
        x, y = (np.clip(sites[:, k], 0, side - 1).astype(int) for k, side in enumerate((width, height)))
        labels, distance = _assign(
            sites.astype(np.float32), vx[y, x].astype(np.float32), vy[y, x].astype(np.float32),
            round(1.8 * spacing), height, width,
        )  # fmt: skip
        flat = np.maximum(labels, 0).ravel()
        count = np.bincount(flat, minlength=len(sites))
        sums = [np.bincount(flat, plane.ravel(), len(sites)) for plane in (columns, rows)]
        sites = np.where(count[:, None] > 0, np.stack(sums, axis=1) / np.maximum(count, 1)[:, None], sites)
    return np.maximum(labels, 0), distance, sites


@renderer("mosaic")
def mosaic(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Roman tesserae: square stones in rows along the contours, each of one colour and tilt, in pale grout."""
    spacing = 8.0 * scale
    smooth = kuwahara(image, round(3 * scale))
    vx, vy, _ = tangent_field(blur(smooth, 2.0).astype(np.float32), 6.0 * scale)
    starts = chance.points(spacing, 121)
    labels, distance, sites = tesserae(starts, vx, vy, spacing)
    stones: Array = means_of(saturate(stretch(image), 1.45), labels)
    stones = stones * (1 + 0.10 * chance.normal_at(starts, scale, 122)[: len(stones), None])
    half = 0.5 * spacing * np.sqrt(np.bincount(labels.ravel(), minlength=len(sites)) / spacing**2)
    gap = (0.75 if line else 0.3) * max(line, 0.5)
    edge = half[labels] - gap - distance
    grout = 1 - smoothstep(edge, -0.5, 0.6)[..., None]
    relief = emboss(smoothstep(edge, 0.0, 1.4), 0.10)[..., None]
    cement = np.array([0.78, 0.74, 0.66], np.float32) * (0.88 + 0.24 * (chance.smooth(1.0, 123)[..., None] - 0.3))
    shadow = 0.25 + 0.75 * smoothstep(blur(luminance(smooth), 6.0), 0.05, 0.5)[..., None]
    return clip01(stones[labels] * relief * (1 - grout) + cement * shadow * grout)


def corners_on_edges(image: Image, chance: Chance, spacing: float, seed: int) -> Array:
    """Points for a triangulation, (N, 2): close together on the picture's edges, far apart in even parts."""
    grey = luminance(image)
    strength = blur(np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)), 0.8)
    strength = strength / (blur(strength, 24.0) + 0.08)
    peaks = (strength >= cv2.dilate(strength, np.ones((3, 3))) * 0.98) & (strength > 0.75)
    candidates = np.stack(np.nonzero(peaks)[::-1], axis=1)
    order = np.argsort(-strength[candidates[:, 1], candidates[:, 0]])
    taken = np.zeros(grey.shape, np.uint8)
    chosen = []
    for x, y in candidates[order].tolist():
        if not taken[y, x]:
            chosen.append((x, y))
            cv2.circle(taken, (x, y), max(2, round(0.42 * spacing)), 1, -1)
    between = chance.points(1.7 * spacing, seed)
    free = taken[between[:, 1].astype(int), between[:, 0].astype(int)] == 0
    return np.concatenate([np.array(chosen, np.float32).reshape(-1, 2), between[free]])


@renderer("low-poly", draws_lines=False)
def low_poly(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Flat triangles whose corners lie on the picture's edges, lit as facets of a model."""
    from scipy.spatial import Delaunay

    height, width = image.shape[:2]
    smooth = saturate(stretch(kuwahara(image, 3)), 1.35)
    x, y = np.meshgrid(np.linspace(0, width - 1, 8), np.linspace(0, height - 1, 8))
    rim = np.stack([x, y], axis=-1)[(x == 0) | (y == 0) | (x == width - 1) | (y == height - 1)]
    points = np.concatenate([corners_on_edges(smooth, chance, 13.0 * scale, 151), rim]).astype(np.float32)
    triangles = Delaunay(points).simplices
    labels = np.zeros((height, width), np.int32)
    for k, corners in enumerate(points[triangles]):
        cv2.fillConvexPoly(labels, np.round(corners * 16).astype(np.int32), k, shift=4)
    means = means_of(smooth, labels)
    middles = points[triangles].mean(axis=1).astype(np.float32)
    facing = 1 + 0.09 * chance.normal_at(middles, 2.0 * scale, 152)[: len(means), None]
    return clip01(blur((means * facing)[labels], 0.4))


def _moved(plane: Array, offset: int) -> Array:
    """`offset` pixels to the right and down; what comes in continues the border."""
    shift = np.array([[1, 0, offset], [0, 1, offset]], np.float32)
    return cv2.warpAffine(plane.astype(np.float32), shift, plane.shape[::-1], borderMode=cv2.BORDER_REPLICATE)


@renderer("paper cut", draws_lines=False)
def paper_cut(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Sheets of coloured paper, one per tone, stacked; each casts a shadow on the sheet below and shows a white rim."""
    smooth = kuwahara(kuwahara(image, round(6 * scale)), round(6 * scale))
    tone = blur(stretch(luminance(smooth)), 1.8 * scale)
    hue = saturate(blur(smooth, 4.0 * scale), 1.8)
    canvas: Array = np.zeros_like(image)
    offset = max(2, round(3.5 * scale))
    for level, shade in zip((0.0, 0.22, 0.40, 0.58, 0.77), (0.16, 0.36, 0.56, 0.78, 0.97), strict=True):
        sheet = smoothstep(tone, level - 0.008, level + 0.008)
        cast = _moved(blur(sheet, 2.4 * scale), offset) if level > 0 else np.zeros_like(sheet)
        colour = np.clip(hue - luminance(hue)[..., None], -0.35, 0.35) * 1.5 + shade
        rim = np.clip(sheet - _moved(sheet, 2), 0, 1)[..., None] if level > 0 else 0.0
        textured = colour * (0.94 + 0.12 * (chance.paper(131)[..., None] - 0.5)) + 0.16 * rim
        canvas = canvas * (1 - 0.75 * cast[..., None] * (1 - sheet[..., None]))
        canvas = canvas * (1 - sheet[..., None]) + textured * sheet[..., None]
    return clip01(canvas)
