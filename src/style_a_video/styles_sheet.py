"""The sample sheet: one picture in every style of the bundled model."""

from __future__ import annotations

from pathlib import Path

from .atomic import atomic_path
from .demo import demo_clip
from .frames import Pixels
from .job import Progress
from .models import load_pipeline
from .settings import Settings
from .sheets import labelled_grid
from .stream import stylized_frames
from .styles import STYLES
from .video import VideoFrame, VideoReader, working_size


def picture_for_sheet(reader: VideoReader | None) -> Pixels:
    """The first frame of a video (default: of the demo clip), (H, W, 3), with a short side of 256 pixels.

    Raises InputError when it cannot be read.
    """
    if reader is None:
        return demo_clip(frames=2).frames[0]
    return next(reader.frames(working_size(reader.info, 256))).pixels


def draw_styles_sheet(path: Path, picture: Pixels, on_progress: Progress | None = None) -> None:
    """Draw `picture` in every style of the bundled model, labelled by its prompt, to `path`."""
    pipeline = load_pipeline()
    cells = {"input": picture}
    for k, style in enumerate(STYLES, start=1):
        frame = next(stylized_frames(pipeline, [VideoFrame(picture, 0)], style.prompt, Settings()))
        cells[style.prompt] = frame.pixels
        if on_progress:
            on_progress(k, len(STYLES))
    with atomic_path(path) as partial:
        labelled_grid(cells, columns=5).save(partial)
