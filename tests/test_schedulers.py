"""Schedulers by name: each is diffusers' class with the model's own noise schedule, and the stream uses it."""

from __future__ import annotations

from typing import Any

import diffusers
import numpy as np
import pytest

import style_a_video as sav
from style_a_video.schedulers import SCHEDULERS, scheduler_by_name
from style_a_video.settings import Settings
from style_a_video.stream import stylized_frames
from style_a_video.video import VideoFrame


@pytest.mark.parametrize("model", ["pipeline", "bundled"])
@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_scheduler_keeps_the_models_noise_schedule(name: str, model: str, request: pytest.FixtureRequest) -> None:
    """The bundled model's schedule ends in pure noise, which not every class can make itself."""
    pipeline: sav.StyleAVideoPipeline = request.getfixturevalue(model)
    scheduler = scheduler_by_name(name, pipeline.scheduler)
    assert type(scheduler) is getattr(diffusers, SCHEDULERS[name])
    np.testing.assert_allclose(scheduler.alphas_cumprod, pipeline.scheduler.alphas_cumprod, atol=1e-6)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_job_samples_by_it(name: str, pipeline: sav.StyleAVideoPipeline) -> None:
    """As a pipeline does that has this scheduler of its own."""
    frames = [VideoFrame(np.full((32, 32, 3), 40 * k, np.uint8), k) for k in range(3)]
    settings: dict[str, Any] = {"num_inference_steps": 3, "keyframe_interval": 1}
    named = stylized_frames(pipeline, frames, "a cat", Settings(**settings, scheduler=name))
    own = stylized_frames(pipeline.with_scheduler(name), frames, "a cat", Settings(**settings))
    for one, other in zip(named, own, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
    assert type(pipeline.scheduler).__name__ == "DDIMScheduler"
