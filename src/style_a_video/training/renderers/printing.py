"""Renderers of print and screen: pop art, comic, anime, pixel art, and the flat colours they share."""

from __future__ import annotations

import cv2
import numpy as np

from .chance import Chance, on_grid
from .common import (
    Image,
    blur,
    clip01,
    colours,
    exposed,
    ink_lines,
    kuwahara,
    luminance,
    saturate,
    smoothstep,
    stretch,
    to_palette,
)
from .registry import renderer

_POP = colours("f7e017", "e4002b", "0057b8", "ffffff", "111111", "ff7bac", "00a3a1", "ff8a00", "f8d9b6")


@renderer("pop art")
def pop_art(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Screen print: loud flat inks, a dot screen in the middle tones, thick black outlines."""
    height, width = image.shape[:2]
    smooth = saturate(exposed(stretch(kuwahara(kuwahara(image, round(5 * scale)), round(4 * scale)))), 1.9)
    flat = blur(to_palette(smooth, _POP, softness=1.0), 0.6)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    period = on_grid(8 * scale**1.5)
    u, v = x + y, x - y
    screen = 0.5 + 0.25 * (np.cos(2 * np.pi * u / period) + np.cos(2 * np.pi * v / period))
    tone = luminance(smooth)
    dots = smoothstep(screen, 0.08 + tone, 0.30 + tone) * smoothstep(-tone, -0.92, -0.8) * smoothstep(tone, 0.10, 0.22)
    dotted = flat * (1 - 0.72 * dots[..., None])
    lines = ink_lines(kuwahara(image, 3), 1.7, 5, 36, 0.010, line)[..., None]
    return clip01(dotted * (1 - lines) + 0.05 * lines)


@renderer("comic")
def comic(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Inked comic: three flat tones of every colour, firm black lines, solid black shadows."""
    smooth = saturate(exposed(stretch(kuwahara(kuwahara(image, round(5 * scale)), round(4 * scale)))), 1.5)
    hsv = cv2.cvtColor(smooth, cv2.COLOR_RGB2HSV)
    value = hsv[..., 2]
    hsv[..., 2] = 0.38 + 0.30 * smoothstep(value, 0.33, 0.40) + 0.32 * smoothstep(value, 0.62, 0.69)
    flat = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    shadow = smoothstep(-luminance(smooth), -0.20, -0.15)
    lines = ink_lines(image, 1.3, 5, 44, 0.007, line)
    ink = np.maximum(lines, shadow)[..., None]
    return clip01(flat * (1 - ink) + 0.03 * ink)


@renderer("anime")
def anime(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Cel: light and one shadow tone of clear colours, thin coloured lines, a glow in the highlights."""
    smooth = stretch(kuwahara(kuwahara(image, round(5 * scale)), round(5 * scale)))
    lab = cv2.cvtColor(saturate(smooth, 1.55), cv2.COLOR_RGB2LAB)
    lightness = lab[..., 0] / 100
    lab[..., 0] = 100 * (
        0.30 + 0.26 * smoothstep(lightness, 0.30, 0.34) + 0.22 * smoothstep(lightness, 0.56, 0.60)
        + 0.16 * smoothstep(lightness, 0.80, 0.84)
    )  # fmt: skip
    shadow = 1 - smoothstep(lightness, 0.28, 0.36)
    lab[..., 2] -= 10 * shadow  # shadows towards blue-violet
    lab[..., 1] += 4 * shadow
    flat = clip01(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))
    lines = ink_lines(image, 0.9, 5, 42, 0.008, line)[..., None]
    drawn = flat * (1 - lines) + 0.28 * flat * lines
    bloom = blur(drawn * smoothstep(lightness, 0.75, 0.95)[..., None], 5.0 * scale)
    return clip01(1 - (1 - drawn) * (1 - 0.35 * bloom))


@renderer("pixel art", draws_lines=False)
def pixel_art(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Square blocks in few clear colours, with ordered dither and dark outlines on the blocks."""
    height, width = image.shape[:2]
    block = on_grid(4 * scale**1.5)
    rows, columns = -(-height // block), -(-width // block)
    padded = cv2.copyMakeBorder(
        saturate(stretch(image), 1.5), 0, rows * block - height, 0, columns * block - width, cv2.BORDER_REPLICATE
    )
    lab = cv2.cvtColor(cv2.resize(padded, (columns, rows), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB)
    threshold = np.array([[0, 2], [3, 1]], np.float32) / 4 - 0.375
    dither = np.tile(threshold, (rows // 2 + 1, columns // 2 + 1))[:rows, :columns]
    lab[..., 0] = np.clip(np.round(lab[..., 0] / 17 + 0.45 * dither), 0.35, 5.6) * 17
    lab[..., 1:] = np.round(lab[..., 1:] / 22) * 22 * 1.1
    blocks = clip01(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))
    ink = cv2.resize(ink_lines(image, 1.4, 4, 40, 0.012), (columns, rows), interpolation=cv2.INTER_AREA)
    blocks = clip01(blocks * (1 - 0.75 * smoothstep(ink, 0.3, 0.6)[..., None]))
    return np.repeat(np.repeat(blocks, block, axis=0), block, axis=1)[:height, :width]
