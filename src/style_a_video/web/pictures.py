"""The pictures that the page begins with, made by the model itself: an example clip, and a frame in every style."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import PIL.Image

from ..demo import demo_clip
from ..frames import Pixels
from ..pipeline import StyleAVideoPipeline
from ..styles import STYLES
from ..video import VideoInfo, open_writer

SIDE = 192
"""Pixels, of the pictures of styles."""
FRAMES, RATE = 72, Fraction(24)


def example_clip(folder: Path) -> Path:
    """A clip to try things on: three seconds."""
    path = folder / "example.mp4"
    if not path.exists():
        clip = demo_clip(frames=FRAMES, width=384, height=256)
        info = VideoInfo(path, 384, 256, FRAMES, RATE, 1 / RATE, (), float(FRAMES / RATE))
        with open_writer(path, (384, 256), info) as writer:
            for number, pixels in enumerate(clip.frames):
                writer.write(np.asarray(pixels), number)
    return path


def style_pictures(pipeline: StyleAVideoPipeline, picture: Pixels, folder: Path) -> list[tuple[Path, str]]:
    """The picture in every style of the model, as files, each with the style's name."""
    found = []
    for style in STYLES:
        path = folder / f"{style.name.replace(' ', '-')}.jpg"
        if not path.exists():
            stylized = pipeline(style.prompt, picture[None], fast=True, output_type="pil").frames[0]
            stylized.save(path, quality=88)
        found.append((path, style.name))
    return found


def small(picture: Pixels) -> Pixels:
    """The middle square of a picture, SIDE pixels wide."""
    side = min(picture.shape[:2])
    top, left = ((length - side) // 2 for length in picture.shape[:2])
    square = PIL.Image.fromarray(picture[top : top + side, left : left + side])
    return np.array(square.resize((SIDE, SIDE), PIL.Image.Resampling.LANCZOS))  # a copy, which torch may write to
