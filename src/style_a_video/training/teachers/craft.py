"""Teachers of craft and geometry: stained glass, mosaic, cubist facets, low-poly, paper cut-out."""

from __future__ import annotations

from itertools import product

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


def stained_glass(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Glowing panes that follow the forms, thick dark leads, light through uneven glass."""
    height, width = image.shape[:2]
    smooth = exposed(kuwahara(kuwahara(image, round(4 * scale)), 3))
    labels, border = cells(attracted(chance.points(20.0 * scale, 0), smooth, 20.0 * scale, 0.40), height, width)
    glass = saturate(stretch(means_of(smooth, labels)[labels]) * 0.45 + stretch(smooth) * 0.55, 2.2) * 0.88 + 0.10
    glass = glass * (0.84 + 0.36 * (chance.smooth(6.0, 1)[..., None] - 0.3))
    breadth = 0.7 * line
    lead = 1 - smoothstep(border, breadth, breadth + 1.0) if line else np.zeros((height, width), np.float32)
    contour = ink_lines(smooth, 1.7, 6, 40, 0.012, line)
    lead = np.maximum(lead, contour)[..., None]
    halo = (0.80 + 0.20 * smoothstep(border, 1.0, 6.0 * scale))[..., None]
    return clip01(glass * halo * (1 - lead) + np.array([0.05, 0.05, 0.06], np.float32) * lead)


def mosaic(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Roman tesserae: small stones of one colour each, laid along the forms, a lit edge, dark grout between."""
    height, width = image.shape[:2]
    starts = chance.points(7.0 * scale, 0)
    points = attracted(starts, image, 7.0 * scale, 0.30)
    labels, border = cells(points, height, width)
    stones: Array = means_of(saturate(stretch(image), 1.35), labels)
    tint = 1 + 0.09 * chance.normal_at(starts, scale, 1)[:, None]
    stones = stones * tint[: len(stones)]
    relief = emboss(smoothstep(border, 0.4, 2.2), 0.18)[..., None]
    gap = 0.35 * max(line, 0.3)
    grout = 1 - smoothstep(border, gap, gap + 0.8)[..., None]
    cement = np.array([0.40, 0.37, 0.33], np.float32) * (0.9 + 0.2 * (chance.smooth(1.0, 2)[..., None] - 0.5))
    return clip01(stones[labels] * relief * (1 - grout) + cement * grout)


FACET_PERIOD = 38.0
"""Pixels between every second line of a family."""
LINES_ACROSS = (20.0, 80.0, 140.0)
"""Degrees."""
IN_STEP = 0.5
"""Periods for which the lines between facets stay in step: what a wider filter says, a window of training does not show."""


def between_lines(chance: Chance, period: float) -> tuple[Labels, list[Map], list[NDArray[np.bool_]]]:
    """Facets between three families of straight lines, half a `period` pixels apart: label of every pixel, and for every
    family the phase of its waves in (-π, π] and on which side of its lines a pixel is.

    Lines that keep in step are read off the noise by a filter, which the model learns; triangles between free points, or on
    a grid that is shaken, it did not learn.
    """
    phases = [chance.wave_phase(across, period, field, IN_STEP) for field, across in enumerate(LINES_ACROSS)]
    sides = [phase > 0 for phase in phases]
    labels, count = np.zeros(phases[0].shape, np.int32), 0
    for where in product((False, True), repeat=len(sides)):
        facet = np.all([side == wanted for side, wanted in zip(sides, where, strict=True)], axis=0)
        found, numbers = cv2.connectedComponents(facet.astype(np.uint8), connectivity=4)
        labels[facet] = numbers[facet] + count - 1
        count += found - 1
    return labels, phases, sides


def cubism(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Facets between a few straight lines, each light at one side and dark at the other, in earths and greys."""
    smooth = exposed(kuwahara(kuwahara(image, round(4 * scale)), 3))
    period = FACET_PERIOD * scale
    labels, phases, sides = between_lines(chance, period)
    flat = stretch(means_of(smooth, labels)[labels]) * 0.4 + stretch(smooth) * 0.6
    # Which lines a facet is shaded across is the third family's to say.
    slope = np.where(sides[2], phases[0], phases[1]) / np.pi
    shade = (1 + 0.36 * np.mod(slope, 1.0) - 0.20 + 0.10 * np.where(sides[2], 1, -1))[..., None]
    earth = np.array([0.60, 0.50, 0.36], np.float32)
    grey = luminance(flat.astype(np.float32))[..., None]
    toned = 0.5 * saturate(flat, 1.1) + 0.5 * grey * earth * 1.9
    # Distance in pixels to the next line, of any family.
    nearest = (
        np.min([np.minimum(np.abs(phase), np.pi - np.abs(phase)) for phase in phases], axis=0) * period / (2 * np.pi)
    )
    edge = (1 - smoothstep(nearest, 0.4 * line, 0.4 * line + 1.0))[..., None] if line else 0.0
    contour = ink_lines(smooth, 1.7, 6, 40, 0.012, line)[..., None]
    dark = np.maximum(0.5 * edge, 0.85 * contour)
    return clip01(toned * shade * (1 - dark) + np.array([0.13, 0.10, 0.08], np.float32) * dark)


def low_poly(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Facets of one colour each between three families of straight lines, lit from above as if folded from paper."""
    smooth = exposed(kuwahara(kuwahara(image, round(4 * scale)), 3))
    labels, _, sides = between_lines(chance, FACET_PERIOD * scale)
    fold = np.sum(
        [light * np.where(side, 1, -1) for side, light in zip(sides, (0.11, 0.06, -0.09), strict=True)], axis=0
    )
    means = means_of(saturate(stretch(smooth), 1.35), labels)
    return clip01(blur(means[labels] * (1 + fold[..., None]), 0.45))


def _moved(plane: Array, offset: int) -> Array:
    """`offset` pixels to the right and down; what comes in continues the border."""
    shift = np.array([[1, 0, offset], [0, 1, offset]], np.float32)
    return cv2.warpAffine(plane.astype(np.float32), shift, plane.shape[::-1], borderMode=cv2.BORDER_REPLICATE)


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
        textured = colour * (0.95 + 0.10 * (chance.paper(0)[..., None] - 0.5))
        canvas = canvas * (1 - 0.55 * cast[..., None] * (1 - sheet[..., None]))
        canvas = canvas * (1 - sheet[..., None]) + textured * sheet[..., None]
    return clip01(canvas)
