"""Frames through the model: a stream in, the steady stylized stream out, its memory independent of its length.

Noise, keyframes, anchor and refiner (DESIGN 2.5, 2.6), each of them switched by `Settings`; nothing crosses a cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import groupby, islice

import numpy as np
import torch
from torch import Tensor

from .frames import pad_to_multiple
from .pipeline import StyleAVideoPipeline
from .settings import CALL_SETTINGS, Settings
from .temporal import (
    AnchorAttention,
    Link,
    Motion,
    Refined,
    Refiner,
    WarpedNoise,
    anchor_attention,
    between,
    covered,
    detail_depth,
    dis_flow,
    guessed,
    links_ahead,
    links_back,
    next_keyframe,
    picture_bytes,
    picture_tensor,
    refine,
    step_back,
    with_detail,
    with_motion,
)
from .video import ShotDetector, VideoFrame

MIDDLE = 0.5
"""Share of the steps that is taken where a frame between two keyframes shows what neither does."""
TOLERATED = 0.005
"""Share of a frame's pixels that may be missing without asking the model."""


@dataclass(frozen=True)
class Moment:
    """A frame on its way through: its motion since the one before (None where a shot begins) and its noise (1, C, h, w)."""

    frame: VideoFrame
    motion: Motion | None
    noise: Tensor
    shot: int
    """Number of its shot; where nobody asked for motion, every frame counts as one."""


def stylized_frames(
    pipeline: StyleAVideoPipeline,
    frames: Iterable[VideoFrame],
    prompt: str,
    settings: Settings,
    refiner: Refiner | None = None,
) -> Iterator[VideoFrame]:
    """Stylize a stream of equal-sized frames, as `settings` say, and steady it by `refiner` if there is one."""
    moving = settings.noise == "warped" or settings.keyframe_interval > 1 or settings.anchor or refiner is not None
    detector = ShotDetector()
    stream: Iterable[tuple[VideoFrame, Motion | None]] = (
        with_motion(frames, dis_flow(), detector.begins_shot) if moving else ((frame, None) for frame in frames)
    )
    moments = with_noise(pipeline, stream, settings)
    with anchor_attention(pipeline.unet) if settings.anchor else nullcontext() as anchor:
        model = Model(pipeline, prompt, settings, anchor)
        pictures = propagated(model, moments) if settings.keyframe_interval > 1 else one_by_one(model, moments)
        for moment, picture in refined(refiner, pictures) if refiner else pictures:
            yield VideoFrame(picture_bytes(picture), moment.frame.pts)


def with_noise(
    pipeline: StyleAVideoPipeline, stream: Iterable[tuple[VideoFrame, Motion | None]], settings: Settings
) -> Iterator[Moment]:
    """Every frame with the noise that it is denoised from. Shared and warped noise begin every shot with the same field, and nothing
    else of them crosses a cut; independent fields follow one another from the first frame to the last."""
    generator = torch.Generator("cpu").manual_seed(settings.seed)
    first: Tensor | None = None
    shot = 0
    for frame, motion in stream:
        shot += motion is None and first is not None
        if first is None or settings.noise == "independent":
            picture = pad_to_multiple(picture_tensor(frame.pixels), pipeline.vae_scale_factor)
            first = pipeline.prepare_latents(picture, "shared", generator, None)
        if settings.noise != "warped":
            yield Moment(frame, motion, first, shot)
            continue
        if motion is None:
            # Fresh values of a shot's own: a shot must not depend on those before it.
            field = WarpedNoise(first, torch.Generator("cpu").manual_seed(settings.seed + 1))
        else:
            # The noise lies on the padded frame.
            field.advance(
                *(pad_to_multiple(x, pipeline.vae_scale_factor) for x in (motion.forward, motion.forward_mask))
            )
        yield Moment(frame, motion, field.latents(), shot)


class Model:
    """The pipeline with everything that is the same for all frames of a job."""

    def __init__(
        self, pipeline: StyleAVideoPipeline, prompt: str, settings: Settings, anchor: AnchorAttention | None
    ) -> None:
        self.pipeline, self.prompt, self.settings, self.anchor = pipeline, prompt, settings, anchor
        self.generator = torch.Generator("cpu").manual_seed(settings.seed)

    def in_full(self, moments: list[Moment]) -> list[Tensor]:
        """Stylized frames (1, 3, H, W) in [0, 1], all steps from the noise; a shot's first frame is its anchor."""
        if self.anchor is None:
            return self._run(moments)
        pictures = []
        for _, group in groupby(moments, lambda moment: moment.shot):
            rest = list(group)
            if rest[0].motion is None:
                self.anchor.mode = "record"
                pictures += self._run(rest[:1])
                rest = rest[1:]
            self.anchor.mode = "replay"
            pictures += self._run(rest) if rest else []
        return pictures

    def from_the_middle(self, moments: list[Moment], begun: list[Tensor]) -> list[Tensor]:
        """The last steps only, from frames (1, 3, H, W) that are almost there."""
        if self.anchor is not None:
            self.anchor.mode = "off"
        return self._run(moments, begun)

    def _run(self, moments: list[Moment], begun: list[Tensor] | None = None) -> list[Tensor]:
        styled = self.pipeline(
            self.prompt,
            np.stack([moment.frame.pixels for moment in moments]),
            latents=torch.cat([moment.noise for moment in moments]),
            initial_frames=None if begun is None else torch.cat(begun),
            strength=1.0 if begun is None else MIDDLE,
            generator=self.generator,
            batch_size=self.settings.batch_size,
            output_type="pt",
            **{name: getattr(self.settings, name) for name in CALL_SETTINGS},
        ).frames
        assert isinstance(styled, Tensor)  # "pt"
        return list(styled.split(1))


