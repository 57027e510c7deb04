"""The size that a video is worked on at."""

from __future__ import annotations

from .reader import VideoInfo


def working_size(info: VideoInfo, short_side: int) -> tuple[int, int]:
    """(width, height) with this short side in pixels: aspect kept, both even, as 4:2:0 video needs."""
    scale = short_side / min(info.width, info.height)
    return max(2, round(info.width * scale / 2) * 2), max(2, round(info.height * scale / 2) * 2)
