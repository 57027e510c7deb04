"""Teachers with a pen, a plate or a light: pencil, charcoal, engraving, neon, cyanotype."""

from __future__ import annotations

import cv2
import numpy as np

from .common import (
    Image,
    Map,
    blur,
    clip01,
    fixed_noise,
    ink_lines,
    kuwahara,
    line_integral_convolution,
    luminance,
    paper,
    smoothstep,
    stretch,
)


def _hatching(height: int, width: int, degrees: float, seed: int, length: int = 10) -> Map:
    """Fixed strokes in one direction, in [0, 1]."""
    angle = np.deg2rad(degrees)
    vx, vy = (np.full((height, width), value, np.float32) for value in (np.cos(angle), np.sin(angle)))
    return stretch(line_integral_convolution(fixed_noise(height, width, 0.7, seed), vx, vy, length))


def pencil(image: Image, rng: np.random.Generator) -> Image:
    """Graphite lines, and hatching that thickens in the shade, on white paper."""
    height, width = image.shape[:2]
    tone = stretch(luminance(kuwahara(image, 4)))
    lines = ink_lines(image, sigma=0.9, length=3, strength=30, threshold=0.006)
    first, second = _hatching(height, width, -50, 71), _hatching(height, width, 25, 72)
    shade = (
        0.75 * smoothstep(1 - tone, 0.30, 1.05) * (0.35 + 0.9 * first) + 0.4 * smoothstep(1 - tone, 0.62, 1.05) * second
    )
    graphite = np.clip(0.85 * lines + shade * (0.8 + 0.4 * paper(height, width, 73)), 0, 0.92)
    sheet = 0.965 + 0.03 * (paper(height, width, 74) - 0.5)
    grey = sheet * (1 - graphite) + 0.16 * graphite
    return clip01(grey[..., None] * np.array([1.0, 1.0, 0.99], np.float32))


def charcoal(image: Image, rng: np.random.Generator) -> Image:
    """Broad smudged blacks broken by the tooth of a grey sheet, with rubbed-out lights."""
    height, width = image.shape[:2]
    tone = stretch(blur(luminance(kuwahara(image, 6)), 1.2))
    lines = ink_lines(image, sigma=1.9, length=5, strength=20, threshold=0.008)
    tooth = 0.65 * fixed_noise(height, width, 0.9, 81) + 0.35 * _hatching(height, width, -60, 82, length=5)
    coverage = np.clip(1.05 - 1.15 * tone + 0.8 * lines, 0, 1)
    coal = smoothstep(coverage + 0.55 * (tooth - 0.5), 0.18, 0.85)
    grey = 0.84 * (1 - coal) + 0.07 * coal
    return clip01(grey[..., None] * np.array([1.0, 0.985, 0.955], np.float32))


def engraving(image: Image, rng: np.random.Generator) -> Image:
    """Copper-plate: swelling parallel lines bent by the tones, crossed in the dark; brown-black ink on cream."""
    height, width = image.shape[:2]
    tone = stretch(blur(luminance(image), 1.0))
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    bend = 9.0 * blur(tone, 5.0)
    ink = np.zeros((height, width), np.float32)
    for degrees, period, start in ((35.0, 5.0, 0.86), (-40.0, 5.0, 0.42)):
        angle = np.deg2rad(degrees)
        wave = 0.5 + 0.5 * np.cos(2 * np.pi * (np.cos(angle) * x + np.sin(angle) * y + bend) / period)
        breadth = np.clip((start - tone) / start, 0, 1)
        ink = np.maximum(ink, smoothstep(wave, 1.02 - 1.05 * breadth, 1.32 - 1.05 * breadth))
    ink = np.maximum(ink, ink_lines(image, sigma=0.9, length=4, strength=34, threshold=0.008))
    cream, black = np.array([0.94, 0.90, 0.80], np.float32), np.array([0.13, 0.09, 0.07], np.float32)
    return clip01(cream * (1 - ink[..., None]) + black * ink[..., None])


def neon(image: Image, rng: np.random.Generator) -> Image:
    """Glowing tubes along the outlines, coloured by the hue underneath, over a night-blue dark."""
    smooth = kuwahara(image, 4)
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB) / np.array([100, 60, 60], np.float32)
    gradient = sum(
        np.hypot(cv2.Sobel(lab[..., k], cv2.CV_32F, 1, 0), cv2.Sobel(lab[..., k], cv2.CV_32F, 0, 1)) for k in range(3)
    )
    tube = smoothstep(blur(np.asarray(gradient), 0.8), 0.18, 0.7)
    hsv = cv2.cvtColor(blur(smooth, 3.0), cv2.COLOR_RGB2HSV)
    hue = np.mod(np.where(hsv[..., 1] > 0.12, hsv[..., 0], 300 - 120 * luminance(smooth)) + 0.0, 360)
    colour = cv2.cvtColor(
        np.stack([hue, np.full_like(hue, 0.85), np.ones_like(hue)], axis=2).astype(np.float32), cv2.COLOR_HSV2RGB
    )
    colour = blur(colour, 2.0)
    light = colour * tube[..., None]
    glow = 0.9 * blur(light, 3.0) + 0.9 * blur(light, 9.0)
    night = np.array([0.03, 0.02, 0.09], np.float32) + 0.10 * smooth * np.array([0.6, 0.5, 1.0], np.float32)
    core = 0.75 * light + 0.35 * smoothstep(tube, 0.55, 1.0)[..., None]
    return clip01(night + glow + core)


def cyanotype(image: Image, rng: np.random.Generator) -> Image:
    """Prussian blue and paper white, the pigment brushed on unevenly."""
    height, width = image.shape[:2]
    tone = stretch(luminance(image))
    tone = clip01(tone + 0.05 * (fixed_noise(height, width, 14.0, 91) - 0.5) + 0.05 * (paper(height, width, 92) - 0.5))
    stops = np.array([[0.02, 0.09, 0.24], [0.05, 0.26, 0.50], [0.42, 0.64, 0.78], [0.95, 0.96, 0.93]], np.float32)
    positions = np.array([0.0, 0.38, 0.72, 1.0])
    return clip01(np.stack([np.interp(tone, positions, stops[:, k]) for k in range(3)], axis=2))
