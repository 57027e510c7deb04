"""Teachers with a brush: oil, Van Gogh, impressionism, pointillism, watercolour, ink wash."""

from __future__ import annotations

import cv2
import numpy as np

from .common import (
    Image,
    blur,
    clip01,
    colours,
    emboss,
    fixed_noise,
    ink_lines,
    jittered_grid,
    kuwahara,
    line_integral_convolution,
    luminance,
    paper,
    saturate,
    smoothstep,
    stretch,
    tangent_field,
    to_palette,
)


def oil_painting(image: Image, rng: np.random.Generator) -> Image:
    """Kuwahara patches, then bristle ridges along the forms, lit from the side."""
    height, width = image.shape[:2]
    base = kuwahara(kuwahara(image, 5), 4)
    vx, vy, _ = tangent_field(base, 5.0)
    bristles = line_integral_convolution(fixed_noise(height, width, 0.9, 11), vx, vy, 9)
    relief = stretch(bristles) * 0.55 + luminance(base) * 0.6
    return clip01(saturate(base, 1.3) * emboss(blur(relief, 0.6), 0.22)[..., None])


_STARRY_NIGHT = colours(
    "0b1c4d",
    "163a87",
    "2f68b5",
    "6fa3c8",
    "a9c3a0",
    "e8c944",
    "f6e27a",
    "b97a1e",
    "5e6b35",
    "12233a",
    "d8d3b0",
    "8a4a22",
)


def van_gogh(image: Image, rng: np.random.Generator) -> Image:
    """Long thick strokes that follow the forms and swirl where there are none, in blues, ochres and yellows."""
    height, width = image.shape[:2]
    base = kuwahara(image, 4)
    vx, vy, anisotropy = tangent_field(base, 7.0)
    swirl = fixed_noise(height, width, 22.0, 21) * 6 * np.pi
    edges = blur(
        np.hypot(cv2.Sobel(luminance(base), cv2.CV_32F, 1, 0), cv2.Sobel(luminance(base), cv2.CV_32F, 0, 1)), 5
    )
    follow = smoothstep(anisotropy, 0.15, 0.5) * smoothstep(edges, 0.02, 0.08)
    # Blend the two line fields as doubled angles, since a direction and its opposite are the same stroke.
    angle = np.arctan2(vy, vx)
    c = follow * np.cos(2 * angle) + (1 - follow) * np.cos(swirl)
    s = follow * np.sin(2 * angle) + (1 - follow) * np.sin(swirl)
    angle = 0.5 * np.arctan2(s, c)
    vx, vy = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    strokes = stretch(line_integral_convolution(fixed_noise(height, width, 1.4, 22), vx, vy, 12))
    painted = to_palette(saturate(stretch(base), 1.4), _STARRY_NIGHT, softness=7.0) * 0.75 + saturate(base, 1.5) * 0.25
    painted = painted * (0.72 + 0.5 * strokes[..., None])
    return clip01(painted * emboss(strokes, 0.25)[..., None])


def impressionism(image: Image, rng: np.random.Generator) -> Image:
    """Short dabs of broken colour laid along the forms, large ones first; colours light and a little apart."""
    height, width = image.shape[:2]
    fixed = np.random.default_rng(31)  # the hand's own jitter is the same on every frame
    source = saturate(blur(image, 2.0), 1.45) * 0.88 + 0.12
    vx, vy, _ = tangent_field(image, 4.0)
    angle = np.degrees(np.arctan2(vy, vx))
    canvas = blur(source, 3.0)
    for spacing, length, breadth in ((7.0, 8.0, 3.6), (4.6, 5.4, 2.2)):
        points = jittered_grid(fixed, height, width, spacing, 0.45)
        tints = fixed.normal(0, 0.075, (len(points), 3)) + fixed.normal(0, 0.04, (len(points), 1))
        for index in fixed.permutation(len(points)):
            x, y = points[index]
            column, row = int(np.clip(x, 0, width - 1)), int(np.clip(y, 0, height - 1))
            colour = np.clip(source[row, column] + tints[index], 0, 1)
            axes = (round(length / 2), round(breadth / 2))
            outline = cv2.ellipse2Poly((round(float(x)), round(float(y))), axes, int(angle[row, column]), 0, 360, 30)
            cv2.fillConvexPoly(canvas, outline, colour.tolist(), lineType=cv2.LINE_AA)
    return clip01(canvas)


