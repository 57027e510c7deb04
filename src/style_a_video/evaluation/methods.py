"""What a comparison runs: this project's job, diffusers' peers on the same weights, and any system by its output videos."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..frames import frames_to_tensor, pad_to_multiple
from ..models.loading import quiet_libraries
from ..pipeline import StyleAVideoPipeline
from ..settings import checked_settings
from ..stream import Moment, refined, stylized_frames
from ..temporal import Refiner, dis_flow, with_motion
from ..video import ShotDetector, VideoReader
from .clips import Clip, check_match, tensor_of

TOGETHER = 8
"""Frames that a peer denoises at once."""
OUTPUT_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".gif")
SDEDIT_STEPS, SDEDIT_STRENGTH = 10, 0.6
"""Steps, where the model's own default is fewer, and the share of them that is taken."""
SDEDIT_GUIDANCE = 1.5
"""s_T, where the model's own default is less."""


@dataclass(frozen=True)
class Method:
    """A way of stylizing. `run(clip, prompt)` gives (T, 3, H, W) in [0, 1]; it raises InputError when it cannot."""

    name: str
    run: Callable[[Clip, str], Tensor]
    identity: dict[str, Any]
    """What a kept result belongs to: two methods of equal identity give the same output, whatever they are called."""
    external: bool = False
    """Its outputs are read from files: these may change, so they are measured anew, and what they cost is not known."""


def ours(
    pipeline: StyleAVideoPipeline, refiner: Refiner, name: str = "Style-A-Video", settings: dict[str, Any] | None = None
) -> Method:
    """The job's own frames under these settings; the job's defaults where none is given."""
    chosen = checked_settings(settings or {})

    def run(clip: Clip, prompt: str) -> Tensor:
        frames = stylized_frames(pipeline, clip.video_frames(), prompt, chosen, refiner if chosen.refines else None)
        return tensor_of(np.stack([frame.pixels for frame in frames]))

    # A setting that is left to the model is the model's: rows that only say it in other words are one.
    own = pipeline.defaults(chosen.fast)
    meant = {key: own.get(key) if value is None else value for key, value in asdict(chosen).items()}
    meant["refine"] = chosen.refines
    return Method(name, run, {"job": meant})


def instruct_pix2pix(pipeline: StyleAVideoPipeline, cross_frame: bool) -> Method:
    """diffusers' own pipeline on the same weights, steps and scales, the same seed for every frame (so one noise field).

    `cross_frame`: every frame attends to the first one instead of itself (Video-InstructPix2Pix of Text2Video-Zero).
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
        pictures = tensor_of(clip.pixels)
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
    """Every frame noised to SDEDIT_STRENGTH and denoised by the text alone (Meng et al., 2022), one noise field for all."""

    steps = max(SDEDIT_STEPS, pipeline.defaults()["num_inference_steps"])
    # The default of a model whose default is no guidance was found with the frame as a condition, which is missing here.
    scale = max(SDEDIT_GUIDANCE, pipeline.defaults()["guidance_scale"])

    def run(clip: Clip, prompt: str) -> Tensor:
        frames = tensor_of(clip.pixels)
        styled = pipeline(
            prompt, frames, initial_frames=frames, guidance="independent", guidance_scale=scale, image_guidance_scale=0.0, mask_guidance_scale=0.0,
            content_weight=0.0, generator=torch.Generator().manual_seed(0), output_type="pt", batch_size=TOGETHER,
            num_inference_steps=steps, strength=SDEDIT_STRENGTH,
        ).frames  # fmt: skip
        assert isinstance(styled, Tensor)  # "pt"
        return styled

    return Method(
        "SDEdit", run, {"peer": "SDEdit", "steps": steps, "strength": SDEDIT_STRENGTH, "guidance_scale": scale}
    )


def with_refiner(method: Method, refiner: Refiner) -> Method:
    """The frames of another method, steadied by the refiner."""

    def run(clip: Clip, prompt: str) -> Tensor:
        pictures = method.run(clip, prompt).split(1)
        moments = with_motion(clip.video_frames(), dis_flow(), ShotDetector().begins_shot)
        nothing = torch.empty(0)
        stream = (
            (Moment(frame, motion, nothing, 0, number), picture)
            for number, ((frame, motion), picture) in enumerate(zip(moments, pictures, strict=True))
        )
        return torch.cat([picture for _, picture in refined(refiner, stream)]).clamp(0, 1)

    return Method(f"{method.name} + refiner", run, method.identity | {"refined": True})


def from_outputs(name: str, folder: Path) -> Method:
    """Any other system, by its output videos: `folder/CLIP-PROMPT.*`, see `output_stem`.

    Raises InputError when there is no such folder; `run` raises it for a clip whose video is missing, broken, of another shape or rate,
    or has neither as many frames as are compared nor as many as the clip's file.
    """
    if not folder.is_dir():
        raise InputError(f"--outputs {name}={folder}: there is no such folder")

    def run(clip: Clip, prompt: str) -> Tensor:
        stem = output_stem(clip.name, prompt)
        found = [path for path in sorted(folder.iterdir()) if _is_output(path, stem)]
        if not found:
            raise InputError(f"{folder} has no {stem}.mp4 (or .mov, .mkv, .webm, .gif, a folder of images)")
        reader = VideoReader(found[0])
        wanted = {len(clip)}
        if clip.source is not None:
            check_match(clip.source, reader.info)
            wanted.add(clip.source.frame_count)
        height, width = clip.pixels.shape[1:3]
        kept, count = [], 0
        # All are counted, but only those that are compared wait in memory.
        for count, frame in enumerate(reader.frames((width, height)), start=1):
            if count <= len(clip):
                kept.append(frame.pixels)
        if count not in wanted:
            raise InputError(f"{found[0]} has {count} frames where {' or '.join(map(str, sorted(wanted)))} are wanted")
        return frames_to_tensor(np.stack(kept))

    return Method(name, run, {"outputs": str(folder)}, external=True)


def _is_output(path: Path, stem: str) -> bool:
    return path.name == stem if path.is_dir() else path.stem == stem and path.suffix.lower() in OUTPUT_SUFFIXES


def output_stem(clip: str, prompt: str) -> str:
    """How an output video is named: the clip's name, a dash, and the prompt's letters and digits with dashes between.

    >>> output_stem("wolf", "Make it a pencil drawing.")
    'wolf-make-it-a-pencil-drawing'
    """
    words = re.sub(r"[\W_]+", "-", prompt.lower()).strip("-")
    return f"{clip}-{words}"
