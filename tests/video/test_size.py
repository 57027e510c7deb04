"""The working size keeps the aspect, in even numbers."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import style_a_video as sav
from style_a_video.video import working_size


def test_working_size() -> None:
    def info(width: int, height: int) -> sav.video.VideoInfo:
        return sav.video.VideoInfo(Path(), width, height, 1, Fraction(25), Fraction(1, 25), (), 0.04)

    assert working_size(info(960, 506), 256) == (486, 256)
    assert working_size(info(288, 512), 256) == (256, 456)
    assert working_size(info(640, 360), 360) == (640, 360)
