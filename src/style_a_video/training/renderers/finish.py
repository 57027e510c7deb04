"""What modifies a medium: palette, tone, lines laid over, the surface that it is on."""

from __future__ import annotations

import cv2
import numpy as np

from ...styles.spec import PALETTES
from .chance import Chance
from .common import (
    Array,
    Image,
    blur,
    clip01,
    colours,
    emboss,
    ink_lines,
    line_integral_convolution,
    saturate,
    smoothstep,
    stretch,
)


def recoloured(image: Image, palette: str) -> Image:
    """The picture in the named palette. Light and dark follow its ramp.

    Of its two neighbours on the ramp each colour leans towards the nearer one, so that different hues stay apart.
    Half of the picture's own lightness is kept, so that its marks survive.
    """
    ramp = cv2.cvtColor(colours(*PALETTES[palette])[None], cv2.COLOR_RGB2LAB)[0]
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lightness = lab[..., 0]
    low, high = np.quantile(lightness, [0.02, 0.98])
    spread = max(high - low, 40.0)
    position = np.clip((lightness - (low + high) / 2) / spread + 0.5, 0, 1)
    target = ramp[0, 0] + position * (ramp[-1, 0] - ramp[0, 0])
    tint = ramp[:, 1:] / (np.linalg.norm(ramp[:, 1:], axis=1, keepdims=True) + 1e-3)
    hue = lab[..., 1:] / (np.linalg.norm(lab[..., 1:], axis=2, keepdims=True) + 12.0)
    weight = np.exp(-np.abs(target[..., None] - ramp[:, 0]) / 12.0 + 0.9 * (hue[..., None, :] * tint).sum(-1))
    weight = weight / weight.sum(axis=-1, keepdims=True)
    mixed = weight @ ramp
    mixed[..., 0] = 0.5 * mixed[..., 0] + 0.5 * target
    return clip01(cv2.cvtColor(mixed.astype(np.float32), cv2.COLOR_LAB2RGB))


def toned(image: Image, tone: str) -> Image:
    """One of `styles.spec.TONES`, as a curve on the colours (and a veil for mist)."""
    if tone == "dark":
        return clip01(image**1.5 * 0.72)
    if tone == "pale":
        return clip01(saturate(1 - (1 - image) * 0.52, 0.8))
    if tone == "vivid":
        return clip01((saturate(image, 1.8) - 0.5) * 1.15 + 0.5)
    if tone == "muted":
        return clip01((saturate(image, 0.42) - 0.5) * 0.82 + 0.5)
    if tone == "warm":
        return clip01(image * np.array([1.12, 1.0, 0.74], np.float32) + np.array([0.05, 0.02, 0.0], np.float32))
    if tone == "cool":
        return clip01(image * np.array([0.78, 0.97, 1.12], np.float32) + np.array([0.0, 0.01, 0.05], np.float32))
    if tone == "misty":
        return clip01(0.5 * blur(image, 1.0) + 0.5 * np.array([0.84, 0.86, 0.88], np.float32))
    raise ValueError(f"there is no tone {tone!r}")


def outlined(picture: Image, content: Image, breadth: float) -> Image:
    """Dark lines along the content's contours, over a medium that has none of its own."""
    lines = 0.9 * ink_lines(content, 1.3, 5, 36, 0.010, breadth)[..., None]
    return clip01(picture * (1 - lines) + 0.06 * lines)


def on_surface(picture: Image, surface: str, chance: Chance) -> Image:
    """The relief and stain of what the picture is on, lit from the upper left."""
    height, width = picture.shape[:2]
    relief: Array
    if surface == "rough paper":
        relief, strength = chance.paper(181), 0.35
    elif surface == "canvas":
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        warp, weft = np.cos(2 * np.pi * x / 4), np.cos(2 * np.pi * y / 4)
        relief = 0.5 + 0.25 * np.maximum(warp, weft) * (0.6 + 0.8 * chance.smooth(2.0, 183))
        strength = 0.22
    elif surface == "rice paper":
        vx, vy = (f(6.0 * chance.smooth(12.0, 184)).astype(np.float32) for f in (np.cos, np.sin))
        fibres = stretch(line_integral_convolution(chance.smooth(0.8, 185), vx, vy, 12))
        relief, strength = fibres, 0.20
        picture = clip01(picture * (0.90 + 0.14 * smoothstep(fibres, 0.2, 0.9)[..., None]) + 0.02)
    elif surface == "wall":
        plaster = 0.7 * chance.smooth(6.0, 186) + 0.3 * chance.smooth(1.2, 187)
        cracks = 1 - smoothstep(np.abs(chance.smooth(16.0, 188) - 0.5), 0.004, 0.016)
        relief, strength = plaster, 0.45
        picture = clip01(picture * (0.84 + 0.24 * plaster[..., None]) * (1 - 0.45 * cracks[..., None]))
    else:
        raise ValueError(f"there is no surface {surface!r}")
    return clip01(picture * emboss(blur(relief, 0.5), strength)[..., None])
