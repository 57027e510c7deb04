"""Shot cuts: found where they are, and only there."""

import numpy as np
import pytest

from style_a_video.demo import demo_clip
from style_a_video.video import ShotDetector


@pytest.fixture(scope="module")
def frames():
    return demo_clip().frames


def beginnings(frames):
    detector = ShotDetector()
    return [k for k, frame in enumerate(frames) if detector.begins_shot(frame)]


def test_one_shot_begins_once(frames):
    assert beginnings(frames) == [0]


def test_a_cut_every_ten_frames(frames):
    other = np.roll(255 - frames, 100, axis=2)
    cut = [(frames, other)[k // 10 % 2][k] for k in range(40)]
    assert beginnings(cut) == [0, 10, 20, 30]


@pytest.mark.parametrize("value", [0, 255])
def test_a_black_frame_or_a_flash_is_a_shot_of_its_own(frames, value):
    shown = [*frames[:4], np.full_like(frames[0], value), *frames[5:8]]
    assert beginnings(shown) == [0, 4, 5]


def test_a_frozen_frame_is_no_cut(frames):
    assert beginnings([frames[0]] * 5 + list(frames[1:4])) == [0]
