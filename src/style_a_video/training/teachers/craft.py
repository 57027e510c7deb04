"""Teachers of craft and geometry: stained glass, mosaic, cubist facets, low-poly, paper cut-out."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .chance import Chance, Points
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
)
from .registry import teacher

Labels = NDArray[np.int32]


def attracted(points: Points, image: Image, spacing: float, pull: float) -> Points:
    """The points, each pulled by at most `pull` spacings towards the even inside of a form.

    They descend the smoothed edge strength, so cell borders come to lie on contours and cells follow the content.
    """
    height, width = image.shape[:2]
    grey = luminance(image)
    edges = blur(np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)), 0.25 * spacing)
    gx, gy = cv2.Sobel(edges, cv2.CV_32F, 1, 0), cv2.Sobel(edges, cv2.CV_32F, 0, 1)
    start = points
    for _ in range(6):
        column = np.clip(points[:, 0], 0, width - 1).astype(int)
        row = np.clip(points[:, 1], 0, height - 1).astype(int)
        slope = np.stack([gx[row, column], gy[row, column]], axis=1)
        points = points - slope / (np.linalg.norm(slope, axis=1, keepdims=True) + 0.02) * spacing * pull / 6
    return np.asarray(start + np.clip(points - start, -pull * spacing, pull * spacing), np.float32)


def cells(points: Points, height: int, width: int) -> tuple[Labels, Map]:
    """Voronoi cells: label of every pixel, and its distance in pixels to its cell's border."""
    from scipy.spatial import cKDTree

    if len(points) == 1:
        return np.zeros((height, width), np.int32), np.full((height, width), np.hypot(height, width), np.float32)
    yy, xx = np.mgrid[0:height, 0:width]
    distance, index = cKDTree(points).query(np.stack([xx, yy], axis=-1).reshape(-1, 2), k=2)
    between = np.linalg.norm(points[index[:, 0]] - points[index[:, 1]], axis=1) + 1e-6
    border = (distance[:, 1] ** 2 - distance[:, 0] ** 2) / (2 * between)
    shape = (height, width)
    return index[:, 0].reshape(shape).astype(np.int32), border.reshape(shape).astype(np.float32)


def means_of(image: Image, labels: Labels) -> NDArray[np.float32]:
    """Mean colour of every label, (labels, 3)."""
    flat = labels.ravel()
    count = np.maximum(np.bincount(flat), 1)
    return np.stack([np.bincount(flat, image[..., k].ravel()) / count for k in range(3)], axis=1).astype(np.float32)


