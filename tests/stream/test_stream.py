"""The whole stream on a tiny random model: cuts, memory, the refiner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch

import style_a_video as sav
from style_a_video.models.loading import load_refiner
from style_a_video.settings import Settings
from style_a_video.stream import stylized_frames
from style_a_video.temporal import Refiner, local_detail, match_detail
from style_a_video.temporal.refiner import MAX_KEPT
from style_a_video.video import VideoFrame
from tests.stream.helpers import ONE_STEP, shot, stylized, texture, video


@pytest.mark.parametrize(("interval", "batch_size"), [(1, 2), (4, 1), (3, 9)])
def test_no_more_frames_are_read_ahead_than_two_intervals_and_a_batch(
    pipeline: sav.StyleAVideoPipeline, interval: int, batch_size: int
) -> None:
    read = 0

    def source() -> Iterator[VideoFrame]:
        nonlocal read
        for frame in video(shot(10, 30)):
            read += 1
            yield frame

    settings = Settings(**ONE_STEP, keyframe_interval=interval, batch_size=batch_size)
    for done, _ in enumerate(stylized_frames(pipeline, source(), "a cat", settings, load_refiner())):
        assert read - done <= 2 * interval + batch_size


@pytest.mark.parametrize(
    "settings",
    [{"keyframe_interval": 3}, {"keyframe_interval": 2, "anchor": True}, {"keyframe_interval": 1, "noise": "warped"}],
)
@pytest.mark.parametrize("refines", [False, True])
def test_no_shot_leaves_a_trace_in_the_next(
    pipeline: sav.StyleAVideoPipeline, settings: dict[str, Any], refines: bool
) -> None:
    """A shot, a flash, a black frame, another shot: each as if it stood alone."""
    refiner = load_refiner() if refines else None
    first, second = shot(3, 5), [255 - picture for picture in shot(4, 4)]
    flash, black = np.full_like(first[0], 255), np.zeros_like(first[0])
    together = stylized(pipeline, [*first, flash, black, *second], refiner, **settings)
    for pictures, where in (
        (first, slice(0, 5)),
        ([flash], slice(5, 6)),
        ([black], slice(6, 7)),
        (second, slice(7, 11)),
    ):
        assert np.abs(together[where] - stylized(pipeline, pictures, refiner, **settings)).max() <= 1


def test_the_packages_refiner_steadies_flickering_frames(pipeline: sav.StyleAVideoPipeline) -> None:
    """A still picture with noise of its own in every frame."""
    pictures = [texture(9)[:, :64]] * 9
    settings: dict[str, Any] = {"noise": "independent", "keyframe_interval": 1}
    plain, steady = (stylized(pipeline, pictures, refiner, **settings) for refiner in (None, load_refiner()))
    before, after = (np.abs(np.diff(frames, axis=0)).mean() for frames in (plain, steady))
    assert 0 < after <= 0.6 * before
    assert steady.std() > 0.8 * plain.std()


def test_the_refiner_follows_the_shot_and_stops_at_its_end(pipeline: sav.StyleAVideoPipeline) -> None:
    """An untrained refiner goes half of what it may back to the frame before: not at the first frame of a shot."""
    torch.manual_seed(0)
    refiner = Refiner("warped")
    grain = np.random.default_rng(0).integers(60, 110, (12, 16, 3), dtype=np.uint8)
    picture = np.asarray(PIL.Image.fromarray(grain).resize((64, 48), PIL.Image.Resampling.BICUBIC))
    pictures = [picture, picture, picture, 255 - picture, 255 - picture]
    plain, steady = (
        stylized(pipeline, pictures, r, noise="independent", keyframe_interval=1, batch_size=2) for r in (None, refiner)
    )
    changed = [np.abs(one - other).mean() for one, other in zip(plain, steady, strict=True)]
    assert changed[0] == changed[3] == 0
    assert min(changed[1], changed[2], changed[4]) > 1
    half_way = plain[1] + MAX_KEPT / 2 * (plain[0] - plain[1])
    half_way, newest = (torch.from_numpy(f).float().permute(2, 0, 1)[None] / 255 for f in (half_way, plain[1]))
    wanted = match_detail(half_way, local_detail(newest))[0].permute(1, 2, 0).numpy() * 255
    np.testing.assert_allclose(steady[1], wanted, atol=8)
