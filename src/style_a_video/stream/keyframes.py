"""Keyframe propagation: some frames in full, the others from them (docs/method.md, section 2.6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from torch import Tensor

from ..frames import pixels_to_tensor
from ..settings import KeyframeConfig
from ..temporal import (
    Motion,
    ReferenceFrame,
    backward_warp,
    color_drift,
    composite,
    fill_missing,
    next_keyframe,
    reference_frame,
)
from .border import Border
from .contexts import FrameContext, batches_of_shots
from .denoiser import Denoiser


def propagate_keyframes(
    denoiser: Denoiser, contexts: Iterator[FrameContext], begun: Border | None = None
) -> Iterator[Border | tuple[FrameContext, Tensor]]:
    """Keyframes in full; the frames between from the keyframes around them, and from the model what neither shows.

    A frame depends on its shot and its place in it, and with independent noise on its number in the stream. It does not
    depend on the batch size. Three intervals of frames are held at a time, or two batches if that is more. Each
    reference frame holds 12 bytes a pixel for every frame that takes from it.

    Before every batch a border is told. `begun` with one, contexts begin at it, and the stream goes on as if uncut.
    """
    interval, config = denoiser.settings.keyframe_interval, denoiser.settings.keyframes
    groups = keyframe_groups(contexts, interval)
    # As many keyframes are denoised at once as keep the frames held for them within a batch.
    together = max(1, denoiser.settings.batch_size // interval)
    keyframe = begun.keyframe if begun else None  # the first of `previous`, stylized
    previous = next(groups, []) if keyframe is not None else []
    for batch in batches_of_shots(groups, together):
        if batch[0][0].begins_shot:
            if keyframe is not None:
                yield previous[0], keyframe
            previous, keyframe = [], None
            yield Border(batch[0][0].index, is_cut=True)
        elif keyframe is not None:
            yield Border(previous[0].index, keyframe=keyframe)
        for group, rendered in zip(batch, denoiser.denoise([group[0] for group in batch]), strict=True):
            if keyframe is None:
                previous, keyframe = group, rendered
                continue
            segment = Segment.of([*previous, group[0]])
            end = len(segment.contexts) - 1
            before = segment.reference(0, keyframe, range(1, end + 1), config)
            following = next_keyframe(rendered, segment.frames[end], before, end, end / interval, config)
            after = segment.reference(end, following, range(1, end), config)
            yield previous[0], keyframe
            yield from frames_between(denoiser, segment, before, after)
            previous, keyframe = group, following
    if keyframe is not None:
        yield previous[0], keyframe


def keyframe_groups(contexts: Iterable[FrameContext], interval: int) -> Iterator[list[FrameContext]]:
    """Each keyframe with the frames up to the next one. A shot begins and ends with a keyframe."""
    group: list[FrameContext] = []
    for context in contexts:
        if group and context.motion is None:
            yield from _last_groups(group)
            group = []
        elif len(group) == interval:
            yield group
            group = []
        group.append(context)
    yield from _last_groups(group)


def _last_groups(group: list[FrameContext]) -> list[list[FrameContext]]:
    """The last group of a shot, whose last frame becomes a keyframe too: so every other frame has one after it."""
    return [part for part in (group[:-1], group[-1:]) if part]


@dataclass(frozen=True)
class Segment:
    """Neighbouring frames of one shot, from a keyframe to the next."""

    contexts: list[FrameContext]
    frames: list[Tensor]
    """The inputs, (1, 3, H, W) in [0, 1]."""
    motions: list[Motion]
    """From every frame to the next."""

    @classmethod
    def of(cls, contexts: list[FrameContext]) -> Segment:
        """The segment of these frames."""
        frames = [pixels_to_tensor(context.frame.pixels) for context in contexts]
        return cls(contexts, frames, [context.motion for context in contexts[1:] if context.motion is not None])

    def reference(self, index: int, stylized: Tensor, takers: Iterable[int], config: KeyframeConfig) -> ReferenceFrame:
        """The stylized frame `index` (1, 3, H, W), for the frames `takers` to take from."""
        return reference_frame(index, stylized, self.frames, self.motions, takers, config)


def frames_between(
    denoiser: Denoiser, segment: Segment, before: ReferenceFrame, after: ReferenceFrame
) -> Iterator[tuple[FrameContext, Tensor]]:
    """The frames of a segment between the keyframes that begin and end it.

    Where neither keyframe shows what they do, the model is asked for the frame that misses most. The others take from
    that frame too, so that what is new is made once and does not shimmer. This repeats until little is missing.
    """
    config = denoiser.settings.keyframes
    drift = color_drift(before, after, config)
    indices = range(before.index + 1, after.index)
    missing = {k: (1 - before.correspondences[k].trust) * (1 - after.correspondences[k].trust) for k in indices}
    filled: dict[int, ReferenceFrame] = {}
    while missing:
        most = max(missing, key=lambda index: float(missing[index].mean()))
        if float(missing.pop(most).mean()) <= config.missing_tolerance:
            break
        initial, gaps = picture_from_references(segment, most, before, after, filled, drift, config)
        rendered = denoiser.image_to_image([segment.contexts[most]], [initial])[0]
        filled[most] = segment.reference(most, initial + gaps * (rendered - initial), missing, config)
        missing = {k: gap * (1 - filled[most].correspondences[k].trust) for k, gap in missing.items()}
    for k in indices:
        if k in filled:
            yield segment.contexts[k], filled[k].stylized
        else:
            yield segment.contexts[k], picture_from_references(segment, k, before, after, filled, drift, config)[0]


def picture_from_references(
    segment: Segment,
    index: int,
    before: ReferenceFrame,
    after: ReferenceFrame,
    filled: dict[int, ReferenceFrame],
    drift: Tensor,
    config: KeyframeConfig,
) -> tuple[Tensor, Tensor]:
    """Frame `index` of a segment from the nearer keyframe, the farther one, then the frames that the model filled in.

    Args:
        drift: `color_drift` between the keyframes, on the pixels of the later one.

    Returns:
        The picture (1, 3, H, W) in [0, 1] and what is missing of it (1, 1, H, W), where it is the recoloured input.
    """

    def distance(reference: ReferenceFrame) -> int:
        return abs(reference.index - index)

    near, far = sorted((before, after), key=distance)
    others = sorted(filled.values(), key=distance)
    fade = max(0.0, 0.5 - (distance(far) - distance(near)) / (2 * config.fade_frames))
    drift_here = backward_warp(drift, after.correspondences[index].flow)
    picture, missing = composite(index, [near, far, *others], drift_here, fade, config)
    return (fill_missing(segment.frames[index], picture, missing) if missing.any() else picture), missing
