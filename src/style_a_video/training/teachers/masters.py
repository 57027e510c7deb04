"""Teachers after living and recent painters named in the paper's teaser: their light and handling, in broad strokes."""

from __future__ import annotations

import cv2
import numpy as np

from .chance import Chance
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
    paint_strokes,
    saturate,
    smoothstep,
    stretch,
)
from .painting import bristled, detail_of
from .registry import teacher


def _screen(below: Array, above: Array) -> Array:
    return 1 - (1 - below) * (1 - above)


@teacher("thomas kinkade", draws_lines=False)
def kinkade(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Thomas Kinkade: a glowing dusk. Lights bloom in honey gold, shadows turn to violet and moss, small soft dabs."""
    source = saturate(stretch(blur(image, 0.8)), 1.4)
    grey = luminance(source)[..., None]
    light = smoothstep(grey[..., 0], 0.45, 0.92)[..., None]
    tinted = source * (1 - 0.55 * light) + 0.55 * light * grey * np.array([1.12, 0.92, 0.52], np.float32)
    shade = (1 - smoothstep(grey[..., 0], 0.12, 0.5))[..., None]
    tinted = tinted * (1 - 0.45 * shade) + 0.45 * shade * (grey * 0.8 + np.array([0.10, 0.07, 0.20], np.float32))
    vx, vy = flowing_field(chance, image, 2.5 * scale, 12.0 * scale, 1.0, 161)
    canvas, heights = clip01(tinted), np.zeros(image.shape[:2], np.float32)
    paint_strokes(chance, canvas, heights, clip01(tinted), vx, vy, 4.2 * scale, 7.0 * scale, 3.0 * scale, 0.045, 162)
    glow = blur(canvas * light, 9.0 * scale) * np.array([1.0, 0.82, 0.48], np.float32)
    return clip01(_screen(bristled(chance, canvas, heights, vx, vy, scale, 0.12, 163), 0.85 * glow))


@teacher("georgia o'keeffe", draws_lines=False)
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
    weave = chance.smooth(0.8, 164)[..., None]
    return clip01(painted * (0.985 + 0.03 * weave))


@teacher("paul kenton")
def kenton(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Paul Kenton: a bright city in knife strokes. White ground, upright and level slabs, saturated splashes, drips."""
    height, width = image.shape[:2]
    source = saturate(exposed(stretch(kuwahara(image, round(3 * scale)))), 1.7)
    gx = blur(np.abs(cv2.Sobel(luminance(source), cv2.CV_32F, 1, 0)), 4.0 * scale)
    gy = blur(np.abs(cv2.Sobel(luminance(source), cv2.CV_32F, 0, 1)), 4.0 * scale)
    upright = (gx + 0.25 * (chance.smooth(10.0, 165) - 0.5) > gy).astype(np.float32)
    vx, vy = 1 - upright, upright
    canvas, heights = clip01(np.full_like(image, 0.93) * 0.8 + 0.2 * source), np.zeros((height, width), np.float32)
    paint_strokes(chance, canvas, heights, source, vx, vy, 7.0 * scale, 13.0 * scale, 5.0 * scale, 0.06, 166)
    busy = detail_of(image, 2.0 * scale, 0.04)
    paint_strokes(chance, canvas, heights, source, vx, vy, 3.4 * scale, 8.0 * scale, 2.0 * scale, 0.06, 167, busy)
    down = np.ones((height, width), np.float32)
    drips = stretch(line_integral_convolution(chance.smooth(1.0 * scale, 168), 0 * down, down, round(16 * scale)))
    white = smoothstep(drips, 0.80, 0.90) * smoothstep(luminance(canvas), 0.25, 0.75)
    lit = clip01(canvas * emboss(blur(heights, 0.5), 0.18)[..., None])
    lines = 0.7 * ink_lines(image, 1.0, 5, 30, 0.014, line)[..., None]
    return clip01((lit * (1 - 0.7 * white[..., None]) + 0.7 * white[..., None]) * (1 - lines) + 0.08 * lines)


@teacher("peter mohrbacher", draws_lines=False)
def mohrbacher(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Peter Mohrbacher: an apparition. Pearl and rose light, teal depths, veils of mist, fine threads."""
    tone = exposed(stretch(luminance(kuwahara(image, round(4 * scale)))))
    soft = blur(tone, 4.0 * scale)
    vx, vy = flowing_field(chance, image, 6.0 * scale, 34.0 * scale, 0.8, 171)
    veils = stretch(line_integral_convolution(chance.smooth(3.5 * scale, 172), vx, vy, round(16 * scale)))
    filaments = stretch(line_integral_convolution(chance.smooth(0.8 * scale, 173), vx, vy, round(14 * scale)))
    value = clip01(0.62 * tone + 0.30 * soft + 0.20 * (veils - 0.5) + 0.10 * (filaments - 0.5) + 0.05)
    stops = np.array(
        [[0.05, 0.10, 0.16], [0.14, 0.34, 0.40], [0.52, 0.52, 0.58], [0.90, 0.72, 0.66], [1.0, 0.95, 0.86]]
    )
    ramp = np.stack([np.interp(value, [0.0, 0.28, 0.52, 0.76, 1.0], stops[:, k]) for k in range(3)], axis=2)
    hue = saturate(blur(image, 2.0), 1.3) - luminance(image)[..., None]
    glow = blur(ramp * smoothstep(value, 0.6, 0.95)[..., None], 10.0 * scale)
    return clip01(_screen(clip01(ramp + 0.35 * hue), 0.45 * glow))


@teacher("feng zhu")
def feng_zhu(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Feng Zhu: concept art. Cool grey values blocked in with a square brush, warm accents, haze in the lights."""
    source = exposed(stretch(kuwahara(image, round(4 * scale))))
    grey = luminance(source)[..., None]
    cool = grey * np.array([0.86, 0.98, 1.06], np.float32)
    warm = np.clip(source[..., :1] - source[..., 2:], 0, 1)
    base = clip01(0.58 * cool + 0.42 * source + 0.35 * warm * np.array([0.55, 0.20, -0.15], np.float32))
    base = clip01((base - 0.5) * 1.25 + 0.46)
    vx, vy = flowing_field(chance, source, 6.0 * scale, 40.0 * scale, 0.35, 175)
    canvas, heights = clip01(blur(base, 2.0)), np.zeros(image.shape[:2], np.float32)
    paint_strokes(chance, canvas, heights, base, vx, vy, 9.0 * scale, 24.0 * scale, 9.0 * scale, 0.035, 176)
    busy = detail_of(image, 2.0 * scale, 0.035)
    paint_strokes(chance, canvas, heights, base, vx, vy, 4.0 * scale, 11.0 * scale, 3.0 * scale, 0.05, 177, busy)
    haze = smoothstep(blur(luminance(base), 8.0 * scale), 0.45, 0.95)[..., None]
    hazed = canvas * (1 - 0.45 * haze) + 0.45 * haze * np.array([0.80, 0.88, 0.92], np.float32)
    lines = 0.6 * ink_lines(image, 0.8, 4, 26, 0.014, line)[..., None]
    return clip01(hazed * (1 - lines) + 0.07 * lines)
