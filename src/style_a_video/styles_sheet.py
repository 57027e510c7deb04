"""The sample sheet: one picture in every style of the bundled model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .demo import demo_clip
from .errors import InputError
from .job import Progress, working_size
from .models.loading import bundled_folder, load_pipeline
from .models.vocabulary import Knowledge
from .settings import Settings
from .sheets import labelled_grid
from .stream import stylized_frames
from .video import VideoFrame, VideoReader


def picture_for_sheet(sheet: Path, image: Path | None) -> NDArray[np.uint8]:
    """The first frame of `image` (default: the demo clip's), (H, W, 3), at the bundled model's working size.

    Raises InputError when it cannot be read, or when `sheet` is no name for a picture.
    """
    if sheet.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp") or sheet.is_dir():
        raise InputError(f"{sheet} is no name for a picture: let it end in .png or .jpg")
    if image is None:
        return demo_clip(frames=2).frames[0]
    reader = VideoReader(image)
    return next(reader.frames(working_size(reader.info, 256))).pixels


def draw_styles_sheet(path: Path, picture: NDArray[np.uint8], on_progress: Progress | None = None) -> None:
    """Draw `picture` in every style of the bundled model, labelled by its prompt, to `path`."""
    pipeline = load_pipeline()
    styles = Knowledge.of(bundled_folder()).styles
    cells = {"input": picture}
    for k, style in enumerate(styles, start=1):
        frame = next(stylized_frames(pipeline, [VideoFrame(picture, 0)], style.prompt, Settings()))
        cells[style.prompt] = frame.pixels
        if on_progress:
            on_progress(k, len(styles))
    path.parent.mkdir(parents=True, exist_ok=True)
    labelled_grid(cells, columns=5).save(path)
