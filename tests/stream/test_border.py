"""A stream that is cut at any border and gone on with makes the same pictures, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import style_a_video as sav
from style_a_video.models import load_refiner
from style_a_video.settings import Settings
from style_a_video.stream import Border, stylized_stream
from style_a_video.video import VideoFrame
from tests.stream.helpers import ONE_STEP, shot, video


@pytest.mark.parametrize(
    "settings",
    [
        {"keyframe_interval": 4, "batch_size": 4},
        {"keyframe_interval": 3, "batch_size": 8},
        {"keyframe_interval": 1, "batch_size": 3},
        {"keyframe_interval": 1, "batch_size": 2, "noise": "independent", "scheduler": "euler-a", "refine": False},
    ],
)
def test_going_on_at_a_border_changes_nothing(
    pipeline: sav.StyleAVideoPipeline, tmp_path: Path, settings: dict[str, Any]
) -> None:
    """Three shots, of which one is a single frame."""
    pictures = [*shot(1, 11), *shot(5, 1), *shot(3, 10)]
    chosen = Settings(**ONE_STEP | settings)
    refiner = load_refiner() if chosen.refine is not False else None
    frames: list[VideoFrame] = []
    borders: list[Border] = []
    for item in stylized_stream(pipeline, video(pictures), "a cat", chosen, refiner):
        if isinstance(item, Border):
            assert item.index == len(frames)
            item.save(tmp_path / f"{item.index}.safetensors")
            borders.append(item)
        else:
            frames.append(item)
    assert len(frames) == len(pictures)
    assert len(borders) >= 3
    for border in borders:
        begun = Border.load(tmp_path / f"{border.index}.safetensors")
        rest = video(pictures)[max(0, border.index - 1) :]
        again = stylized_stream(pipeline, rest, "a cat", chosen, refiner, begun)
        found = [item for item in again if isinstance(item, VideoFrame)]
        assert [frame.pts for frame in found] == [frame.pts for frame in frames[border.index :]]
        for one, other in zip(found, frames[border.index :], strict=True):
            np.testing.assert_array_equal(one.pixels, other.pixels)
