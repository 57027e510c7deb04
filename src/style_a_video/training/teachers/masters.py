"""Teachers after living and recent painters named in the paper's teaser: their light and handling, in broad strokes."""

from __future__ import annotations

import cv2
import numpy as np

from .chance import FIELDS, Chance
from .common import (
    Array,
    Image,
    blur,
    clip01,
    emboss,
    exposed,
    flowing_field,
    ink_lines,
    kuwahara,
    line_integral_convolution,
    luminance,
    saturate,
    smoothstep,
    stretch,
)
from .painting import brushed, drawn_out, strokes_along


def _screen(below: Array, above: Array) -> Array:
    return 1 - (1 - below) * (1 - above)


def kinkade(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Thomas Kinkade: a glowing dusk. Lights bloom in honey gold, shadows turn to violet and moss, small soft dabs."""
    source = saturate(stretch(blur(image, 0.8)), 1.4)
    grey = luminance(source)[..., None]
    light = smoothstep(grey[..., 0], 0.45, 0.92)[..., None]
    tinted = source * (1 - 0.55 * light) + 0.55 * light * grey * np.array([1.12, 0.92, 0.52], np.float32)
    shade = (1 - smoothstep(grey[..., 0], 0.12, 0.5))[..., None]
    tinted = tinted * (1 - 0.45 * shade) + 0.45 * shade * (grey * 0.8 + np.array([0.10, 0.07, 0.20], np.float32))
    strokes = strokes_along(chance, image, scale)
    canvas = drawn_out(clip01(tinted), strokes.vx, strokes.vy, 3.0 * scale * strokes.light)
    canvas = clip01(canvas + 0.05 * strokes.light[..., None])
    glow = blur(canvas * light, 9.0 * scale) * np.array([1.0, 0.82, 0.48], np.float32)
    return clip01(_screen(clip01(canvas * emboss(0.6 * strokes.light, 0.12)[..., None]), 0.85 * glow))


def okeeffe(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Georgia O'Keeffe: large simplified forms, each a smooth gradation from a dark rim to a pale glowing middle."""
    smooth = kuwahara(kuwahara(image, round(7 * scale)), round(6 * scale))
    soft = blur(smooth, 3.5 * scale)
    lab = cv2.cvtColor(saturate(stretch(soft), 1.5), cv2.COLOR_RGB2LAB)
    edges = luminance(smooth)
    rim = blur(np.hypot(cv2.Sobel(edges, cv2.CV_32F, 1, 0), cv2.Sobel(edges, cv2.CV_32F, 0, 1)), 2.2 * scale)
    dark = smoothstep(rim, 0.02, 0.30)
    lab[..., 0] = 26 + 0.74 * lab[..., 0] + 7 * (1 - dark) - 15 * dark
    lab[..., 1] += 9 * smoothstep(lab[..., 0], 40, 85)  # lights blush
    painted = clip01(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))
    weave = chance.smooth(0.8, 0)[..., None]
    return clip01(painted * (0.985 + 0.03 * weave))


def kenton(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Paul Kenton: a bright city in knife strokes. White ground, upright and level slabs, saturated splashes, drips."""
    height, width = image.shape[:2]
    source = saturate(exposed(stretch(kuwahara(image, round(3 * scale)))), 1.7)
    gx = blur(np.abs(cv2.Sobel(luminance(source), cv2.CV_32F, 1, 0)), 4.0 * scale)
    gy = blur(np.abs(cv2.Sobel(luminance(source), cv2.CV_32F, 0, 1)), 4.0 * scale)
    upright = (gx + 0.25 * (chance.smooth(10.0, 2) - 0.5) > gy).astype(np.float32)
    vx, vy = 1 - upright, upright
    slabs = np.stack([brushed(chance, vx, vy, scale, field) for field in range(FIELDS)], axis=-1)
    knife = drawn_out(source, vx, vy, 6.0 * scale * slabs[..., 0])
    canvas = clip01(knife + 0.10 * slabs + 0.16 * smoothstep(slabs[..., 1], 0.3, 0.9)[..., None])
    down = np.ones((height, width), np.float32)
    drips = stretch(line_integral_convolution(chance.smooth(1.0 * scale, 1), 0 * down, down, round(16 * scale)))
    white = smoothstep(drips, 0.80, 0.90) * smoothstep(luminance(canvas), 0.25, 0.75)
    lit = clip01(canvas * emboss(0.5 * slabs[..., 0], 0.18)[..., None])
    lines = 0.7 * ink_lines(image, 1.0, 5, 30, 0.014, line)[..., None]
    return clip01((lit * (1 - 0.7 * white[..., None]) + 0.7 * white[..., None]) * (1 - lines) + 0.08 * lines)


def mohrbacher(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Peter Mohrbacher: an apparition. Pearl and rose light, teal depths, veils of mist along the forms, fine filaments."""
    tone = exposed(stretch(luminance(kuwahara(image, round(4 * scale)))))
    soft = blur(tone, 4.0 * scale)
    vx, vy = flowing_field(chance, image, 6.0 * scale, 34.0 * scale, 0.8, 2)
    veils = stretch(line_integral_convolution(chance.smooth(3.5 * scale, 0), vx, vy, round(16 * scale)))
    filaments = stretch(line_integral_convolution(chance.smooth(0.8 * scale, 1), vx, vy, round(14 * scale)))
    value = clip01(0.62 * tone + 0.30 * soft + 0.20 * (veils - 0.5) + 0.10 * (filaments - 0.5) + 0.05)
    stops = np.array(
        [[0.05, 0.10, 0.16], [0.14, 0.34, 0.40], [0.52, 0.52, 0.58], [0.90, 0.72, 0.66], [1.0, 0.95, 0.86]]
    )
    ramp = np.stack([np.interp(value, [0.0, 0.28, 0.52, 0.76, 1.0], stops[:, k]) for k in range(3)], axis=2)
    hue = saturate(blur(image, 2.0), 1.3) - luminance(image)[..., None]
    glow = blur(ramp * smoothstep(value, 0.6, 0.95)[..., None], 10.0 * scale)
    return clip01(_screen(clip01(ramp + 0.35 * hue), 0.45 * glow))


def feng_zhu(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Feng Zhu: concept art. Cool grey values blocked in with a square brush, warm accents, haze in the lights."""
    source = exposed(stretch(kuwahara(image, round(4 * scale))))
    grey = luminance(source)[..., None]
    cool = grey * np.array([0.86, 0.98, 1.06], np.float32)
    warm = np.clip(source[..., :1] - source[..., 2:], 0, 1)
    base = clip01(0.58 * cool + 0.42 * source + 0.35 * warm * np.array([0.55, 0.20, -0.15], np.float32))
    base = clip01((base - 0.5) * 1.25 + 0.46)
    strokes = strokes_along(chance, source, 1.3 * scale)
    canvas = drawn_out(base, strokes.vx, strokes.vy, 7.0 * scale * strokes.light)
    canvas = clip01(canvas + 0.06 * strokes.light[..., None])
    haze = smoothstep(blur(luminance(base), 8.0 * scale), 0.45, 0.95)[..., None]
    hazed = canvas * (1 - 0.45 * haze) + 0.45 * haze * np.array([0.80, 0.88, 0.92], np.float32)
    lines = 0.6 * ink_lines(image, 0.8, 4, 26, 0.014, line)[..., None]
    return clip01(hazed * (1 - lines) + 0.07 * lines)
