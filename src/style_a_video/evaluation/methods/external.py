"""Any other system, by the videos that it made."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from torch import Tensor

from ...errors import InputError
from ...frames import video_to_tensor
from ...video import VideoReader
from ..clips import Clip, check_match
from .method import Method

OUTPUT_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".gif")


def from_outputs(name: str, folder: Path) -> Method:
    """Any other system, by its output videos: `folder/CLIP-PROMPT.*`, see `output_stem`.

    Raises InputError when there is no such folder; `run` raises it for a clip whose video is missing, broken, of
    another shape or rate, or has neither as many frames as are compared nor as many as the clip's file.
    """
    if not folder.is_dir():
        raise InputError(f"--outputs {name}={folder}: there is no such folder")

    def run(clip: Clip, prompt: str) -> Tensor:
        stem = output_stem(clip.name, prompt)
        found = [path for path in sorted(folder.iterdir()) if _is_output(path, stem)]
        if not found:
            raise InputError(f"{folder} has no {stem}.mp4 (or .mov, .mkv, .webm, .gif, a folder of images)")
        reader = VideoReader(found[0])
        wanted = {len(clip)}
        if clip.source is not None:
            check_match(clip.source, reader.info)
            wanted.add(clip.source.frame_count)
        height, width = clip.pixels.shape[1:3]
        kept, count = [], 0
        # All are counted, but only those that are compared wait in memory.
        for count, frame in enumerate(reader.frames((width, height)), start=1):
            if count <= len(clip):
                kept.append(frame.pixels)
        if count not in wanted:
            raise InputError(f"{found[0]} has {count} frames where {' or '.join(map(str, sorted(wanted)))} are wanted")
        return video_to_tensor(np.stack(kept))

    return Method(name, run, {"outputs": str(folder)}, external=True)


def _is_output(path: Path, stem: str) -> bool:
    return path.name == stem if path.is_dir() else path.stem == stem and path.suffix.lower() in OUTPUT_SUFFIXES


def output_stem(clip: str, prompt: str) -> str:
    """How an output video is named: the clip's name, a dash, and the prompt's letters and digits with dashes between.

    >>> output_stem("wolf", "Make it a pencil drawing.")
    'wolf-make-it-a-pencil-drawing'
    """
    words = re.sub(r"[\W_]+", "-", prompt.lower()).strip("-")
    return f"{clip}-{words}"
