"""A frame with all that goes with it: its motion, its noise, its shot and its number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..frames import pad_to_multiple, pixels_to_tensor
from ..pipeline import StyleAVideoPipeline
from ..settings import Settings
from ..temporal import Motion, WarpedNoise
from ..video import VideoFrame


@dataclass(frozen=True)
class FrameContext:
    """A frame of the stream and what is known of it before it is denoised."""

    frame: VideoFrame
    motion: Motion | None
    """Since the frame before; None where a shot begins, and where nothing asks for motion."""
    noise: Tensor
    """(1, C, h, w), standard normal."""
    shot: int
    """Number of its shot. Where nothing asks for motion, every frame is a shot of its own."""
    index: int
    """Number of the frame in the stream, from 0."""
    begins_shot: bool = False
    """Whether a cut, or the beginning of the stream, lies before it. False where nothing asks for motion."""


def batches_of_shots(groups: Iterable[list[FrameContext]], size: int) -> Iterator[list[list[FrameContext]]]:
    """Up to `size` groups at a time, none of them from two shots.

    So what is computed of a shot, to the last bit, does not depend on the shots before.
    """
    batch: list[list[FrameContext]] = []
    for group in groups:
        if batch and group[0].begins_shot:
            yield batch
            batch = []
        batch.append(group)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def frame_seed(seed: int, index: int, *kind: int) -> int:
    """A seed of a frame's own, by its number in the stream, and for every kind of noise another."""
    return int(np.random.SeedSequence([seed, index, *kind]).generate_state(1)[0])


def frame_contexts(
    pipeline: StyleAVideoPipeline,
    stream: Iterable[tuple[VideoFrame, Motion | None]],
    settings: Settings,
    begin: int = 0,
    detects_shots: bool = True,
) -> Iterator[FrameContext]:
    """Give every frame the noise that it is denoised from.

    With shared or warped noise every shot starts from the same field; nothing else is carried over a cut. Independent
    fields follow from the frames' numbers.

    Args:
        begin: number of the stream's first frame.
        detects_shots: whether a frame without motion begins a shot; else nothing asks for motion.
    """
    multiple = pipeline.vae_scale_factor
    first: Tensor | None = None
    shot = 0
    for index, (frame, motion) in enumerate(stream, start=begin):
        shot += motion is None and first is not None
        begins_shot = motion is None and detects_shots
        if first is None or settings.noise == "independent":
            padded = pad_to_multiple(pixels_to_tensor(frame.pixels), multiple)
            # A single picture looks the same with every kind of noise.
            own = settings.noise == "independent" and index > 0
            seed = frame_seed(settings.seed, index) if own else settings.seed
            generator = torch.Generator("cpu").manual_seed(seed)
            first = pipeline.prepare_latents(padded, "shared", generator, None)
        if settings.noise != "warped":
            yield FrameContext(frame, motion, first, shot, index, begins_shot)
            continue
        if motion is None:
            # Fresh values of a shot's own: a shot must not depend on those before it.
            field = WarpedNoise(first, torch.Generator("cpu").manual_seed(settings.seed + 1))
        else:
            # The noise lies on the padded frame.
            field.advance(*(pad_to_multiple(x, multiple) for x in (motion.forward, motion.forward_mask)))
        yield FrameContext(frame, motion, field.latents(), shot, index, begins_shot)
