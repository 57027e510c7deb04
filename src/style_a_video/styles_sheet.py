"""The sample sheet: one picture in every style of the bundled model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .demo import demo_clip
from .job import Progress, Settings, stylized_frames, working_size
from .models.loading import load_pipeline
from .models.styles import STYLES
from .sheets import labelled_grid
from .video import VideoFrame, VideoReader


def draw_styles_sheet(path: Path, image: Path | None = None, on_progress: Progress | None = None) -> None:
    """Draw the first frame of `image` (default: the demo clip's) in every style, labelled by its prompt, to `path`."""
    pipeline = load_pipeline()
    if image is None:
        pixels = demo_clip(frames=2).frames[0]
    else:
        reader = VideoReader(image)
        pixels = next(reader.frames(working_size(reader.info, pipeline.defaults["size"]))).pixels
    cells = {"input": pixels}
    for k, style in enumerate(STYLES, start=1):
        frame = next(stylized_frames(pipeline, [VideoFrame(np.asarray(pixels), 0)], style.prompt, Settings()))
        cells[style.prompt] = frame.pixels
        if on_progress:
            on_progress(k, len(STYLES))
    path.parent.mkdir(parents=True, exist_ok=True)
    labelled_grid(cells, columns=5).save(path)
