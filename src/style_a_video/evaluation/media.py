"""Pictures and videos of a study: output videos, heat maps, x-t slices."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import matplotlib
import numpy as np
from numpy.typing import NDArray

from ..atomic import atomic_path
from ..frames import Pixels, picture_to_pixels

FULL_SCALE = 0.25
"""Difference that a heat map draws brightest."""


def heat_map(difference: NDArray[np.float64]) -> Pixels:
    """(H, W) in [0, 1] -> (H, W, 3) uint8 in the colours of "inferno"; grey where NaN: no motion is trusted there."""
    inferno = matplotlib.colormaps["inferno"].with_extremes(bad=(0.5, 0.5, 0.5))
    colours = inferno(np.ma.masked_invalid(np.clip(difference / FULL_SCALE, 0, 1)))
    return picture_to_pixels(colours[..., :3])


def time_slice(pixels: Pixels) -> Pixels:
    """One scan line over time: the middle row of every frame (T, H, W, 3), each eight rows high."""
    return np.ascontiguousarray(pixels[:, pixels.shape[1] // 2].repeat(8, axis=0))


def write_video(path: Path, pixels: Pixels, rate: Fraction) -> None:
    """Write frames (T, H, W, 3) as an H.264 MP4 that browsers play.

    Sides are made even by repeating the last line. Raises InputError when it cannot be written.
    """
    padded = np.pad(pixels, ((0, 0), (0, pixels.shape[1] % 2), (0, pixels.shape[2] % 2), (0, 0)), mode="edge")
    with atomic_path(path) as partial, av.open(str(partial), "w", options={"movflags": "+faststart"}) as container:
        stream: Any = container.add_stream("libx264", rate=rate.limit_denominator(1001), options={"crf": "20"})
        stream.height, stream.width, stream.pix_fmt = padded.shape[1], padded.shape[2], "yuv420p"
        for frame in padded:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def read_frames(path: Path) -> Iterator[Pixels]:
    """The frames of a kept video."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