def pointillism(image: Image, rng: np.random.Generator) -> Image:
    """Round dots of pure colour on an ivory ground; each dot strays towards a neighbouring or complementary hue."""
    height, width = image.shape[:2]
    fixed = np.random.default_rng(41)
    source = saturate(stretch(blur(image, 1.2)), 1.5)
    canvas = np.ones_like(image) * np.array([0.96, 0.93, 0.84], np.float32) * 0.55 + blur(source, 4.0) * 0.45
    for spacing, radius in ((6.0, 2.7), (4.8, 2.0)):
        points = jittered_grid(fixed, height, width, spacing, 0.35)
        tints = fixed.normal(0, 0.14, (len(points), 3))
        complementary = fixed.random(len(points)) < 0.12
        for index in fixed.permutation(len(points)):
            x, y = points[index]
            colour = source[int(np.clip(y, 0, height - 1)), int(np.clip(x, 0, width - 1))] + tints[index]
            if complementary[index]:
                colour = 0.5 * colour + 0.5 * (colour.max() + colour.min() - colour)
            centre = (round(float(x) * 16), round(float(y) * 16))
            cv2.circle(canvas, centre, round(radius * 16), np.clip(colour, 0, 1).tolist(), -1, cv2.LINE_AA, shift=4)
    return clip01(canvas)


def watercolor(image: Image, rng: np.random.Generator) -> Image:
    """Pale wobbling washes with dark wet edges and granulating pigment on rough white paper (Bousseau et al., 2006)."""
    height, width = image.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    wobble_x, wobble_y = (fixed_noise(height, width, 5.0, seed) - 0.5 for seed in (51, 52))
    image = cv2.remap(image, x + 5 * wobble_x, y + 5 * wobble_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    wash = kuwahara(kuwahara(image, 6), 5)
    levels = np.floor(luminance(wash) * 6 + 0.5) / 6
    wash = wash * (0.5 + 0.5 * (levels / (luminance(wash) + 0.05)))[..., None]
    wash = saturate(clip01(wash), 1.35)
    wash = 1 - (1 - wash) * 0.78  # thin paint: much paper shines through
    edges = cv2.morphologyEx(blur(luminance(wash), 0.8), cv2.MORPH_GRADIENT, np.ones((3, 3)))
    density = 1 + 1.7 * smoothstep(edges, 0.02, 0.16) + 1.0 * (fixed_noise(height, width, 12.0, 53) - 0.5)
    density = density + 0.7 * (paper(height, width, 54) - 0.5)
    # Pigment density d turns colour C into C - (C - C²)(d - 1).
    painted = wash - (wash - wash * wash) * (density[..., None] - 1)
    return clip01(painted * (0.97 + 0.06 * (paper(height, width, 55)[..., None] - 0.5)))


def ink_wash(image: Image, rng: np.random.Generator) -> Image:
    """Sumi-e: three bleeding greys of ink, brush lines, and much bare rice paper."""
    height, width = image.shape[:2]
    grey = stretch(luminance(kuwahara(image, 6)))
    bleed = 0.16 * (fixed_noise(height, width, 4.0, 61) - 0.5) + 0.06 * (fixed_noise(height, width, 1.2, 62) - 0.5)
    tone = grey + bleed
    ink = (
        0.24 * smoothstep(-tone, -0.72, -0.62)
        + 0.26 * smoothstep(-tone, -0.46, -0.38)
        + 0.32 * smoothstep(-tone, -0.24, -0.16)
    )
    rim = cv2.morphologyEx(blur(ink, 0.7).astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3)))
    lines = ink_lines(image, sigma=1.6, length=6, strength=22, threshold=0.012)
    ink = np.clip(blur(ink, 0.6) + 0.25 * rim + 0.75 * lines, 0, 0.95)
    sheet = np.array([0.95, 0.92, 0.85], np.float32) * (
        0.97 + 0.06 * (fixed_noise(height, width, 1.5, 63)[..., None] - 0.5)
    )
    return clip01(sheet * (1 - ink[..., None]) + np.array([0.06, 0.06, 0.08], np.float32) * ink[..., None])
