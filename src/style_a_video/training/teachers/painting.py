"""Teachers with a brush: oil, Van Gogh, impressionism, pointillism, watercolour, gouache, ink wash.

Every teacher is called as `teacher(image, scale, line, chance)`: `scale` multiplies the size of its marks, `line` the breadth of the
lines that belong to the medium (0: none).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from .chance import FIELDS, Chance
from .common import (
    Array,
    Image,
    Map,
    blur,
    clip01,
    colours,
    emboss,
    exposed,
    ink_lines,
    kuwahara,
    line_integral_convolution,
    luminance,
    saturate,
    smoothstep,
    stretch,
    tangent_field,
    to_palette,
)


class Strokes(NamedTuple):
    """What a brush leaves that follows the forms of a picture."""

    vx: Map
    vy: Map
    """The way it goes, a unit vector without a sign."""
    light: Map
    """Three fields of strokes in about [-1, 1]."""
    warm: Map
    green: Map


def brushed(chance: Chance, vx: Map, vy: Map, scale: float, field: int) -> Map:
    """Strokes along a field, in about [-1, 1]: noise averaged along it, brought back to deviation 1 and drawn together at its
    borders as paint is. But for that it is linear in the noise, so a convolution that knows the direction can make it; curves
    laid over one another in an order are many steps of a computation."""
    breadth, length = 2.4 * scale, round(12 * scale)
    strokes = line_integral_convolution(chance.normal(breadth, field), vx, vy, length)
    # Of 2 · length + 1 values, those within the noise's own correlation length, 2 √π · breadth, count as one.
    alike = np.sqrt((2 * length + 1) / (2 * np.sqrt(np.pi) * breadth))
    return np.tanh(1.3 * max(alike, 1.0) * strokes).astype(np.float32)


def strokes_along(chance: Chance, image: Image, scale: float) -> Strokes:
    """Strokes along the forms of a picture. The same ones for every medium: what the model learns for one serves the others."""
    vx, vy, _ = tangent_field(image, 6.0 * scale)
    light, warm, green = (brushed(chance, vx, vy, scale, field) for field in range(FIELDS))
    return Strokes(vx, vy, light, warm, green)


def drawn_out(image: Image, vx: Map, vy: Map, reach: Map) -> Image:
    """Paint dragged `reach` pixels along the field: colours end as raggedly as strokes do."""
    x, y = np.meshgrid(*(np.arange(side, dtype=np.float32) for side in reach.shape[::-1]))
    return cv2.remap(image, x + reach * vx, y + reach * vy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def oil_painting(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Impasto: paint drawn out along the forms by a broad brush, its ridges lit from the side."""
    source = saturate(kuwahara(image, round(3 * scale) + 1), 1.35)
    strokes = strokes_along(chance, source, scale)
    canvas = drawn_out(source, strokes.vx, strokes.vy, 4.0 * scale * strokes.light)
    canvas = clip01(canvas * (1 + 0.11 * strokes.light[..., None]))
    return clip01(canvas * emboss(0.8 * strokes.light, 0.20)[..., None])


_STARRY_NIGHT = colours(
    "0b1c4d", "163a87", "2f68b5", "6fa3c8", "a9c3a0", "e8c944", "f6e27a", "b97a1e", "5e6b35", "12233a", "d8d3b0", "8a4a22",
)  # fmt: skip


