"""Keyframes, and the frames between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from diffusers import EulerAncestralDiscreteScheduler

import style_a_video as sav
from style_a_video.settings import DEFAULT_KEYFRAMES, INSTRUCT_PIX2PIX_DEFAULTS, Settings
from style_a_video.stream import FrameContext
from style_a_video.stream.keyframes import Segment, frames_between, keyframe_groups
from style_a_video.temporal import Motion
from style_a_video.video import VideoFrame
from tests.conftest import tiny_pipeline
from tests.stream.helpers import context, shot, stylized, texture


class Evaluations:
    """How many samples the UNet was asked for."""

    def __init__(self, pipeline: sav.StyleAVideoPipeline) -> None:
        self.count = 0
        pipeline.unet.register_forward_pre_hook(self.add)

    def add(self, _module: Any, arguments: Any) -> None:
        self.count += len(arguments[0])


def test_what_a_scheduler_draws_between_keyframes_does_not_depend_on_the_batch_size() -> None:
    """Keyframes and what is filled in between them are asked for in another order then."""
    pipeline = tiny_pipeline()
    pipeline.scheduler = EulerAncestralDiscreteScheduler.from_config(pipeline.scheduler.config)
    pictures = [texture(5)[:, :128].copy() for _ in range(9)]
    for k in (1, 4, 7):
        pictures[k][:, 20:64] = 150
    settings: dict[str, Any] = {"keyframe_interval": 3, "noise": "independent", "num_inference_steps": 3}
    evaluations = Evaluations(pipeline)
    stylized(pipeline, [pictures[0]] * 9, **settings)
    keyframes, evaluations.count = evaluations.count, 0
    one = stylized(pipeline, pictures, batch_size=1, **settings)
    assert evaluations.count > keyframes
    np.testing.assert_allclose(one, stylized(pipeline, pictures, batch_size=9, **settings), atol=1)


def test_a_keyframe_at_every_interval_and_at_both_ends_of_a_shot() -> None:
    cuts = {0, 4, 5}
    groups = keyframe_groups((context(k, k in cuts) for k in range(13)), 3)
    assert [[m.frame.pts for m in group] for group in groups] == [
        [0, 1, 2],
        [3],
        [4],
        [5, 6, 7],
        [8, 9, 10],
        [11],
        [12],
    ]


def test_a_still_shot_is_its_first_keyframe_and_costs_no_more_than_its_ends(pipeline: sav.StyleAVideoPipeline) -> None:
    pictures = [texture(1)[:, :64]] * 7
    evaluations = Evaluations(pipeline)
    whole = stylized(pipeline, pictures, keyframe_interval=7)
    alone = evaluations.count
    assert np.abs(whole - whole[0]).max() <= 1
    evaluations.count = 0
    stylized(pipeline, pictures[:1])
    assert alone == 2 * evaluations.count


def test_frames_between_move_with_the_picture(pipeline: sav.StyleAVideoPipeline) -> None:
    """Noise of their own would make them differ; they are the keyframe, moved by 2 pixels a frame."""
    pictures = shot(2, 4)
    found = stylized(pipeline, pictures, keyframe_interval=8, noise="independent")
    inner = np.s_[6:-6, 6:-12]
    moved = np.abs(found[3][inner] - found[0][6:-6, 12:-6]).mean()
    in_full = stylized(pipeline, pictures, keyframe_interval=1, noise="independent")
    assert moved < 0.2 * np.abs(in_full[3][inner] - in_full[0][6:-6, 12:-6]).mean()


def test_the_model_fills_in_what_no_keyframe_shows(pipeline: sav.StyleAVideoPipeline) -> None:
    """A sheet slides over the picture and back: what it shows in between, no keyframe ever did."""
    pictures = [texture(5)[:, :128].copy() for _ in range(5)]
    pictures[2][:, 20:44] = 150
    evaluations = Evaluations(pipeline)
    stylized(pipeline, [pictures[0]] * 5, keyframe_interval=4)
    quiet, evaluations.count = evaluations.count, 0
    found = stylized(pipeline, pictures, keyframe_interval=4)
    assert evaluations.count > quiet
    assert np.abs(found[2] - found[0])[:, 26:38].mean() > 2 * np.abs(found[2] - found[0])[:, 90:].mean()


class Painter:
    """A model that fills in ever brighter grey, and remembers where."""

    settings = Settings().resolve(INSTRUCT_PIX2PIX_DEFAULTS)

    def __init__(self) -> None:
        self.asked: list[int] = []

    def image_to_image(self, contexts: list[FrameContext], initial_frames: list[torch.Tensor]) -> list[torch.Tensor]:
        self.asked += [context.frame.pts for context in contexts]
        return [torch.full_like(picture, 0.4 * len(self.asked)) for picture in initial_frames]


def still_segment(holes: list[slice | None]) -> Segment:
    """A black shot that stands still. At frame k nothing leads back from the columns `holes[k]`, which are white from
    then on; in a last frame all is black again."""
    still, ones = torch.zeros(1, 2, 32, 48), torch.ones(1, 1, 32, 48)
    pixels = np.zeros((len(holes) + 1, 32, 48, 3), np.uint8)
    masks = [ones.clone() for _ in pixels]
    for k, hole in enumerate(holes):
        if hole:
            masks[k][..., 8:24, hole] = masks[-1][..., 8:24, hole] = 0
            pixels[k:-1, 8:24, hole] = 255
    motions = [None, *(Motion(still, mask, still, ones, 0 * ones) for mask in masks[1:-1])]
    motions.append(Motion(still, masks[-1], still, masks[-1], 0 * ones))
    contexts = [
        FrameContext(VideoFrame(pixels[k], k), motion, torch.empty(0), 0, k) for k, motion in enumerate(motions)
    ]
    return Segment.of(contexts)


def pictures_between(painter: Painter, segment: Segment, first: torch.Tensor, last: torch.Tensor) -> list[torch.Tensor]:
    end = len(segment.contexts) - 1
    before, after = (
        segment.reference(0, first, range(1, end + 1), DEFAULT_KEYFRAMES),
        segment.reference(end, last, range(1, end), DEFAULT_KEYFRAMES),
    )
    return [picture for _, picture in frames_between(painter, segment, before, after)]


def grey(light: float) -> torch.Tensor:
    return torch.full((1, 3, 32, 48), light)


def test_what_the_model_filled_in_is_carried_on_and_not_asked_for_again() -> None:
    """A patch that no keyframe shows: one request, and the same patch in every frame."""
    painter = Painter()
    pictures = pictures_between(painter, still_segment([None, slice(8, 24), None, None]), grey(0.0), grey(0.0))
    assert len(painter.asked) == 1
    for picture in pictures:
        assert float(picture[..., 14:18, 14:18].min()) == pytest.approx(0.4, abs=1e-3)
        assert float(picture[..., :, 30:].max()) == pytest.approx(0, abs=1e-3)


def test_the_frame_that_misses_most_is_asked_for_and_those_before_it_take_from_it() -> None:
    """A second patch joins the first one late: the last frame shows both, and what it shows of the first serves the
    first frame."""
    painter = Painter()
    pictures = pictures_between(painter, still_segment([None, slice(4, 16), None, slice(28, 44)]), grey(0.0), grey(0.0))
    assert painter.asked == [3]
    for picture in pictures:
        assert float(picture[..., 14:18, 9:11].min()) == pytest.approx(0.4, abs=1e-3)
    assert float(pictures[2][..., 14:18, 34:38].min()) == pytest.approx(0.4, abs=1e-3)
    assert float(pictures[1][..., :, 28:].max()) == pytest.approx(0, abs=1e-3)


def test_frames_pass_from_the_nearer_keyframes_marks_to_the_others_and_their_light_evenly() -> None:
    painter = Painter()
    stripes = 0.1 * (torch.arange(48) % 2 - 0.5).expand(1, 3, 32, 48)
    pictures = pictures_between(painter, still_segment([None] * 8), 0.2 + stripes, 0.8 - stripes)
    assert [float(picture.mean()) for picture in pictures] == pytest.approx(
        [0.2 + 0.075 * k for k in range(1, 8)], abs=1e-3
    )
    likeness = [float(((picture - picture.mean()) * stripes).sum() / stripes.square().sum()) for picture in pictures]
    # The very opposite of marks, so that half-way nothing is left; of the quarters the depth is given back in part.
    assert likeness[:2] + likeness[5:] == pytest.approx([1, 1, -1, -1], abs=0.1)
    assert 0.5 < likeness[2] < 0.9
    assert -0.9 < likeness[4] < -0.5
    assert likeness[3] == pytest.approx(0, abs=0.05)
    assert painter.asked == []


def test_light_changes_where_the_picture_has_moved_to() -> None:
    """The right half of a scene grows brighter, evenly, while the camera passes over it, 8 pixels a frame."""
    motion_x = torch.tensor([8.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 64, 256)
    ones = torch.ones(1, 1, 64, 256)
    motion = Motion(motion_x, ones, -motion_x, ones, 0 * ones)
    frames = [VideoFrame(np.full((64, 256, 3), 128, np.uint8), k) for k in range(9)]
    run = Segment.of(
        [FrameContext(frame, motion if k else None, torch.empty(0), 0, k) for k, frame in enumerate(frames)]
    )

    def scene(k: int) -> torch.Tensor:
        return 0.3 + 0.05 * k * torch.sigmoid((torch.arange(256.0) + 8 * k - 160) / 16).expand(1, 3, 64, 256)

    found = pictures_between(Painter(), run, scene(0), scene(8))
    errors = [float((picture - scene(k + 1))[..., 16:176].abs().max()) for k, picture in enumerate(found)]
    assert max(errors) < 0.04


def test_a_constant_of_keyframes_changes_the_picture(pipeline: sav.StyleAVideoPipeline) -> None:
    """Over how many frames the picture passes from one keyframe to the next."""
    plain, slower = (
        stylized(pipeline, shot(2, 8), keyframe_interval=7, noise="independent", keyframes={"fade_frames": frames})
        for frames in (1, 30)
    )
    changed = np.abs(plain - slower).mean(axis=(1, 2, 3))
    assert changed[0] == changed[-1] == 0
    assert changed[1:-1].min() > 0.1
