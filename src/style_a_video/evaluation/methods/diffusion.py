"""This project's job, and diffusers' peers on the same weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...frames import pad_to_multiple, pixels_to_tensor
from ...models.loading import quiet_libraries
from ...pipeline import StyleAVideoPipeline
from ...settings import Settings
from ...stream import stylized_frames
from ...temporal import Refined, Refiner, dis_flow, refine, with_motion
from ...video import ShotDetector
from ..clips import Clip
from .method import Method

TOGETHER = 8
"""Frames that a peer denoises at once."""
SDEDIT_STEPS, SDEDIT_STRENGTH = 10, 0.6
"""Steps, where the model's own default is fewer, and the share of them that is taken."""
SDEDIT_GUIDANCE = 1.5
"""s_T, where the model's own default is less."""


def ours(
    pipeline: StyleAVideoPipeline, refiner: Refiner, name: str = "Style-A-Video", settings: dict[str, Any] | None = None
) -> Method:
    """The job's own frames under these settings; the job's defaults where none is given."""
    resolved = pipeline.resolve(Settings(**settings or {}))

    def run(clip: Clip, prompt: str) -> Tensor:
        frames = stylized_frames(pipeline, clip.video_frames(), prompt, resolved, refiner if resolved.refine else None)
        return pixels_to_tensor(np.stack([frame.pixels for frame in frames]))

    # Resolved, so that rows that say the same in other words are one.
    return Method(name, run, {"job": resolved.model_dump()})


def instruct_pix2pix(pipeline: StyleAVideoPipeline, cross_frame: bool) -> Method:
    """diffusers' own pipeline on the same weights, steps and scales, with one noise field for all frames.

    Args:
        cross_frame: every frame attends to the first one instead of itself, as in Video-InstructPix2Pix of
            Text2Video-Zero.
    """
    with quiet_libraries():
        from diffusers import StableDiffusionInstructPix2PixPipeline

    parts = {
        name: part for name, part in pipeline.components.items() if "encoder" not in name or name == "text_encoder"
    }
    parts.pop("feature_extractor", None)
    peer = StableDiffusionInstructPix2PixPipeline(
        **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False
    )
    peer.set_progress_bar_config(disable=True)
    defaults = pipeline.defaults()

    def together(frames: Tensor, prompt: str) -> Tensor:
        images: Tensor = peer(
            [prompt] * len(frames), image=frames, num_inference_steps=defaults["num_inference_steps"],
            guidance_scale=defaults["guidance_scale"], image_guidance_scale=defaults["image_guidance_scale"],
            generator=[torch.Generator().manual_seed(0) for _ in frames], output_type="pt",
        ).images  # fmt: skip
        return images.float().cpu()

    def run(clip: Clip, prompt: str) -> Tensor:
        pictures = pixels_to_tensor(clip.pixels)
        frames = pad_to_multiple(pictures, 8)
        if cross_frame:
            # diffusers leaves the other branches out where guidance does nothing.
            guided = defaults["guidance_scale"] > 1 and defaults["image_guidance_scale"] >= 1
            with _attending_to_the_first(pipeline, branches=3 if guided else 1):
                output = together(frames, prompt)
        else:
            output = torch.cat([together(some, prompt) for some in frames.split(TOGETHER)])
        return output[..., : pictures.shape[-2], : pictures.shape[-1]]

    name = "Video-InstructPix2Pix" if cross_frame else "InstructPix2Pix"
    return Method(name, run, {"peer": name})


@contextmanager
def _attending_to_the_first(pipeline: StyleAVideoPipeline, branches: int) -> Iterator[None]:
    with quiet_libraries():
        from diffusers.pipelines.deprecated.text_to_video_synthesis.pipeline_text_to_video_zero import (
            CrossFrameAttnProcessor2_0,
        )
    before = pipeline.unet.attn_processors
    pipeline.unet.set_attn_processor(CrossFrameAttnProcessor2_0(batch_size=branches))
    try:
        yield
    finally:
        pipeline.unet.set_attn_processor(before)


def sdedit(pipeline: StyleAVideoPipeline) -> Method:
    """Every frame noised and denoised by the text alone (Meng et al., 2022), with one noise field for all."""

    steps = max(SDEDIT_STEPS, pipeline.defaults()["num_inference_steps"])
    # The default of a model whose default is no guidance was found with the frame as a condition, which is missing
    # here.
    scale = max(SDEDIT_GUIDANCE, pipeline.defaults()["guidance_scale"])

    def run(clip: Clip, prompt: str) -> Tensor:
        frames = pixels_to_tensor(clip.pixels)
        styled: Tensor = pipeline(
            prompt,
            frames,
            initial_frames=frames,
            guidance="independent",
            guidance_scale=scale,
            image_guidance_scale=0.0,
            mask_guidance_scale=0.0,
            content_weight=0.0,
            generator=torch.Generator().manual_seed(0),
            output_type="pt",
            batch_size=TOGETHER,
            num_inference_steps=steps,
            strength=SDEDIT_STRENGTH,
        ).frames
        return styled

    return Method(
        "SDEdit", run, {"peer": "SDEdit", "steps": steps, "strength": SDEDIT_STRENGTH, "guidance_scale": scale}
    )


def with_refiner(method: Method, refiner: Refiner) -> Method:
    """The frames of another method, steadied by the refiner."""

    def run(clip: Clip, prompt: str) -> Tensor:
        frames = with_motion(clip.video_frames(), dis_flow(), ShotDetector().begins_shot)
        steady: list[Refined] = []
        for (_, motion), picture in zip(frames, method.run(clip, prompt).split(1), strict=True):
            steady.append(refine(refiner, picture, steady[-1] if steady else None, motion))
        return torch.cat([frame.refined for frame in steady]).clamp(0, 1)

    return Method(f"{method.name} + refiner", torch.no_grad()(run), method.identity | {"refined": True})
