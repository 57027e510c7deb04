"""One frame in, one out."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import cv2
import numpy as np
import pytest
import torch

import style_a_video as sav
from style_a_video.frames import pixels_to_tensor, tensor_to_pixels
from style_a_video.models.loading import load_refiner
from style_a_video.settings import Settings
from style_a_video.stream import stylized_frames
from style_a_video.video import VideoFrame
from tests.conftest import moving_picture


def clip(count: int, width: int = 64, height: int = 48) -> list[np.ndarray]:
    return [(frame * 255).astype(np.uint8) if frame.dtype != np.uint8 else frame
            for frame in moving_picture(count, width=width, height=height)]  # fmt: skip


SMALL: dict[str, Any] = {"size": 48, "num_inference_steps": 1}


def test_frames_are_those_of_a_stream(pipeline: sav.StyleAVideoPipeline) -> None:
    """Of the same settings, which never looks ahead."""
    frames = clip(6)
    settings = Settings(fast=False, keyframe_interval=1, batch_size=1, refine=True, **SMALL)
    stream = stylized_frames(
        pipeline, (VideoFrame(frame, k) for k, frame in enumerate(frames)), "a cat", settings, load_refiner()
    )
    stylizer = sav.LiveStylizer("a cat", pipeline, fast=False, **SMALL)
    for frame, expected in zip(frames, stream, strict=True):
        np.testing.assert_array_equal(stylizer(frame), expected.pixels)


def test_the_result_has_the_size_of_the_frame(pipeline: sav.StyleAVideoPipeline) -> None:
    stylizer = sav.LiveStylizer("a cat", pipeline, fast=False, size=32, num_inference_steps=1)
    for width, height in ((96, 64), (51, 77), (96, 64)):
        frame = clip(1, width, height)[0]
        found = stylizer(frame)
        assert found.shape == frame.shape
        assert found.dtype == np.uint8


def test_changes_hold_from_the_next_frame_on(pipeline: sav.StyleAVideoPipeline) -> None:
    frame = clip(1)[0]
    stylizer = sav.LiveStylizer("a cat", pipeline, fast=False, **SMALL)
    before = stylizer(frame)
    stylizer.change("a dog")
    assert not np.array_equal(stylizer(frame), before)
    stylizer.change("a cat")
    np.testing.assert_array_equal(stylizer(frame), before)
    stylizer.change(strength=0.0)
    rendered = pipeline.decode_latents(
        pipeline.encode_frames(pixels_to_tensor(frame)) * pipeline.vae.config.scaling_factor
    )
    found = stylizer(frame).astype(int)
    assert np.abs(found - tensor_to_pixels(rendered)[0]).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"strength": 2.0}, "strength is 2.0"), ({"nonsense": 1}, "unknown setting"), ({"size": 7}, "size is 7")],
)
def test_a_change_that_cannot_be_is_refused_and_nothing_changes(
    pipeline: sav.StyleAVideoPipeline, arguments: dict[str, Any], message: str
) -> None:
    frame = clip(1)[0]
    stylizer = sav.LiveStylizer("a cat", pipeline, fast=False, **SMALL)
    before = stylizer(frame)
    with pytest.raises(sav.InputError, match=message):
        stylizer.change("a dog", **arguments)
    np.testing.assert_array_equal(stylizer(frame), before)


def test_an_empty_prompt_is_refused_at_once_and_the_stream_goes_on(pipeline: sav.StyleAVideoPipeline) -> None:
    frame = clip(1)[0]
    with pytest.raises(sav.InputError, match="prompt is empty"):
        sav.LiveStylizer(" ", pipeline, fast=False, **SMALL)
    stylizer = sav.LiveStylizer("a cat", pipeline, fast=False, **SMALL)
    before = stylizer(frame)
    with pytest.raises(sav.InputError, match="prompt is empty"):
        stylizer.change("")
    with pytest.raises(sav.InputError, match="keyframe_interval"):
        stylizer.change(keyframe_interval=8)
    with pytest.raises(sav.InputError, match="steps"):
        stylizer.change(num_inference_steps=2000)
    with pytest.raises(sav.InputError, match="model"):
        stylizer.change(model="another")
    np.testing.assert_array_equal(stylizer(frame), before)


@pytest.mark.parametrize("frame", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), "a.png"])
def test_what_is_no_frame_is_refused(pipeline: sav.StyleAVideoPipeline, frame: Any) -> None:
    with pytest.raises(sav.InputError, match="array"):
        sav.LiveStylizer("a cat", pipeline, fast=False, **SMALL)(frame)


def test_keyframes_would_wait_for_later_frames(pipeline: sav.StyleAVideoPipeline) -> None:
    with pytest.raises(sav.InputError, match="keyframe_interval"):
        sav.LiveStylizer("a cat", pipeline, keyframe_interval=8)


def test_memory_does_not_grow(pipeline: sav.StyleAVideoPipeline) -> None:
    frames = clip(8)
    stylizer = sav.LiveStylizer("a cat", pipeline, fast=False, refine=True, **SMALL)
    held = []
    tracemalloc.start()
    for k in range(90):
        stylizer(np.asarray(cv2.flip(frames[k % 8], k % 2)))
        if k in (30, 89):
            tensors = sum(one.numel() for one in gc.get_objects() if isinstance(one, torch.Tensor))
            held.append((tracemalloc.get_traced_memory()[0], tensors))
    tracemalloc.stop()
    assert held[1][0] < held[0][0] + 100_000
    assert held[1][1] <= held[0][1]
