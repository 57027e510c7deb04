"""The pictures that the page begins with, made by the model itself: an example clip, and a frame in every style."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image

from ..demo import demo_clip, write_demo_clip
from ..frames import Pixels
from ..pipeline import StyleAVideoPipeline
from ..styles import STYLES

SIDE = 192
"""Pixels, of the pictures of styles."""
FRAMES = 48


def example_clip(path: Path) -> None:
    """Write a clip to try things on: two seconds of the demo's."""
    write_demo_clip(path, demo_clip(frames=FRAMES))


def style_pictures(pipeline: StyleAVideoPipeline, picture: Pixels, folder: Path) -> list[tuple[Path, str]]:
    """The picture in every style of the model, as files, each with the style's name."""
    found = []
    for style in STYLES:
        path = folder / f"{style.name.replace(' ', '-')}.jpg"
        pipeline(style.prompt, picture[None], output_type="pil").frames[0].save(path, quality=88)
        found.append((path, style.name))
    return found


def small(picture: Pixels) -> Pixels:
    """The middle square of a picture, SIDE pixels wide."""
    side = min(picture.shape[:2])
    top, left = ((length - side) // 2 for length in picture.shape[:2])
    square = PIL.Image.fromarray(picture[top : top + side, left : left + side])
    return np.array(square.resize((SIDE, SIDE), PIL.Image.Resampling.LANCZOS))  # a copy, which torch may write to
