"""Motion frame by frame, and nothing of it across a cut."""

from dataclasses import dataclass

import numpy as np
import torch

import style_a_video as sav
from style_a_video.demo import demo_clip
from style_a_video.video import ShotDetector


@dataclass
class Frame:
    pixels: np.ndarray


def test_motion_both_ways_of_known_motion():
    clip = demo_clip()
    stream = sav.temporal.with_motion(
        [Frame(pixels) for pixels in clip.frames[-3:]], sav.temporal.dis_flow(), ShotDetector().begins_shot
    )
    (_, first), (_, second), (frame, third) = stream
    assert first is None
    assert second is not None
    assert np.array_equal(frame.pixels, clip.frames[-1])
    visible = torch.from_numpy(clip.visible[-1])
    error = (third.backward[0] - torch.from_numpy(clip.flows[-1])).norm(dim=0)[visible]
    assert error.mean() < 0.5
    # Going and coming back ends where it began, but for what is covered.
    there_and_back = third.backward + sav.temporal.backward_warp(third.forward, third.backward)
    assert there_and_back.norm(dim=1)[third.backward_mask[:, 0] > 0].mean() < 0.3


def test_a_cut_has_no_motion():
    clip = demo_clip()
    other = 255 - clip.frames[:2, ::-1]
    frames = [Frame(pixels) for pixels in (*clip.frames[:2], *other, clip.frames[2])]
    stream = sav.temporal.with_motion(frames, sav.temporal.dis_flow(), ShotDetector().begins_shot)
    assert [motion is None for _, motion in stream] == [True, False, True, False, True]
