"""How well the last result keeps to the style and the clip, and where it flickers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import torch
from numpy.typing import NDArray

from ..dependencies import require_extra
from ..errors import InputError
from ..frames import Pixels
from ..settings import Settings
from ..video import IsolatedReader, working_size
from .events import ONE_AT_A_TIME, own_session
from .studio import Studio
from .work import as_data_uri

LONGEST = 48
"""Frames that are measured."""
MEASURES = {
    "warp_error_short": "Flicker, from frame to frame (lower is steadier)",
    "warp_error_long": "Flicker, since the shot began",
    "style": "Likeness to the sentence (-1 to 1)",
    "content": "Likeness to the clip (-1 to 1)",
    "edges": "Edges kept (0 to 1)",
}


def build_measure_tab(studio: Studio) -> None:
    """The tab: one button, the scores, and the frame that flickers most."""

    def measured(request: gr.Request) -> tuple[list[list[Any]], str]:
        try:
            return _measured(studio, own_session(request))
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error

    gr.Markdown(f"Measures the last result, its first {LONGEST} frames at most.")
    button = gr.Button("Measure")
    scores = gr.Dataframe(headers=["measure", "mean of the frames"], interactive=False)
    heat = gr.HTML()
    button.click(measured, None, [scores, heat], api_visibility="private", **ONE_AT_A_TIME)


def _measured(studio: Studio, session: str) -> tuple[list[list[Any]], str]:
    require_extra("eval", "measuring")
    from ..evaluation.clips import clip_of
    from ..evaluation.encoders import bundled_encoder
    from ..evaluation.metrics import measure

    job = studio.last(session)
    if job is None or job.playable is None:
        raise InputError("there is no result yet: stylize a clip first")
    size = working_size(IsolatedReader(job.video).info, studio.pipeline.resolve(Settings(**job.settings)).size)
    output = _read(job.playable, size)
    pixels = _read(job.video, size)[: len(output)]
    worst: tuple[float, int, NDArray[np.float64]] | None = None

    def keep_worst(t: int, name: str, error: torch.Tensor) -> None:
        nonlocal worst
        mean = float(error.nanmean())
        if name == "short" and (worst is None or mean > worst[0]):
            worst = (mean, t, error.numpy())

    encoder = bundled_encoder(studio.pipeline)
    found = measure(clip_of(Path(job.video).stem, pixels), output, job.prompt, encoder, keep_worst).means()
    rows = [[words, round(value, 3)] for name, words in MEASURES.items() if (value := found[name]) is not None]
    return rows, "" if worst is None else _drawn(worst[1], output[worst[1]], worst[2])


def _read(path: str, size: tuple[int, int]) -> Pixels:
    frames = [frame.pixels for frame, _ in zip(IsolatedReader(path).frames(size), range(LONGEST), strict=False)]
    return np.stack(frames)


def _drawn(number: int, picture: Pixels, error: NDArray[np.float64]) -> str:
    from ..evaluation.media import heat_map

    both = np.concatenate([picture, heat_map(error)], axis=1)
    words = f"Frame {number} flickers most: the brighter, the more; in grey places nothing can be said."
    return f'<div class="working"><img src="{as_data_uri(both)}" alt="flicker"><p>{words}</p></div>'
