"""Renderers with a pen, a plate or a light: pencil, charcoal, pastel, engraving, linocut, neon, cyanotype, film."""

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
from .registry import renderer


def hatching(chance: Chance, degrees: float, seed: int, length: float = 10, breadth: float = 0.7) -> Map:
    """Strokes in one direction, in [0, 1]."""
    angle = np.deg2rad(degrees)
    vx, vy = (np.full((chance.height, chance.width), value, np.float32) for value in (np.cos(angle), np.sin(angle)))
    noise = chance.smooth(round(breadth, 2), seed)
    return stretch(line_integral_convolution(noise, vx, vy, max(2, round(length))))


def _on_paper(ink: Array, paper_colour: tuple[float, float, float], ink_colour: tuple[float, float, float]) -> Image:
    cover = np.asarray(ink)[..., None]
    return clip01(np.array(paper_colour, np.float32) * (1 - cover) + np.array(ink_colour, np.float32) * cover)


@renderer("pencil")
def pencil(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Graphite lines, and hatching that thickens in the shade, on white paper."""
    tone = stretch(luminance(kuwahara(image, 4)))
    lines = ink_lines(image, 0.9, 3, 34, 0.006, line)
    first = hatching(chance, -50, 71, 10 * scale, 0.7 * scale)
    second = hatching(chance, 25, 72, 10 * scale, 0.7 * scale)
    shade = 0.75 * smoothstep(1 - tone, 0.30, 1.05) * (0.25 + 1.0 * first)
    shade = shade + 0.4 * smoothstep(1 - tone, 0.62, 1.05) * second
    graphite = np.clip(0.9 * lines + shade * (0.8 + 0.4 * chance.paper(73)), 0, 0.92)
    sheet = 0.965 + 0.03 * (chance.paper(74) - 0.5)
    grey = sheet * (1 - graphite) + 0.16 * graphite
    return clip01(grey[..., None] * np.array([1.0, 1.0, 0.99], np.float32))


@renderer("charcoal")
def charcoal(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Broad smudged blacks broken by the tooth of a grey sheet, with rubbed-out lights."""
    tone = exposed(stretch(blur(luminance(kuwahara(image, round(6 * scale))), 1.2)))
    lines = ink_lines(image, 1.9, 5, 20, 0.008, line)
    tooth = 0.6 * chance.smooth(0.9, 81) + 0.4 * hatching(chance, -60, 82, 6 * scale, 1.0 * scale)
    coverage = np.clip(1.05 - 1.15 * tone + 0.8 * lines, 0, 1)
    coal = smoothstep(coverage + 0.6 * (tooth - 0.5), 0.10, 1.05)
    return _on_paper(coal, (0.84, 0.83, 0.80), (0.07, 0.068, 0.066))


@renderer("pastel")
def pastel(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Soft chalk: broad strokes along the forms that skip over the tooth of a toned sheet; lights laid on thickly."""
    source = clip01(saturate(kuwahara(kuwahara(image, round(4 * scale)), 3), 1.5) * 0.90 + 0.09)
    vx, vy = flowing_field(chance, source, 4.0 * scale, 40.0 * scale, 0.4, 84)
    sheet = np.array([0.55, 0.49, 0.45], np.float32)
    grain = stretch(line_integral_convolution(chance.smooth(0.9 * scale, 86), vx, vy, round(9 * scale)))
    broad = stretch(line_integral_convolution(chance.smooth(2.6 * scale, 85), vx, vy, round(12 * scale)))
    strokes = clip01(source * (1 + 0.42 * (broad[..., None] - 0.5) + 0.34 * (grain[..., None] - 0.5)))
    pressure = 0.22 + 0.42 * smoothstep(luminance(source), 0.15, 0.8) + 0.25 * (broad - 0.5)
    tooth = 0.55 * chance.paper(87) + 0.45 * grain
    hold = smoothstep(pressure + 1.1 * (tooth - 0.5), 0.08, 0.48)[..., None]
    chalk = strokes * hold + (0.75 * sheet + 0.25 * blur(source, 4.0)) * (1 - hold)
    lines = 0.6 * ink_lines(image, 1.5, 4, 22, 0.012, line)[..., None] * (0.4 + 0.6 * tooth[..., None])
    return clip01(chalk * (1 - lines) + np.array([0.22, 0.16, 0.18], np.float32) * lines)


def _waves(chance: Chance, degrees: float, period: float, bend: Array, seed: int) -> Map:
    """Parallel waves in [0, 1], displaced by `bend` pixels."""
    wave = 0.5 + 0.5 * np.cos(chance.wave_phase(degrees, period, seed) + 2 * np.pi * bend / period)
    return np.asarray(wave, np.float32)


@renderer("cross-hatching")
def cross_hatching(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Pen and black ink: outlines, and one to three directions of hand-drawn strokes as the shade deepens."""
    height, width = image.shape[:2]
    tone = exposed(stretch(luminance(kuwahara(image, 4))))
    tremble = 1.6 * (chance.smooth(7.0, 77) - 0.5)
    ink: Array = np.zeros((height, width), np.float32)
    for degrees, start, seed in ((50.0, 0.80, 78), (-45.0, 0.52, 79), (5.0, 0.30, 80)):
        wave = _waves(chance, degrees, 5.2 * scale, tremble, seed + 200)
        broken = chance.smooth(3.0 * scale, seed)
        depth = np.clip((start - tone) / start, 0, 1)
        stroke = smoothstep(wave, 0.98 - 0.5 * depth, 1.12 - 0.5 * depth) * smoothstep(depth + 0.5 * broken, 0.30, 0.42)
        ink = np.maximum(ink, stroke * (depth > 0.02))
    ink = np.maximum(ink, ink_lines(image, 1.1, 5, 40, 0.007, line))
    return _on_paper(ink, (0.98, 0.975, 0.955), (0.06, 0.06, 0.09))


@renderer("engraving")
def engraving(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Copper-plate: swelling parallel lines bent by the tones, crossed in the dark; brown-black ink on cream."""
    height, width = image.shape[:2]
    tone = exposed(stretch(blur(luminance(image), 1.0)))
    bend = 9.0 * scale * blur(tone, 5.0 * scale)
    ink: Array = np.zeros((height, width), np.float32)
    for degrees, start, seed in ((80.0, 0.90, 290), (25.0, 0.42, 291)):
        wave = _waves(chance, degrees, 4.6 * scale, bend, seed)
        breadth = np.clip((start - tone) / start, 0, 1)
        ink = np.maximum(ink, smoothstep(wave, 1.02 - 1.05 * breadth, 1.32 - 1.05 * breadth))
    ink = np.maximum(ink, ink_lines(image, 0.9, 4, 34, 0.008, line))
    return _on_paper(ink, (0.94, 0.90, 0.80), (0.13, 0.09, 0.07))


@renderer("linocut")
def linocut(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Black and white relief print: solid shapes, gouge marks along the forms in the middle tones."""
    smooth = kuwahara(kuwahara(image, round(5 * scale)), round(4 * scale))
    tone = exposed(stretch(luminance(smooth)))
    vx, vy = flowing_field(chance, smooth, 5.0 * scale, 24.0 * scale, 0.8, 87)
    gouges = stretch(line_integral_convolution(chance.smooth(1.3 * scale, 88), vx, vy, round(9 * scale)), 0.05, 0.95)
    white = smoothstep(tone + 0.75 * (gouges - 0.5), 0.44, 0.52)
    white = np.maximum(white * smoothstep(tone, 0.16, 0.22), smoothstep(tone, 0.80, 0.84))
    ink = np.maximum(1 - white, ink_lines(image, 1.5, 5, 40, 0.010, line))
    return _on_paper(0.97 * ink, (0.955, 0.94, 0.90), (0.05, 0.05, 0.055))


@renderer("neon")
def neon(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Glowing tubes along the outlines, coloured by the hue underneath, over a night-blue dark."""
    smooth = kuwahara(image, round(4 * scale))
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB) / np.array([100, 60, 60], np.float32)
    gradient: Array = sum(
        np.hypot(cv2.Sobel(lab[..., k], cv2.CV_32F, 1, 0), cv2.Sobel(lab[..., k], cv2.CV_32F, 0, 1)) for k in range(3)
    )
    gradient = blur(gradient, 0.9 * scale * max(line, 0.5))
    tube = smoothstep(gradient / (blur(gradient, 24.0) + 0.12), 0.55, 1.5) * (0.35 if line == 0 else 1.0)
    hsv = cv2.cvtColor(blur(smooth, 3.0), cv2.COLOR_RGB2HSV)
    hue = np.mod(np.where(hsv[..., 1] > 0.12, hsv[..., 0], 300 - 120 * luminance(smooth)), 360)
    colour = cv2.cvtColor(
        np.stack([hue, np.full_like(hue, 0.85), np.ones_like(hue)], axis=2).astype(np.float32), cv2.COLOR_HSV2RGB
    )
    light = blur(colour, 2.0) * tube[..., None]
    glow = 0.8 * blur(light, 3.0) + 0.8 * blur(light, 9.0)
    night = np.array([0.03, 0.02, 0.09], np.float32) + 0.12 * smooth * np.array([0.6, 0.5, 1.0], np.float32)
    core = 0.8 * light + 0.4 * smoothstep(tube, 0.55, 1.0)[..., None]
    return clip01(night + glow + core)


def _toned(tone: Array, stops: list[list[float]], positions: list[float]) -> Image:
    """Tones to colours, piecewise linear."""
    table = np.array(stops)
    return clip01(np.stack([np.interp(tone, positions, table[:, k]) for k in range(3)], axis=2))


@renderer("cyanotype", draws_lines=False)
def cyanotype(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """Prussian blue and paper white, the pigment brushed on unevenly."""
    tone: Array = stretch(luminance(image))
    tone = tone + 0.06 * (chance.smooth(14.0 * scale, 91) - 0.5) + 0.06 * (chance.paper(92) - 0.5)
    return _toned(
        tone,
        [[0.02, 0.09, 0.24], [0.05, 0.26, 0.50], [0.42, 0.64, 0.78], [0.95, 0.96, 0.93]],
        [0.0, 0.38, 0.72, 1.0],
    )


@renderer("sepia film", draws_lines=False)
def sepia_film(image: Image, scale: float, line: float, chance: Chance) -> Image:
    """An old photograph: warm browns, faded blacks, soft lens, film grain and dark corners."""
    height, width = image.shape[:2]
    grey = stretch(luminance(image))
    tone: Array = 0.7 * grey + 0.3 * blur(grey, 3.0)
    grain = 0.16 * scale**0.5
    tone = clip01(tone + grain * (chance.smooth(round(0.7 * scale, 2), 95) - 0.5))
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    corners = 1 - 0.42 * smoothstep(np.hypot(x, y), 0.65, 1.45)
    picture = _toned(
        tone,
        [[0.15, 0.09, 0.05], [0.44, 0.30, 0.19], [0.76, 0.62, 0.45], [0.97, 0.91, 0.78]],
        [0.0, 0.35, 0.7, 1.0],
    )
    return clip01(picture * corners[..., None])