def one_by_one(model: Model, moments: Iterator[Moment]) -> Iterator[tuple[Moment, Tensor]]:
    """Every frame in full, batch by batch."""
    while batch := list(islice(moments, model.settings.batch_size)):
        yield from zip(batch, model.in_full(batch), strict=True)


def propagated(model: Model, moments: Iterator[Moment]) -> Iterator[tuple[Moment, Tensor]]:
    """Keyframes in full; the frames between from the keyframes around them, and from the model where neither shows what they do.

    A frame depends on its shot and its place in it (and on independent noise, if that is asked for), so not on the batch size. Two
    intervals of frames are held at a time.
    """
    segments = keyframe_segments(moments, model.settings.keyframe_interval)
    # As many keyframes at once as keep the frames held for them within a batch; a large batch makes full batches of them.
    together = max(1, model.settings.batch_size // model.settings.keyframe_interval)
    last: tuple[list[Moment], Tensor] | None = None
    while batch := list(islice(segments, together)):
        for segment, rendered in zip(batch, model.in_full([segment[0] for segment in batch]), strict=True):
            follows = last is not None and segment[0].motion is not None
            keyframe = rendered
            if last is not None:
                if follows:
                    link = links_back(_motions([*last[0][1:], segment[0]]))[-1]
                    keyframe = next_keyframe(rendered, last[1], link)
                yield from _segment(model, *last, (segment[0], keyframe) if follows else None)
            last = segment, keyframe
    if last is not None:
        yield from _segment(model, *last, None)


def keyframe_segments(moments: Iterable[Moment], interval: int) -> Iterator[list[Moment]]:
    """Each keyframe with the frames up to the next one; a shot begins with a keyframe."""
    segment: list[Moment] = []
    for moment in moments:
        if segment and (moment.motion is None or len(segment) == interval):
            yield segment
            segment = []
        segment.append(moment)
    if segment:
        yield segment


def _segment(
    model: Model, segment: list[Moment], keyframe: Tensor, following: tuple[Moment, Tensor] | None
) -> Iterator[tuple[Moment, Tensor]]:
    """The frames of one segment: the keyframe as it is, the others between it and the `following` one, if the shot has one."""
    yield segment[0], keyframe
    frames = segment[1:]
    motions = _motions(frames)
    back = links_back(motions)
    ahead = links_ahead(_motions([*frames, following[0]])[1:]) if following and frames else []
    # The last frame that the model was asked for, and the way to it: what that shows need not be asked for again, and would come out
    # a little different.
    asked: Tensor | None = None
    way: Link | None = None
    for k, moment in enumerate(frames):
        before, after = (keyframe, back[k]), (following[1], ahead[k]) if following else None
        nearer_after = after is not None and 2 * (k + 1) > len(segment)
        picture, missing = between(after, before) if nearer_after and after else between(before, after)
        if asked is not None:
            step = step_back(motions[k])
            way = step.beyond(way) if way else step
            picture, missing = covered(picture, missing, asked, way)
        if float(missing.mean()) > TOLERATED:
            begun = guessed(picture_tensor(moment.frame.pixels), picture, missing)
            made = model.from_the_middle([moment], [begun])[0]
            picture = picture + missing * (made - picture)
            asked, way = picture, None
        yield moment, picture


def _motions(moments: list[Moment]) -> list[Motion]:
    return [moment.motion for moment in moments if moment.motion is not None]


@torch.no_grad()
def refined(refiner: Refiner, pictures: Iterable[tuple[Moment, Tensor]]) -> Iterator[tuple[Moment, Tensor]]:
    """The stream steadied by the local refinement network (2.5), frame by frame, its marks as deep as they came."""
    before: Refined | None = None
    for moment, picture in pictures:
        steady = refine(refiner, picture, before, moment.motion).refined
        before = Refined(picture, with_detail(steady, detail_depth(picture)))
        yield moment, before.refined