def van_gogh(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Thick strokes in rows that follow the forms, in blues, ochres and yellows."""
    base = exposed(kuwahara(image, round(4 * scale)))
    painted = to_palette(saturate(stretch(base), 1.5), _STARRY_NIGHT, softness=7.0) * 0.8 + saturate(base, 1.6) * 0.2
    strokes = strokes_along(chance, base, scale)
    light, warm = strokes.light[..., None], strokes.warm[..., None]
    hue = np.array([1.0, 0.45, -0.9], np.float32)
    canvas = painted * (1 + 0.20 * light) + 0.055 * light + 0.10 * warm * hue
    return clip01(clip01(canvas) * emboss(0.8 * strokes.light, 0.22)[..., None])


def impressionism(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Dabs of broken colour laid along the forms; colours light, shadows violet and blue."""
    source = clip01(saturate(blur(image, 0.8 * scale), 1.5) * 0.85 + 0.13)
    shade = (1 - smoothstep(luminance(source), 0.25, 0.6))[..., None]
    source = clip01(source + shade * np.array([0.02, -0.01, 0.10], np.float32))
    strokes = strokes_along(chance, image, scale)
    light, warm, green = (field[..., None] for field in (strokes.light, strokes.warm, strokes.green))
    hues = 0.08 * warm * np.array([1.0, 0.2, -1.0], np.float32) + 0.05 * green * np.array([-0.6, 1.0, -0.4], np.float32)
    canvas = clip01(drawn_out(source, strokes.vx, strokes.vy, 4.0 * scale * strokes.light) + 0.08 * light + hues)
    return clip01(canvas * emboss(0.8 * strokes.light, 0.14)[..., None])


_Z_88 = 1.175
"""Of a standard normal value 88 % are below it."""


def pointillism(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Round dots of pure colour on an ivory ground; each dot strays towards a neighbouring or complementary hue."""
    height, width = image.shape[:2]
    source = saturate(stretch(blur(image, 1.2 * scale)), 1.6)
    ivory = np.array([0.96, 0.93, 0.84], np.float32)
    canvas = clip01(ivory * 0.6 + blur(source, 4.0) * 0.4)
    for spacing, radius, field in ((6.0 * scale, 2.6 * scale, 0), (5.0 * scale, 2.0 * scale, 1)):
        points = chance.points(spacing, field)
        warm, green = (
            chance.normal_at(points, 0.2 * spacing, other) for other in ((field + 1) % FIELDS, (field + 2) % FIELDS)
        )
        tints = 0.10 * (np.outer(warm, [1.2, 0.2, -1.2]) + np.outer(green, [-0.6, 1.0, -0.6]))
        complementary = warm > _Z_88
        for index in np.argsort(green):
            x, y = points[index]
            colour = source[int(np.clip(y, 0, height - 1)), int(np.clip(x, 0, width - 1))] + tints[index]
            if complementary[index]:
                colour = 0.5 * colour + 0.5 * (colour.max() + colour.min() - colour)
            centre = (round(float(x) * 16), round(float(y) * 16))
            cv2.circle(canvas, centre, round(radius * 16), np.clip(colour, 0, 1).tolist(), -1, cv2.LINE_AA, shift=4)
    return clip01(canvas)


def wobbled(chance: Chance, image: Image, amount: float, sigma: float) -> Image:
    """The picture with its contours shaken a little by noise, as a hand does."""
    height, width = image.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    dx, dy = (chance.smooth(sigma, field) - 0.5 for field in range(2))
    return cv2.remap(image, x + amount * dx, y + amount * dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def pigment(colour: Array, density: Array) -> Array:
    """Watercolour of density d: colour C becomes C − (C − C²)(d − 1) (Bousseau et al., 2006)."""
    return colour - (colour - colour * colour) * (density - 1)


def watercolor(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Pale washes in a few tones with dark wet edges, blooms and granulating pigment; the lights stay bare paper."""
    shaken = wobbled(chance, image, 5 * scale, 5.0 * scale)
    wash = kuwahara(kuwahara(shaken, round(5 * scale)), round(4 * scale))
    grey = luminance(wash)
    steps = stretch(grey) * 5 + 0.35 * (chance.smooth(8.0 * scale, 2) - 0.5)
    floor = np.floor(steps)
    levels = (floor + smoothstep(steps - floor, 0.35, 0.65)) / 5
    wash = saturate(clip01(wash * (0.35 + 0.65 * levels / (grey + 0.08))[..., None]), 1.6)
    wash = 1 - (1 - wash) * 0.80
    bare = smoothstep(levels, 0.80, 0.96)[..., None]
    edges = cv2.morphologyEx(blur(levels.astype(np.float32), 0.7 * scale), cv2.MORPH_GRADIENT, np.ones((3, 3)))
    density = 1 + 2.4 * smoothstep(edges, 0.06, 0.30) + 1.3 * (chance.smooth(14.0 * scale, 0) - 0.5)
    density = density + 0.7 * (chance.paper(1) - 0.5)
    painted = pigment(wash, density[..., None]) * (1 - bare) + np.array([0.985, 0.98, 0.96], np.float32) * bare
    lines = 0.55 * ink_lines(image, 1.0, 3, 26, 0.014, line)[..., None]
    painted = painted * (1 - lines) + np.array([0.24, 0.22, 0.26], np.float32) * lines
    return clip01(painted * (0.96 + 0.08 * (chance.paper(2)[..., None] - 0.5)))


def gouache(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Travel poster: few opaque matt tones with crisp painted borders and a little dry brush."""
    height, width = image.shape[:2]
    smooth = saturate(stretch(kuwahara(kuwahara(image, round(6 * scale)), round(5 * scale))), 1.25)
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB)
    steps = lab[..., 0] / 100 * 5 + 0.25 * (chance.smooth(2.0 * scale, 0) - 0.5)
    floor = np.floor(steps)
    level = (floor + smoothstep(steps - floor, 0.44, 0.56)) / 5
    lab[..., 0] = 14 + 80 * level
    lab[..., 1:] = blur(lab[..., 1:], 2.5 * scale) * 1.15
    lab[..., 2] += 8 * (level - 0.35)  # lights warm, shadows cool
    flat = clip01(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))
    vx, vy = np.ones((height, width), np.float32), np.zeros((height, width), np.float32)
    dry = stretch(line_integral_convolution(chance.smooth(0.9, 1), vx, vy, round(9 * scale)))
    return clip01(flat * (0.95 + 0.09 * dry[..., None]))


def ink_wash(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Sumi-e: three bleeding greys of ink, brush lines, and much bare rice paper."""
    height, width = image.shape[:2]
    grey = exposed(stretch(luminance(kuwahara(image, round(6 * scale)))))
    bleed = 0.18 * (chance.smooth(4.0 * scale, 0) - 0.5) + 0.06 * (chance.smooth(1.2, 1) - 0.5)
    tone = grey + bleed
    ink: Array = np.zeros((height, width), np.float32)
    for amount, low, high in ((0.22, -0.66, -0.56), (0.28, -0.42, -0.34), (0.34, -0.22, -0.14)):
        ink = ink + amount * smoothstep(-tone, low, high)
    rim = cv2.morphologyEx(blur(ink, 0.7).astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3)))
    lines = ink_lines(image, 1.6 * scale, 6, 22, 0.012, line)
    ink = np.clip(blur(ink, 0.6 * scale) + 0.3 * rim + 0.8 * lines, 0, 0.95)
    sheet = np.array([0.95, 0.92, 0.85], np.float32) * (0.97 + 0.06 * (chance.smooth(1.5, 2)[..., None] - 0.5))
    return clip01(sheet * (1 - ink[..., None]) + np.array([0.06, 0.06, 0.08], np.float32) * ink[..., None])