@teacher("stained glass")
def stained_glass(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Glowing panes that follow the forms, thick dark leads, light through uneven glass."""
    height, width = image.shape[:2]
    smooth = exposed(kuwahara(kuwahara(image, round(4 * scale)), 3))
    labels, border = cells(attracted(chance.points(20.0 * scale, 110), smooth, 20.0 * scale, 0.40), height, width)
    glass = saturate(stretch(means_of(smooth, labels)[labels]) * 0.45 + stretch(smooth) * 0.55, 2.2) * 0.88 + 0.10
    glass = glass * (0.84 + 0.36 * (chance.smooth(6.0, 111)[..., None] - 0.3))
    breadth = 0.7 * line
    lead = 1 - smoothstep(border, breadth, breadth + 1.0) if line else np.zeros((height, width), np.float32)
    contour = ink_lines(smooth, 1.7, 6, 40, 0.012, line)
    lead = np.maximum(lead, contour)[..., None]
    halo = (0.80 + 0.20 * smoothstep(border, 1.0, 6.0 * scale))[..., None]
    return clip01(glass * halo * (1 - lead) + np.array([0.05, 0.05, 0.06], np.float32) * lead)


@teacher("mosaic")
def mosaic(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Roman tesserae: small stones of one colour each, laid along the forms, a lit edge, dark grout between."""
    height, width = image.shape[:2]
    starts = chance.points(7.0 * scale, 121)
    points = attracted(starts, image, 7.0 * scale, 0.30)
    labels, border = cells(points, height, width)
    stones: Array = means_of(saturate(stretch(image), 1.35), labels)
    tint = 1 + 0.09 * chance.normal_at(starts, scale, 122)[:, None]
    stones = stones * tint[: len(stones)]
    relief = emboss(smoothstep(border, 0.4, 2.2), 0.18)[..., None]
    gap = 0.35 * max(line, 0.3)
    grout = 1 - smoothstep(border, gap, gap + 0.8)[..., None]
    cement = np.array([0.40, 0.37, 0.33], np.float32) * (0.9 + 0.2 * (chance.smooth(1.0, 123)[..., None] - 0.5))
    return clip01(stones[labels] * relief * (1 - grout) + cement * grout)


@teacher("cubism")
def cubism(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Facets: the picture seen through large tilted panes, each shifted and shaded on its own, in earths and greys."""
    height, width = image.shape[:2]
    smooth = stretch(kuwahara(image, 4))
    starts = chance.points(36.0 * scale, 141)
    points = attracted(starts, smooth, 36.0 * scale, 0.15)
    labels, border = cells(points, height, width)
    near = 6.0 * scale
    shift = 14 * scale * (np.stack([chance.uniform_at(starts, near, 142 + k) for k in range(2)], axis=1) - 0.5)
    tilt = 2 * np.pi * chance.uniform_at(starts, near, 144)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    seen = cv2.remap(
        smooth, x + shift[labels, 0].astype(np.float32), y + shift[labels, 1].astype(np.float32),
        cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT,
    )  # fmt: skip
    local = (x - points[labels, 0]) * np.cos(tilt[labels]) + (y - points[labels, 1]) * np.sin(tilt[labels])
    shade = np.clip(1 + 0.024 * local / scale, 0.55, 1.45)[..., None]
    earth = np.array([0.60, 0.50, 0.36], np.float32)
    grey = luminance(seen)[..., None]
    toned = 0.55 * saturate(seen, 1.1) + 0.45 * grey * earth * 1.9
    edge = (1 - smoothstep(border, 0.6 * line, 0.6 * line + 1.2))[..., None] if line else 0.0
    contour = ink_lines(seen, 1.6, 5, 30, 0.014, line)[..., None]
    dark = np.maximum(0.35 * edge, 0.8 * contour)
    return clip01(toned * shade * (1 - dark) + np.array([0.13, 0.10, 0.08], np.float32) * dark)


@teacher("low-poly", draws_lines=False)
def low_poly(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Triangles between points that gather on the contours, one colour each, lit as if folded from paper."""
    from scipy.spatial import Delaunay

    height, width = image.shape[:2]
    smooth = saturate(kuwahara(image, 4), 1.2)
    # The same pull, reversed: corners go to the contours, so that triangle sides lie along them.
    starts = chance.points(12.0 * scale, 151)
    points = attracted(starts, smooth, 12.0 * scale, -0.45)
    corners = np.array([[-1, -1], [width, -1], [-1, height], [width, height]], np.float32)
    starts = np.concatenate([starts, corners])
    points = np.concatenate([np.clip(points, -1, [width, height]).astype(np.float32), corners])
    triangles = Delaunay(points).simplices
    labels = np.zeros((height, width), np.int32)
    for k, corners_of in enumerate(points[triangles]):
        cv2.fillConvexPoly(labels, np.round(corners_of * 16).astype(np.int32), k, shift=4)
    means = means_of(smooth, labels)
    middles = starts[triangles].mean(axis=1).astype(np.float32)
    fold = 1 + 0.07 * chance.normal_at(middles, 2.0 * scale, 152)[: len(means), None]
    return clip01(blur((means * fold)[labels], 0.45))


def _moved(plane: Array, offset: int) -> Array:
    """`offset` pixels to the right and down; what comes in continues the border."""
    shift = np.array([[1, 0, offset], [0, 1, offset]], np.float32)
    return cv2.warpAffine(plane.astype(np.float32), shift, plane.shape[::-1], borderMode=cv2.BORDER_REPLICATE)


@teacher("paper cut", draws_lines=False)
def paper_cut(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Sheets of coloured paper, one per tone, stacked; each casts a soft shadow on the sheet below."""
    smooth = kuwahara(kuwahara(image, round(6 * scale)), round(6 * scale))
    tone = blur(stretch(luminance(smooth)), 1.8 * scale)
    hue = saturate(blur(smooth, 4.0 * scale), 1.5)
    canvas: Array = np.zeros_like(image)
    offset = max(2, round(3 * scale))
    for level, shade in zip((0.0, 0.22, 0.40, 0.58, 0.77), (0.16, 0.36, 0.56, 0.78, 0.97), strict=True):
        sheet = smoothstep(tone, level - 0.012, level + 0.012)
        cast = _moved(blur(sheet, 2.6 * scale), offset) if level > 0 else np.zeros_like(sheet)
        colour = np.clip(hue - luminance(hue)[..., None], -0.3, 0.3) * 1.3 + shade
        textured = colour * (0.95 + 0.10 * (chance.paper(131)[..., None] - 0.5))
        canvas = canvas * (1 - 0.55 * cast[..., None] * (1 - sheet[..., None]))
        canvas = canvas * (1 - sheet[..., None]) + textured * sheet[..., None]
    return clip01(canvas)
