"""Teachers with a brush: oil, Van Gogh, impressionism, pointillism, watercolour, gouache, ink wash.

Every teacher is called as `teacher(image, scale, line, chance)`: `scale` multiplies the size of its marks, `line` the
breadth of the lines that belong to the medium (0: none).
"""

from __future__ import annotations

import cv2
import numpy as np

from .chance import Chance
from .common import (
    Array,
    Image,
    Map,
    blur,
    clip01,
    colours,
    emboss,
    exposed,
    flowing_field,
    ink_lines,
    kuwahara,
    line_integral_convolution,
    luminance,
    paint_strokes,
    saturate,
    smoothstep,
    stretch,
    to_palette,
)
from .registry import teacher


def detail_of(image: Image, sigma: float, low: float = 0.03) -> Map:
    """1 where the picture has something finer than `sigma` to show, 0 in flat parts."""
    grey = luminance(image)
    difference = np.abs(grey - blur(grey, 2 * sigma))
    return smoothstep(blur(difference, sigma), low * 0.5, low * 1.5)


def bristled(
    chance: Chance, canvas: Image, heights: Map, vx: Map, vy: Map, scale: float, relief: float, seed: int
) -> Image:
    """Thick paint: strokes have heights, bristles leave ridges, and light comes from the side."""
    bristles: Array = stretch(
        line_integral_convolution(chance.smooth(0.8 * max(scale, 0.8), seed), vx, vy, round(7 * scale))
    )
    ridges = np.asarray(blur(heights, 0.5) * 0.9 + bristles * 0.45, np.float32)
    return clip01(canvas * emboss(ridges, relief)[..., None] * (0.94 + 0.12 * bristles[..., None]))


