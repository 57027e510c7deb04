"""Pictures that no training saw, in every style as its renderer renders it; and which style an output is nearest to.

What the benchmarks of the bundled model share; not a program of its own.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import typer
from numpy.typing import NDArray

import style_a_video as sav
from style_a_video.evaluation import style_descriptor
from style_a_video.styles.media import STYLES
from style_a_video.styles.spec import StyleSpec
from style_a_video.training.material import Material
from style_a_video.training.renderers import PAINTED, Chance, render
from style_a_video.video import VideoReader, working_size

SIDE = 256
Picture = NDArray[np.float32]
STYLE_NAMES = tuple(style.name for style in STYLES)
CHANCE = Chance.of_seed(0, SIDE, SIDE)
PROMPTS = {style.name: style.prompt for style in STYLES}
Clips = Annotated[Path, typer.Argument(help="A folder of real clips (*.mp4).", exists=True, file_okay=False)]
MaterialFolder = Annotated[
    Path, typer.Option(help="What `style-a-video train material` fetched.", exists=True, file_okay=False)
]


def middle_frame(path: Path) -> Picture:
    """The centre square of the middle frame, (256, 256, 3) in [0, 1]."""
    reader = VideoReader(path)
    pictures = [frame.pixels for frame in reader.frames(working_size(reader.info, SIDE))]
    return _centre(pictures[len(pictures) // 2] / 255)


def clip_frames(clips: Path) -> list[Picture]:
    """The middle frame of every clip. Raises SystemExit without clips."""
    if not any(clips.glob("*.mp4")):
        raise SystemExit(f"{clips} holds no clips (*.mp4): give the folder of real clips")
    return [middle_frame(path) for path in sorted(clips.glob("*.mp4"))]


def held_out_photographs(material: Material) -> list[Picture]:
    """The centre squares of the twenty photographs that training never sees."""
    pictures = []
    for path in material.photographs(held_out=True):
        picture = material.read(path)
        scale = SIDE / min(picture.shape[:2])
        pictures.append(_centre(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)))
    return pictures


def _centre(picture: NDArray[Any]) -> Picture:
    top, left = ((side - SIDE) // 2 for side in picture.shape[:2])
    return np.clip(picture[top : top + SIDE, left : left + SIDE], 0, 1).astype(np.float32)


def stylized(pipeline: sav.StyleAVideoPipeline, prompt: str, frames: list[Picture], **settings: Any) -> list[Picture]:
    """The frames as the model makes them, from the noise of `as_taught` unless `settings` has other latents."""
    settings = {"latents": torch.from_numpy(CHANCE.noise)[None]} | settings
    return list(np.asarray(pipeline(prompt, np.stack(frames), **settings).frames))


def as_taught(frame: Picture, spec: StyleSpec, painting: Picture | None = None) -> Picture:
    """A frame as the renderer renders it."""
    return render(frame, spec, CHANCE, painting)


@dataclass(frozen=True)
class Gallery:
    """Candidates of one frame, whose style each is in, and their descriptors."""

    pictures: list[Picture]
    styles: tuple[str, ...]
    table: NDArray[np.float64]
    unit: NDArray[np.float64]
    """What every entry of the descriptor is measured in: its deviation over the candidates."""

    @classmethod
    def of(cls, pictures: list[Picture], styles: Sequence[str] = STYLE_NAMES) -> Gallery:
        """Pictures of one frame, each in the style of that place."""
        table = np.stack([style_descriptor(picture) for picture in pictures])
        return cls(pictures, tuple(styles), table, table.std(axis=0) + 1e-6)

    def nearest(self, found: Picture, among: str | None = None) -> int:
        """Index of the candidate whose descriptor is nearest, of all or of one style's."""
        distances = np.linalg.norm((self.table - style_descriptor(found)) / self.unit, axis=1)
        if among is not None:
            distances[[style != among for style in self.styles]] = np.inf
        return int(distances.argmin())

    def style_of(self, found: Picture) -> str:
        """The style of the nearest candidate."""
        return self.styles[self.nearest(found)]


def renderers_galleries(frames: list[Picture], material: Material) -> list[Gallery]:
    """Per frame, all renderers' renderings of it; of a painted medium, one after each of its paintings."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(partial(_gallery, material=material), frames))


def _gallery(frame: Picture, material: Material) -> Gallery:
    cv2.setNumThreads(1)
    pictures, styles = [], []
    for name in STYLE_NAMES:
        for painting in material.paintings(name) if name in PAINTED else (None,):
            model = material.read(material.folder / painting) if painting else None
            pictures.append(as_taught(frame, StyleSpec(name), model))
            styles.append(name)
    return Gallery.of(pictures, styles)
