"""The newest frame, from a file as from a camera."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import style_a_video as sav
from style_a_video.live import Captured, LatestFrame, open_source


def test_a_file_is_played_at_its_rate(clip: Callable[..., Path]) -> None:
    began = time.monotonic()
    came = [captured.at - began for captured in open_source(str(clip(count=8, rate=25)))]
    assert len(came) == 8
    gaps = np.diff(came)
    assert 0.03 < gaps.mean() < 0.06


@pytest.mark.parametrize("source", ["7", "rtsp://127.0.0.1:9/none", "missing.mp4"])
def test_what_is_not_there_is_told(source: str) -> None:
    with pytest.raises(sav.InputError):
        next(open_source(source))


def test_the_newest_frame_wins() -> None:
    picture = np.zeros((2, 2, 3), np.uint8)

    def source() -> Iterator[Captured]:
        for number in range(10):
            yield Captured(picture, float(number))
            time.sleep(0.02)

    latest = LatestFrame(source())
    seen = []
    for captured in latest:
        seen.append(captured.at)
        time.sleep(0.07)
    assert seen == sorted(seen)
    assert len(seen) < 7
    assert seen[-1] == 9
    assert len(seen) + latest.dropped == 10


def test_an_error_of_the_source_is_raised_where_frames_are_asked_for() -> None:
    def source() -> Iterator[Captured]:
        yield Captured(np.zeros((2, 2, 3), np.uint8), 0.0)
        time.sleep(0.05)
        raise sav.InputError("the cable is out")

    with pytest.raises(sav.InputError, match="cable"):
        list(LatestFrame(source()))
