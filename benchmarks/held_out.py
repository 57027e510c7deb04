"""Pictures that no training saw, in every style as its renderer renders it; and which style an output is nearest to.

What the benchmarks of the bundled model share; not a program of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import style_a_video as sav
from style_a_video.evaluation import style_descriptor
from style_a_video.styles.media import STYLES
from style_a_video.styles.spec import StyleSpec
from style_a_video.training.contents import HELD_OUT_PHOTOGRAPHS, photograph_crop
from style_a_video.training.renderers import Chance, render
from style_a_video.video import VideoReader, working_size

SIDE = 256
Picture = NDArray[np.float32]
STYLE_NAMES = tuple(style.name for style in STYLES)
CHANCE = Chance.of_seed(0, SIDE, SIDE)
PROMPTS = {style.name: style.prompt for style in STYLES}


def middle_frame(path: Path) -> Picture:
    """The centre square of the middle frame, (256, 256, 3) in [0, 1]."""
    reader = VideoReader(path)
    pictures = [frame.pixels for frame in reader.frames(working_size(reader.info, SIDE))]
    picture = pictures[len(pictures) // 2]
    top, left = (picture.shape[0] - SIDE) // 2, (picture.shape[1] - SIDE) // 2
    return (picture[top : top + SIDE, left : left + SIDE] / 255).astype(np.float32)


def held_out_frames(clips: Path) -> list[Picture]:
    """The middle frame of every clip, and a crop of every held-out photograph. Raises SystemExit without clips."""
    if not any(clips.glob("*.mp4")):
        raise SystemExit(f"{clips} holds no clips (*.mp4): give the folder of real clips")
    rng = np.random.default_rng(0)
    photographs = [photograph_crop(rng, SIDE, (name,)) for name in HELD_OUT_PHOTOGRAPHS]
    return [middle_frame(path) for path in sorted(clips.glob("*.mp4"))] + photographs


def stylized(pipeline: sav.StyleAVideoPipeline, prompt: str, frames: list[Picture], **settings: Any) -> list[Picture]:
    """The frames as the model makes them, from the noise of `as_taught` unless `settings` has other latents."""
    settings = {"latents": torch.from_numpy(CHANCE.noise)[None]} | settings
    return list(np.asarray(pipeline(prompt, np.stack(frames), **settings).frames))


def as_taught(frame: Picture, spec: StyleSpec) -> Picture:
    """A frame as the renderer renders it."""
    return render(frame, spec, CHANCE)


@dataclass(frozen=True)
class Gallery:
    """Candidates of one frame, and their descriptors."""

    pictures: list[Picture]
    table: NDArray[np.float64]
    unit: NDArray[np.float64]
    """What every entry of the descriptor is measured in."""

    @classmethod
    def of(cls, pictures: list[Picture], unit: NDArray[np.float64] | None = None) -> Gallery:
        """Measured in the deviations among `pictures` themselves if `unit` is None.

        Candidates that share a palette may all have none of what an entry counts, say dark pixels; in their own
        deviation, nought, a single such pixel would outweigh all the rest.
        """
        table = np.stack([style_descriptor(picture) for picture in pictures])
        return cls(pictures, table, table.std(axis=0) + 1e-6 if unit is None else unit)

    def nearest(self, found: Picture) -> int:
        """Index of the candidate whose descriptor is nearest."""
        return int(np.linalg.norm((self.table - style_descriptor(found)) / self.unit, axis=1).argmin())


def renderers_galleries(frames: list[Picture]) -> list[Gallery]:
    """Per frame, all renderers' renderings of it, in the order of STYLE_NAMES."""
    return [Gallery.of([as_taught(frame, StyleSpec(name)) for name in STYLE_NAMES]) for frame in frames]
