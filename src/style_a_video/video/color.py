"""Colour: from what a decoder gives to BT.709 RGB, as a screen without HDR shows it."""

from __future__ import annotations

from functools import cache
from typing import Any

import av
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter
from numpy.typing import NDArray

PQ, HLG = 16, 18
"""Transfer characteristics of HDR (ITU-T H.273, as are all numbers here): SMPTE ST 2084 and ARIB STD-B67."""
UNSPECIFIED, RGB, BT2020 = 2, 0, (9, 10)
LIMITED = 1
"""FFmpeg's number of the range from 16 to 235."""
FORMATS = {
    (False, False): "rgb24",
    (False, True): "rgba",
    (True, False): "rgb48le",
    (True, True): "rgba64le",
}
"""By whether more than BT.709 is needed, and whether there is transparency."""
BACKGROUND = (255, 255, 255)
"""What lies under transparent pictures: white paper."""
DIFFUSE_WHITE = 203.0
"""Nits of white paper in HDR (ITU-R BT.2408); it becomes the white of the screen."""
HLG_PEAK = 1000.0
"""Nits of the screen that HLG is graded on (ITU-R BT.2100)."""
SHOULDER = 0.75
"""From this share of white on, highlights are compressed."""
GAMMA = 2.4
"""ITU-R BT.1886."""
TO_BT709 = {
    9: ((1.660491, -0.587641, -0.072850), (-0.124550, 1.132900, -0.008349), (-0.018151, -0.100579, 1.118730)),
    12: ((1.224940, -0.224940, 0.0), (-0.042057, 1.042057, 0.0), (-0.019638, -0.078636, 1.098274)),
}
"""By primaries (BT.2020, Display P3), linear RGB to linear BT.709 RGB."""


def to_rgb(frame: av.VideoFrame, width: int, height: int, reformatter: VideoReformatter) -> NDArray[np.uint8]:
    """The frame in BT.709 RGB, (height, width, 3), scaled, neither turned nor mirrored.

    `reformatter` keeps its tables from frame to frame: making them takes longer than using them.
    """
    interpolation = "AREA" if width < frame.width else "BICUBIC"
    wide = frame.color_trc in (PQ, HLG) or frame.color_primaries in TO_BT709
    if wide and not frame.format.is_rgb and frame.format.components[0].bits == 8:
        # Straight from 8 bits to RGB of 16, colours are off by twice as much.
        frame = frame.reformat(format="yuv444p16le", src_colorspace=_matrix_of(frame))
    has_alpha = frame.format.has_palette or any(component.is_alpha for component in frame.format.components)
    pixels: NDArray[Any] = reformatter.reformat(
        frame, width, height, FORMATS[wide, has_alpha],
        src_colorspace=_matrix_of(frame), interpolation=interpolation,
    ).to_ndarray()  # fmt: skip
    if frame.format.name.startswith("gray") and frame.color_range == LIMITED:
        pixels = _full_range(pixels)  # grey is taken for full range, whatever it says
    shown = to_bt709(pixels[..., :3], frame.color_trc, frame.color_primaries) if wide else pixels[..., :3]
    return _on_background(shown, pixels[..., 3:]) if has_alpha else shown


def _matrix_of(frame: av.VideoFrame) -> Colorspace | None:
    """The YUV matrix where the frame's own must not be believed or cannot be read: players guess it by size too."""
    if frame.colorspace in BT2020:
        return Colorspace.BT2020
    is_hd = frame.width >= 1280 or frame.height > 576
    return Colorspace.ITU709 if frame.colorspace == UNSPECIFIED and is_hd and not frame.format.is_rgb else None


def _full_range(pixels: NDArray[Any]) -> NDArray[Any]:
    """Codes of limited range (16 to 235 of 255) as full range."""
    most = np.iinfo(pixels.dtype).max
    low = 16 / 255 * most
    return np.clip(np.rint((pixels - low) * (255 / 219)), 0, most).astype(pixels.dtype)


def _on_background(pixels: NDArray[np.uint8], opacity: NDArray[Any]) -> NDArray[np.uint8]:
    alpha = opacity.astype(np.float32) / np.iinfo(opacity.dtype).max
    background = np.array(BACKGROUND, np.float32) * (1 - alpha)
    return np.rint(pixels * alpha + background).astype(np.uint8)


def to_bt709(pixels: NDArray[np.uint16], transfer: int, primaries: int) -> NDArray[np.uint8]:
    """RGB codes (H, W, 3) of a wider range or gamut as BT.709 codes of 8 bits.

    Up to SHOULDER of diffuse white, what BT.709 can show stays as bright and as coloured as it is.
    """
    light = _linear_light(transfer)[pixels]
    light = light @ np.array(TO_BT709[primaries], np.float32).T if primaries in TO_BT709 else light
    brightest = np.maximum(light.max(axis=2, keepdims=True), 1e-6)
    light = np.clip(light * (compressed(brightest) / brightest), 0, 1)
    return np.rint(255 * light ** np.float32(1 / GAMMA)).astype(np.uint8)


def compressed(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Light in shares of diffuse white: kept up to SHOULDER, above it bent to approach 1."""
    room = 1 - SHOULDER
    return np.where(light <= SHOULDER, light, 1 - room * np.exp(-(np.maximum(light, SHOULDER) - SHOULDER) / room))


@cache
def _linear_light(transfer: int) -> NDArray[np.float32]:
    """By code of 16 bits, light in shares of diffuse white."""
    code = np.arange(2**16) / (2**16 - 1)
    if transfer == PQ:
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        root = code ** (1 / m2)
        light = 10_000 / DIFFUSE_WHITE * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    elif transfer == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
        # The system gamma of a screen of 1000 nits, on every channel as screens without HDR have it (and zimg).
        light = HLG_PEAK / DIFFUSE_WHITE * scene**1.2
    else:
        light = code**GAMMA
    return light.astype(np.float32)
