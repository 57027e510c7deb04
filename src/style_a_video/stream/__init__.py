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

import torch
from torch import Tensor

from ..frames import pixels_to_tensor, tensor_to_pixels
from ..original_colors import with_colors_of
from ..pipeline import StyleAVideoPipeline
from ..settings import Settings
from ..temporal import Motion, Refiner, anchor_attention, flow_estimator, refine, with_motion
from ..video import ShotDetector, VideoFrame
from .border import Border
from .contexts import FrameContext, batches_of_shots, frame_contexts
from .denoiser import Denoiser
from .keyframes import propagate_keyframes

__all__ = [
    "Border",
    "Denoiser",
    "FrameContext",
    "frame_contexts",
    "propagate_keyframes",
    "stylize_each",
    "stylized_frames",
    "stylized_stream",
]


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
    for item in stylized_stream(pipeline, frames, prompt, settings, refiner):
        if isinstance(item, VideoFrame):
            yield item


def stylized_stream(
    pipeline: StyleAVideoPipeline,
    frames: Iterable[VideoFrame],
    prompt: str,
    settings: Settings,
    refiner: Refiner | None = None,
    begun: Border | None = None,
) -> Iterator[Border | VideoFrame]:
    """As `stylized_frames`, with the borders between frames at which it can be gone on with.

    Args:
        begun: go on from this border; `frames` then begin with the frame before it. The pictures are those of a stream
            that was never cut.

    With `anchor`, whose keys and values are too large to keep, and with warped noise there are borders at cuts only.
    """
    resolved = pipeline.resolve(settings)
    uses_motion = resolved.uses_motion or refiner is not None
    stream: Iterator[tuple[VideoFrame, Motion | None]] = ((frame, None) for frame in frames)
    if uses_motion:
        estimate = flow_estimator(resolved.flow, pipeline.device, resolved.fast)
        stream = with_motion(frames, estimate, ShotDetector().begins_shot)
    if begun is not None and begun.index:
        next(stream)  # the frame before the border, for the motion since
    contexts = frame_contexts(pipeline, stream, resolved, begun.index if begun else 0, uses_motion)
    with anchor_attention(pipeline.unet) if resolved.anchor else nullcontext() as anchor:
        denoiser = Denoiser(pipeline, prompt, resolved, anchor)
        stylize = propagate_keyframes if resolved.keyframe_interval > 1 else stylize_each
        can_be_cut = not resolved.anchor and resolved.noise != "warped"
        steady = begun.steady if begun else None
        for item in stylize(denoiser, contexts, begun):
            if isinstance(item, Border):
                if item.is_cut:
                    yield item
                elif can_be_cut:
                    yield item.after(steady)
                continue
            context, picture = item
            if refiner is not None:
                with torch.no_grad():
                    steady = refine(refiner, picture, steady, context.motion)
            final = picture if steady is None else steady.refined
            if resolved.preserve_color:
                final = with_colors_of(pixels_to_tensor(context.frame.pixels), final)
            yield VideoFrame(tensor_to_pixels(final)[0], context.frame.pts)


def stylize_each(
    denoiser: Denoiser, contexts: Iterator[FrameContext], begun: Border | None = None
) -> Iterator[Border | tuple[FrameContext, Tensor]]:
    """Every frame in full, batch by batch, with a border between batches; pictures are (1, 3, H, W) in [0, 1]."""
    for batch in batches_of_shots(([context] for context in contexts), denoiser.settings.batch_size):
        frames = [group[0] for group in batch]
        yield Border(frames[0].index, is_cut=frames[0].begins_shot)
        yield from zip(frames, denoiser.denoise(frames), strict=True)
