"""Renderers with a brush and thin paint: pointillism, watercolour, ink wash.

Every renderer is called as `renderer(image, scale, line, chance)`: `scale` multiplies the size of its marks, `line` the
breadth of the lines that belong to the medium (0: none).
"""

from __future__ import annotations

import cv2
import numpy as np

from .chance import Chance
from .common import (
    Array,
    Image,
    blur,
    clip01,
    exposed,
    ink_lines,
    kuwahara,
    luminance,
    saturate,
    smoothstep,
    stretch,
)
from .registry import renderer


@renderer("pointillism", draws_lines=False)
def pointillism(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Round dots of pure colour, close together, on a ground that shows between; shadows blue, some dots opposite."""
    height, width = image.shape[:2]
    source = saturate(stretch(kuwahara(image, 2)), 1.6)
    shade = (1 - smoothstep(luminance(source), 0.1, 0.5))[..., None]
    source = clip01(source * 0.88 + 0.08 + shade * np.array([0.02, 0.03, 0.16], np.float32))
    canvas = clip01(np.array([0.93, 0.88, 0.76], np.float32) * 0.5 + blur(source, 3.0) * 0.5)
    spacing, radius = 4.6 * scale, 2.35 * scale
    for seed in (410, 420):
        points = chance.points(spacing, seed)
        tints = 0.055 * np.stack([chance.normal_at(points, 0.2 * spacing, seed + k) for k in (1, 2, 3)], axis=1)
        opposite = chance.uniform_at(points, 0.2 * spacing, seed + 4) < 0.09
        for index in np.argsort(chance.normal_at(points, 0.2 * spacing, seed + 5)):
            x, y = points[index]
            colour = source[int(np.clip(y, 0, height - 1)), int(np.clip(x, 0, width - 1))] + tints[index]
            if opposite[index]:
                colour = 0.45 * colour + 0.55 * (colour.max() + colour.min() - colour)
            centre = (round(float(x) * 16), round(float(y) * 16))
            cv2.circle(canvas, centre, round(radius * 16), np.clip(colour, 0, 1).tolist(), -1, cv2.LINE_AA, shift=4)
    return clip01(canvas)


def wobbled(chance: Chance, image: Image, amount: float, sigma: float, seed: int) -> Image:
    """The picture with its contours shaken a little by noise, as a hand does."""
    height, width = image.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    dx, dy = (chance.smooth(sigma, seed + k) - 0.5 for k in range(2))
    return cv2.remap(image, x + amount * dx, y + amount * dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


@renderer("watercolor")
def watercolor(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Transparent washes on white paper: light first, darker glazes over it, each with a wet edge; pigment runs,
    granulates in the tooth and leaves the lights bare; a few pencil lines underneath."""
    shaken = wobbled(chance, image, 6 * scale, 6.0 * scale, 51)
    wash = kuwahara(kuwahara(shaken, round(5 * scale)), round(4 * scale))
    tone = exposed(stretch(blur(luminance(wash), 1.0)))
    colour = saturate(wash, 1.9)
    colour = clip01(colour / (colour.max(axis=2, keepdims=True) + 0.05) * 0.93)
    run = 0.16 * (chance.smooth(9.0 * scale, 56) - 0.5) + 0.05 * (chance.smooth(2.0, 57) - 0.5)
    density: Array = np.zeros(tone.shape, np.float32)
    for depth, level in ((0.24, 0.86), (0.34, 0.62), (0.50, 0.40), (0.75, 0.20)):
        glaze = 1 - smoothstep(tone + run, level - 0.035, level + 0.035)
        rim = np.clip(glaze - blur(glaze, 2.2 * scale), 0, 1)
        density = density + depth * (glaze * (0.75 + 0.6 * (chance.smooth(16.0 * scale, 53) - 0.3)) + 0.9 * rim)
    density = density * (1 + 0.55 * (chance.paper(54) - 0.5))
    sheet = np.array([0.985, 0.98, 0.965], np.float32) * (0.97 + 0.05 * (chance.paper(55)[..., None] - 0.5))
    painted = sheet * np.exp(-1.15 * density[..., None] * (1.12 - colour))
    lines = 0.34 * ink_lines(image, 0.8, 3, 26, 0.012, line)[..., None]
    return clip01(painted * (1 - lines) + np.array([0.30, 0.29, 0.31], np.float32) * lines)


@renderer("ink wash")
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
