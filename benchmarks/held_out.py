"""Pictures that no training saw, in every style as its teacher renders it; and which style an output is nearest to.

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
from style_a_video.job import working_size
from style_a_video.models.looks import Look
from style_a_video.models.styles import STYLES
from style_a_video.training.contents import HELD_OUT_PHOTOGRAPHS, photograph_crop
from style_a_video.training.teachers import Chance, render
from style_a_video.video import VideoReader

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
    """The middle frame of every clip, and a crop of every held-out photograph."""
    rng = np.random.default_rng(0)
    photographs = [photograph_crop(rng, SIDE, (name,)) for name in HELD_OUT_PHOTOGRAPHS]
    return [middle_frame(path) for path in sorted(clips.glob("*.mp4"))] + photographs


def stylized(pipeline: sav.StyleAVideoPipeline, prompt: str, frames: list[Picture], **settings: Any) -> list[Picture]:
    """The frames as the model makes them from the noise that `as_taught` has its marks from."""
    latents = torch.from_numpy(CHANCE.noise)[None]
    return list(np.asarray(pipeline(prompt, np.stack(frames), latents=latents, **settings).frames))


def as_taught(frame: Picture, look: Look) -> Picture:
    """A frame as the teacher renders it."""
    return render(frame, look, CHANCE)


@dataclass(frozen=True)
class Gallery:
    """Candidates of one frame, and their descriptors; entries are compared in units of their deviation among them."""

    pictures: list[Picture]
    table: NDArray[np.float64]

    @classmethod
    def of(cls, pictures: list[Picture]) -> Gallery:
        return cls(pictures, np.stack([style_descriptor(picture) for picture in pictures]))

    def nearest(self, found: Picture) -> int:
        """Index of the candidate whose descriptor is nearest."""
        distance = (self.table - style_descriptor(found)) / (self.table.std(axis=0) + 1e-6)
        return int(np.linalg.norm(distance, axis=1).argmin())


def teachers_galleries(frames: list[Picture]) -> list[Gallery]:
    """Per frame, all teachers' renderings of it, in the order of STYLE_NAMES."""
    return [Gallery.of([as_taught(frame, Look(name)) for name in STYLE_NAMES]) for frame in frames]