@teacher("oil painting", draws_lines=False)
def oil_painting(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Impasto: broad strokes first, finer ones only where there is detail (Hertzmann, 1998), in thick lit paint."""
    source = saturate(kuwahara(image, round(3 * scale) + 1), 1.35)
    vx, vy = flowing_field(chance, source, 4.0 * scale, 16.0 * scale, 1.5, 12)
    canvas, heights = blur(source, 4.0), np.full(image.shape[:2], 0.5, np.float32)
    for spacing, length, breadth, sigma, tint, seed in (
        (9.0, 30.0, 9.0, 3.0, 0.030, 13), (5.5, 18.0, 5.0, 1.6, 0.025, 14), (3.2, 10.0, 2.6, 0.9, 0.015, 15),
    ):  # fmt: skip
        detail = None if seed == 13 else detail_of(image, 2.5 * scale, 0.030 if seed == 14 else 0.045)
        paint_strokes(
            chance, canvas, heights, blur(source, sigma * scale), vx, vy, spacing * scale, length * scale,
            breadth * scale, tint, seed, detail
        )  # fmt: skip
    return bristled(chance, canvas, heights, vx, vy, scale, 0.20, 11)


_STARRY_NIGHT = colours(
    "0b1c4d", "163a87", "2f68b5", "6fa3c8", "a9c3a0", "e8c944", "f6e27a", "b97a1e", "5e6b35", "12233a", "d8d3b0",
    "8a4a22",
)  # fmt: skip


@teacher("van gogh", draws_lines=False)
def van_gogh(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Long thick strokes that follow the forms and swirl where there are none, in blues, ochres and yellows."""
    base = exposed(kuwahara(image, round(4 * scale)))
    vx, vy = flowing_field(chance, base, 5.0 * scale, 20.0 * scale, 3.0, 21)
    painted = to_palette(saturate(stretch(base), 1.5), _STARRY_NIGHT, softness=7.0) * 0.8 + saturate(base, 1.6) * 0.2
    canvas, heights = clip01(blur(painted, 3.0) * 0.75), np.zeros(image.shape[:2], np.float32)
    for spacing, length, breadth, seed in ((7.0, 34.0, 4.5, 23), (5.0, 24.0, 2.8, 24)):
        paint_strokes(
            chance,
            canvas,
            heights,
            clip01(painted),
            vx,
            vy,
            spacing * scale,
            length * scale,
            breadth * scale,
            0.075,
            seed,
        )
    return bristled(chance, canvas, heights, vx, vy, scale, 0.26, 22)


@teacher("impressionism", draws_lines=False)
def impressionism(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Short dabs of broken colour laid along the forms, large ones first; colours light, shadows violet and blue."""
    source = clip01(saturate(blur(image, 1.5 * scale), 1.5) * 0.85 + 0.13)
    shade = (1 - smoothstep(luminance(source), 0.25, 0.6))[..., None]
    source = clip01(source + shade * np.array([0.02, -0.01, 0.10], np.float32))
    vx, vy = flowing_field(chance, image, 3.0 * scale, 14.0 * scale, 1.0, 30)
    canvas, heights = clip01(blur(source, 3.0)), np.zeros(image.shape[:2], np.float32)
    for spacing, length, breadth, seed in ((6.5, 9.0, 5.0, 31), (4.4, 6.5, 3.4, 32)):
        paint_strokes(
            chance, canvas, heights, source, vx, vy, spacing * scale, length * scale, breadth * scale, 0.085, seed
        )
    return bristled(chance, canvas, heights, vx, vy, scale, 0.16, 33)


@teacher("pointillism", draws_lines=False)
def pointillism(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Round dots of pure colour on an ivory ground; each dot strays towards a neighbouring or complementary hue."""
    height, width = image.shape[:2]
    source = saturate(stretch(blur(image, 1.2 * scale)), 1.6)
    ivory = np.array([0.96, 0.93, 0.84], np.float32)
    canvas = clip01(ivory * 0.6 + blur(source, 4.0) * 0.4)
    for spacing, radius, seed in ((6.0 * scale, 2.6 * scale, 410), (5.0 * scale, 2.0 * scale, 420)):
        points = chance.points(spacing, seed)
        tints = 0.10 * np.stack([chance.normal_at(points, 0.2 * spacing, seed + k) for k in (1, 2, 3)], axis=1)
        complementary = chance.uniform_at(points, 0.2 * spacing, seed + 4) < 0.12
        for index in np.argsort(chance.normal_at(points, 0.2 * spacing, seed + 5)):
            x, y = points[index]
            colour = source[int(np.clip(y, 0, height - 1)), int(np.clip(x, 0, width - 1))] + tints[index]
            if complementary[index]:
                colour = 0.5 * colour + 0.5 * (colour.max() + colour.min() - colour)
            centre = (round(float(x) * 16), round(float(y) * 16))
            cv2.circle(canvas, centre, round(radius * 16), np.clip(colour, 0, 1).tolist(), -1, cv2.LINE_AA, shift=4)
    return clip01(canvas)


def wobbled(chance: Chance, image: Image, amount: float, sigma: float, seed: int) -> Image:
    """The picture with its contours shaken a little by noise, as a hand does."""
    height, width = image.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    dx, dy = (chance.smooth(sigma, seed + k) - 0.5 for k in range(2))
    return cv2.remap(image, x + amount * dx, y + amount * dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def pigment(colour: Array, density: Array) -> Array:
    """Watercolour of density d: colour C becomes C − (C − C²)(d − 1) (Bousseau et al., 2006)."""
    return colour - (colour - colour * colour) * (density - 1)


@teacher("watercolor")
def watercolor(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Pale washes in a few tones with dark wet edges, blooms and granulating pigment; the lights stay bare paper."""
    shaken = wobbled(chance, image, 5 * scale, 5.0 * scale, 51)
    wash = kuwahara(kuwahara(shaken, round(5 * scale)), round(4 * scale))
    grey = luminance(wash)
    steps = stretch(grey) * 5 + 0.35 * (chance.smooth(8.0 * scale, 56) - 0.5)
    floor = np.floor(steps)
    levels = (floor + smoothstep(steps - floor, 0.35, 0.65)) / 5
    wash = saturate(clip01(wash * (0.35 + 0.65 * levels / (grey + 0.08))[..., None]), 1.6)
    wash = 1 - (1 - wash) * 0.80
    bare = smoothstep(levels, 0.80, 0.96)[..., None]
    edges = cv2.morphologyEx(blur(levels.astype(np.float32), 0.7 * scale), cv2.MORPH_GRADIENT, np.ones((3, 3)))
    density = 1 + 2.4 * smoothstep(edges, 0.06, 0.30) + 1.3 * (chance.smooth(14.0 * scale, 53) - 0.5)
    density = density + 0.7 * (chance.paper(54) - 0.5)
    painted = pigment(wash, density[..., None]) * (1 - bare) + np.array([0.985, 0.98, 0.96], np.float32) * bare
    lines = 0.55 * ink_lines(image, 1.0, 3, 26, 0.014, line)[..., None]
    painted = painted * (1 - lines) + np.array([0.24, 0.22, 0.26], np.float32) * lines
    return clip01(painted * (0.96 + 0.08 * (chance.paper(55)[..., None] - 0.5)))


@teacher("gouache", draws_lines=False)
def gouache(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Travel poster: few opaque matt tones with crisp painted borders and a little dry brush."""
    height, width = image.shape[:2]
    smooth = saturate(stretch(kuwahara(kuwahara(image, round(6 * scale)), round(5 * scale))), 1.25)
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB)
    steps = lab[..., 0] / 100 * 5 + 0.25 * (chance.smooth(2.0 * scale, 58) - 0.5)
    floor = np.floor(steps)
    level = (floor + smoothstep(steps - floor, 0.44, 0.56)) / 5
    lab[..., 0] = 14 + 80 * level
    lab[..., 1:] = blur(lab[..., 1:], 2.5 * scale) * 1.15
    lab[..., 2] += 8 * (level - 0.35)  # lights warm, shadows cool
    flat = clip01(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))
    vx, vy = np.ones((height, width), np.float32), np.zeros((height, width), np.float32)
    dry = stretch(line_integral_convolution(chance.smooth(0.9, 57), vx, vy, round(9 * scale)))
    return clip01(flat * (0.95 + 0.09 * dry[..., None]))


@teacher("ink wash")
def ink_wash(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Sumi-e: three bleeding greys of ink, brush lines, and much bare rice paper."""
    height, width = image.shape[:2]
    grey = exposed(stretch(luminance(kuwahara(image, round(6 * scale)))))
    bleed = 0.18 * (chance.smooth(4.0 * scale, 61) - 0.5) + 0.06 * (chance.smooth(1.2, 62) - 0.5)
    tone = grey + bleed
    ink: Array = np.zeros((height, width), np.float32)
    for amount, low, high in ((0.22, -0.66, -0.56), (0.28, -0.42, -0.34), (0.34, -0.22, -0.14)):
        ink = ink + amount * smoothstep(-tone, low, high)
    rim = cv2.morphologyEx(blur(ink, 0.7).astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3)))
    lines = ink_lines(image, 1.6 * scale, 6, 22, 0.012, line)
    ink = np.clip(blur(ink, 0.6 * scale) + 0.3 * rim + 0.8 * lines, 0, 0.95)
    sheet = np.array([0.95, 0.92, 0.85], np.float32) * (0.97 + 0.06 * (chance.smooth(1.5, 63)[..., None] - 0.5))
    return clip01(sheet * (1 - ink[..., None]) + np.array([0.06, 0.06, 0.08], np.float32) * ink[..., None])
