"""Frames through the model: a stream in, the stylized stream out. Memory does not grow with its length.

The story of a stream (docs/architecture.md has the picture):

1. `video.ShotDetector` finds cuts; `temporal.with_motion` estimates the flow between neighbours within a shot.
2. `contexts.frame_contexts` gives every frame the noise that it is denoised from.
3. `keyframes.propagate_keyframes` denoises every 8th frame in full and makes the others from these keyframes. With
   `keyframe_interval=1`, `stylize_each` denoises every frame in full.
4. `temporal.refine` steadies what still flickers, by the refinement network.

`Settings` say which of these steps run. Nothing but the noise that all frames share crosses a cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import islice

import torch
from torch import Tensor

from ..frames import tensor_to_pixels
from ..pipeline import StyleAVideoPipeline
from ..settings import Settings
from ..temporal import Motion, Refined, Refiner, anchor_attention, flow_estimator, refine, with_motion
from ..video import ShotDetector, VideoFrame
from .contexts import FrameContext, frame_contexts
from .denoiser import Denoiser
from .keyframes import propagate_keyframes

__all__ = ["Denoiser", "FrameContext", "frame_contexts", "propagate_keyframes", "stylize_each", "stylized_frames"]


def stylized_frames(
    pipeline: StyleAVideoPipeline,
    frames: Iterable[VideoFrame],
    prompt: str,
    settings: Settings,
    refiner: Refiner | None = None,
) -> Iterator[VideoFrame]:
    """Stylize a stream of frames of one size, and steady it by `refiner` if there is one.

    Raises InputError for settings or a prompt that this model cannot use.
    """
    resolved = pipeline.resolve(settings)
    uses_motion = resolved.noise == "warped" or resolved.keyframe_interval > 1 or resolved.anchor or refiner is not None
    stream: Iterable[tuple[VideoFrame, Motion | None]] = ((frame, None) for frame in frames)
    if uses_motion:
        estimate = flow_estimator(resolved.flow, pipeline.device, resolved.fast)
        stream = with_motion(frames, estimate, ShotDetector().begins_shot)
    contexts = frame_contexts(pipeline, stream, resolved)
    with anchor_attention(pipeline.unet) if resolved.anchor else nullcontext() as anchor:
        denoiser = Denoiser(pipeline, prompt, resolved, anchor)
        stylize = propagate_keyframes if resolved.keyframe_interval > 1 else stylize_each
        pictures = stylize(denoiser, contexts)
        steady: Refined | None = None
        for context, picture in pictures:
            if refiner is not None:
                with torch.no_grad():
                    steady = refine(refiner, picture, steady, context.motion)
            final = picture if steady is None else steady.refined
            yield VideoFrame(tensor_to_pixels(final)[0], context.frame.pts)


def stylize_each(denoiser: Denoiser, contexts: Iterator[FrameContext]) -> Iterator[tuple[FrameContext, Tensor]]:
    """Every frame in full, batch by batch; pictures are (1, 3, H, W) in [0, 1]."""
    while batch := list(islice(contexts, denoiser.settings.batch_size)):
        yield from zip(batch, denoiser.denoise(batch), strict=True)
