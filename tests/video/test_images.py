"""Animations: every frame as long as in the source, in colours near its own, and again and again."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from style_a_video.video import VideoInfo, open_writer
from tests.conftest import moving_picture


@pytest.mark.parametrize("name", ["out.gif", "out.webp"])
def test_an_animation(tmp_path: Path, name: str) -> None:
    pictures = moving_picture(5, 64, 48)
    stamps = [0, 4, 8, 20, 24]  # hundredths of a second
    info = VideoInfo(tmp_path / "in.mp4", 64, 48, 5, Fraction(25), Fraction(1, 100), (), 0.5)
    with open_writer(tmp_path / name, (64, 48), info) as writer:
        for pixels, pts in zip(pictures, stamps, strict=True):
            writer.write(pixels, pts)
    with PIL.Image.open(tmp_path / name) as found:
        assert found.n_frames == 5  # type: ignore[attr-defined]
        assert found.info["loop"] == 0
        durations = []
        for number, pixels in enumerate(pictures):
            found.seek(number)
            shown = np.asarray(found.convert("RGB")).astype(float)
            assert np.abs(shown - pixels).mean() < 8
            durations.append(found.info["duration"])
    assert durations[:4] == [40, 40, 120, 40]
    assert durations[4] == {"out.gif": 260, "out.webp": 60}[name]


def test_sound_that_is_lost_is_told(tmp_path: Path) -> None:
    info = VideoInfo(tmp_path / "in.mp4", 64, 48, 1, Fraction(25), Fraction(1, 25), ("aac",), 0.04)
    with (
        pytest.warns(UserWarning, match=r"\.gif files have no sound"),
        open_writer(tmp_path / "out.gif", (64, 48), info) as writer,
    ):
        writer.write(moving_picture(1, 64, 48)[0], 0)
