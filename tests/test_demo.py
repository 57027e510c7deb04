"""The demo clip's motion is exact."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import scipy.ndimage

from style_a_video.demo import demo_clip, write_demo_clip
from style_a_video.video import VideoReader


def test_the_flow_is_the_true_motion() -> None:
    """Frame t at p equals frame t − 1 at p + F(p), wherever that was seen; SciPy does the warping."""
    clip = demo_clip(frames=12, width=192, height=128)
    y, x = np.mgrid[0:128, 0:192].astype(np.float64)
    for t in range(1, 12):
        flow, visible = clip.flows[t - 1], clip.visible[t - 1]
        # The silhouette's edge pixels mix both motions; leave out what lies within two pixels of it.
        inside = scipy.ndimage.binary_erosion(visible, iterations=2)
        now, before = clip.frames[t] / 255.0, clip.frames[t - 1] / 255.0
        warped = np.stack(
            [
                scipy.ndimage.map_coordinates(before[..., k], [y + flow[1], x + flow[0]], order=1, mode="nearest")
                for k in range(3)
            ],
            axis=2,
        )
        error = np.abs(warped - now).mean(axis=2)[inside]
        still = np.abs(before - now).mean(axis=2)[inside]
        assert np.median(error) < 0.006
        assert error.mean() < 0.6 * still.mean()


def test_the_person_in_front_moves_more_than_the_background() -> None:
    clip = demo_clip(frames=6)
    assert clip.frames.shape == (6, 256, 384, 3)
    assert clip.flows.shape == (5, 2, 256, 384)
    assert 0.5 < clip.visible.mean() < 0.999
    face, wall = (np.linalg.norm(clip.flows[2][:, 60:120, x : x + 40], axis=0).mean() for x in (165, 240))
    assert face > 1.5 * wall


def test_the_clip_is_the_same_every_time(tmp_path: Path) -> None:
    assert np.array_equal(demo_clip(frames=3).frames, demo_clip(frames=3).frames)
    write_demo_clip(tmp_path / "demo.mp4", demo_clip(frames=3))
    info = VideoReader(tmp_path / "demo.mp4").info
    assert (info.width, info.height, info.frame_count, info.rate) == (384, 256, 3, Fraction(24))
