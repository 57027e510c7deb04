"""Noise that schedulers draw, and the anchor."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import EulerAncestralDiscreteScheduler

import style_a_video as sav
from style_a_video.settings import Settings
from style_a_video.stream import Denoiser, frame_contexts
from style_a_video.temporal import anchor_attention, dis_flow, with_motion
from style_a_video.video import ShotDetector
from tests.conftest import tiny_pipeline
from tests.stream.helpers import ONE_STEP, noise_fields, shot, stylized, texture, video


@pytest.mark.parametrize("noise", ["shared", "independent"])
def test_noise_that_a_scheduler_draws_at_its_steps_is_shared_as_that_of_the_start(noise: Any) -> None:
    pipeline = tiny_pipeline()
    pipeline.scheduler = EulerAncestralDiscreteScheduler.from_config(pipeline.scheduler.config)
    pictures = [texture(0)[:, :64]] * 3
    settings: dict[str, Any] = {"keyframe_interval": 1, "noise": noise, "num_inference_steps": 3}
    one, three = (stylized(pipeline, pictures, batch_size=size, **settings) for size in (1, 3))
    np.testing.assert_allclose(one, three, atol=1)
    assert (float(np.abs(one[0] - one[1]).max()) <= 1) == (noise == "shared")
    drawn: list[torch.Tensor] = []
    step = pipeline.scheduler.step

    @functools.wraps(step)
    def watched(*arguments: Any, generator: list[torch.Generator], **named: Any) -> Any:
        drawn.append(torch.randn(4, generator=generator[0].clone_state()))
        return step(*arguments, generator=generator, **named)

    pipeline.scheduler.step = watched
    stylized(pipeline, pictures[:1], **settings)
    start = noise_fields(pipeline, np.stack(pictures[:1]), noise).ravel()[:4]
    assert np.abs(drawn[0].numpy() - start).max() > 0.1


def test_the_anchor_changes_every_frame_of_a_shot_but_its_first(pipeline: sav.StyleAVideoPipeline) -> None:
    pictures = [*shot(7, 3), *(255 - picture for picture in shot(8, 3))]
    settings = pipeline.resolve(Settings(**ONE_STEP))
    for name, weight in pipeline.unet.named_parameters():
        if "attn1.to_" in name:
            weight.mul_(6)  # A random model hardly attends.
    stream = with_motion(video(pictures), dis_flow(), ShotDetector().begins_shot)
    contexts = list(frame_contexts(pipeline, stream, settings))
    plain = torch.cat(Denoiser(pipeline, "a cat", settings, None).denoise(contexts))
    with anchor_attention(pipeline.unet) as anchor:
        anchored = torch.cat(Denoiser(pipeline, "a cat", settings, anchor).denoise(contexts))
    changed = (plain - anchored).abs().amax(dim=(1, 2, 3))
    assert float(changed[[0, 3]].max()) < 1e-5
    assert float(changed[[1, 2, 4, 5]].min()) > 1e-3


@pytest.mark.parametrize("times", [1, 2])
def test_a_picture_that_is_not_finite_is_made_again_once(times: int) -> None:
    pipeline = tiny_pipeline()
    pictures = shot(0, 3)
    settings: dict[str, Any] = {"keyframe_interval": 1, "batch_size": 3}
    expected = stylized(pipeline, pictures, **settings)
    decode, left = pipeline.vae.decode, [times]

    def faulty(latents: torch.Tensor, *arguments: Any, **named: Any) -> Any:
        decoded = decode(latents, *arguments, **named)
        if left[0]:
            left[0] -= 1
            (decoded[0] if isinstance(decoded, tuple) else decoded.sample)[-1, 0, 0, 0] = float("nan")
        return decoded

    pipeline.vae.decode = faulty
    if times == 2:
        with pytest.raises(sav.InputError, match="frame 2 comes out with numbers that are not finite, twice"):
            stylized(pipeline, pictures, **settings)
    else:
        np.testing.assert_allclose(stylized(pipeline, pictures, **settings), expected, atol=1)
