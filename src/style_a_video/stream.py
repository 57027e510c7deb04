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
    FlowEstimator,
    Motion,
    Reference,
    Refined,
    Refiner,
    WarpedNoise,
    anchor_attention,
    assembled,
    backward_warp,
    change_of_light,
    dis_flow,
    guessed,
    next_keyframe,
    picture_bytes,
    picture_tensor,
    raft_flow,
    refine,
    with_motion,
)
from .video import ShotDetector, VideoFrame

MIDDLE = 0.5
"""Share of the steps that is taken where a frame between two keyframes shows what neither does."""
FADE = 4
"""Frames over which the picture passes from one keyframe to the next, half-way between them."""
TOLERATED = 0.02
"""Share of a frame's pixels that may be missing without asking the model."""


@dataclass(frozen=True)
class Moment:
    """A frame on its way through: its motion since the one before (None where a shot begins) and its noise (1, C, h, w)."""

    frame: VideoFrame
    motion: Motion | None
    noise: Tensor
    shot: int
    """Number of its shot; where nobody asked for motion, every frame counts as one."""
    number: int
    """Of the frame in the stream, from 0."""


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
        with_motion(frames, flow_estimator(settings, pipeline.device), detector.begins_shot)
        if moving
        else ((frame, None) for frame in frames)
    )
    moments = with_noise(pipeline, stream, settings)
    with anchor_attention(pipeline.unet) if settings.anchor else nullcontext() as anchor:
        model = Model(pipeline, prompt, settings, anchor)
        pictures = propagated(model, moments) if settings.keyframe_interval > 1 else one_by_one(model, moments)
        for moment, picture in refined(refiner, pictures) if refiner else pictures:
            yield VideoFrame(picture_bytes(picture), moment.frame.pts)


def flow_estimator(settings: Settings, device: torch.device) -> FlowEstimator:
    """The one asked for. Raises InputError for RAFT without torchvision or its weights."""
    return raft_flow(device) if settings.flow == "raft" else dis_flow(settings.fast)


def with_noise(
    pipeline: StyleAVideoPipeline, stream: Iterable[tuple[VideoFrame, Motion | None]], settings: Settings
) -> Iterator[Moment]:
    """Every frame with the noise that it is denoised from. Shared and warped noise begin every shot with the same field, and nothing
    else of them crosses a cut; independent fields follow one another from the first frame to the last."""
    generator = torch.Generator("cpu").manual_seed(settings.seed)
    first: Tensor | None = None
    shot = 0
    for number, (frame, motion) in enumerate(stream):
        shot += motion is None and first is not None
        if first is None or settings.noise == "independent":
            picture = pad_to_multiple(picture_tensor(frame.pixels), pipeline.vae_scale_factor)
            first = pipeline.prepare_latents(picture, "shared", generator, None)
        if settings.noise != "warped":
            yield Moment(frame, motion, first, shot, number)
            continue
        if motion is None:
            # Fresh values of a shot's own: a shot must not depend on those before it.
            field = WarpedNoise(first, torch.Generator("cpu").manual_seed(settings.seed + 1))
        else:
            # The noise lies on the padded frame.
            field.advance(
                *(pad_to_multiple(x, pipeline.vae_scale_factor) for x in (motion.forward, motion.forward_mask))
            )
        yield Moment(frame, motion, field.latents(), shot, number)


class Model:
    """The pipeline with everything that is the same for all frames of a job."""

    def __init__(
        self, pipeline: StyleAVideoPipeline, prompt: str, settings: Settings, anchor: AnchorAttention | None
    ) -> None:
        self.pipeline, self.settings, self.anchor = pipeline, settings, anchor
        with torch.no_grad():
            self.text = pipeline.encode_prompt(prompt)
            self.no_text = pipeline.encode_prompt(settings.negative_prompt, allow_empty=True)

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
            None,
            np.stack([moment.frame.pixels for moment in moments]),
            prompt_embeds=self.text,
            negative_prompt_embeds=self.no_text,
            latents=torch.cat([moment.noise for moment in moments]),
            initial_frames=None if begun is None else torch.cat(begun),
            strength=1.0 if begun is None else MIDDLE,
            generator=self._step_generators(moments, begun is None),
            batch_size=self.settings.batch_size,
            output_type="pt",
            **{name: getattr(self.settings, name) for name in CALL_SETTINGS},
        ).frames
        assert isinstance(styled, Tensor)  # "pt"
        return list(styled.split(1))

    def _step_generators(self, moments: list[Moment], in_full: bool) -> list[torch.Generator]:
        """Of the noise that some schedulers draw at their steps: for every frame the same, and not that of the start again; its own where
        noise is independent."""
        seed = self.settings.seed
        if self.settings.noise == "independent":
            # By the frame's number, not by the order of calls, which depends on the batch size.
            sequences = (np.random.SeedSequence([seed, moment.number, in_full]) for moment in moments)
            seeds = [int(sequence.generate_state(1)[0]) for sequence in sequences]
        else:
            seeds = [seed + 2] * len(moments)
        return [torch.Generator("cpu").manual_seed(seed) for seed in seeds]


def one_by_one(model: Model, moments: Iterator[Moment]) -> Iterator[tuple[Moment, Tensor]]:
    """Every frame in full, batch by batch."""
    while batch := list(islice(moments, model.settings.batch_size)):
        yield from zip(batch, model.in_full(batch), strict=True)


def propagated(model: Model, moments: Iterator[Moment]) -> Iterator[tuple[Moment, Tensor]]:
    """Keyframes in full; the frames between from the keyframes around them, and from the model where neither shows what they do.

    A frame depends on its shot and its place in it (and, as all frames do then, on independent noise), so not on the batch size. Two
    intervals of frames are held at a time, or those of a batch, if more, and from each of them the way to those it takes from: 12 bytes a
    pixel and way, of which there are half the interval's square at most, where all flow fails.
    """
    segments = keyframe_segments(moments, model.settings.keyframe_interval)
    # As many keyframes at once as keep the frames held for them within a batch; a large batch makes full batches of them.
    together = max(1, model.settings.batch_size // model.settings.keyframe_interval)
    last: tuple[list[Moment], Tensor] | None = None
    while batch := list(islice(segments, together)):
        for segment, rendered in zip(batch, model.in_full([segment[0] for segment in batch]), strict=True):
            if last is None or segment[0].motion is None:
                if last is not None:
                    yield last[0][0], last[1]
                last = segment, rendered
                continue
            run = Run.of([*last[0], segment[0]])
            end = len(run.moments) - 1
            before = run.reference(0, last[1], range(1, end + 1))
            keyframe = next_keyframe(rendered, run.frames[end], before, end, end / model.settings.keyframe_interval)
            after = run.reference(end, keyframe, range(1, end))
            yield last[0][0], last[1]
            yield from frames_between(model, run, before, after)
            last = segment, keyframe
    if last is not None:
        yield last[0][0], last[1]


def keyframe_segments(moments: Iterable[Moment], interval: int) -> Iterator[list[Moment]]:
    """Each keyframe with the frames up to the next one; a shot begins and ends with a keyframe."""
    segment: list[Moment] = []
    for moment in moments:
        if segment and moment.motion is None:
            yield from _ended(segment)
            segment = []
        elif len(segment) == interval:
            yield segment
            segment = []
        segment.append(moment)
    yield from _ended(segment)


def _ended(segment: list[Moment]) -> list[list[Moment]]:
    """The last segment of a shot: its last frame has a keyframe after it as all others do, by being one."""
    return [part for part in (segment[:-1], segment[-1:]) if part]


@dataclass(frozen=True)
class Run:
    """Frames of one shot, one after the other."""

    moments: list[Moment]
    frames: list[Tensor]
    """The inputs, (1, 3, H, W) in [0, 1]."""
    motions: list[Motion]
    """From every frame to the next."""

    @classmethod
    def of(cls, moments: list[Moment]) -> Run:
        frames = [picture_tensor(moment.frame.pixels) for moment in moments]
        return cls(moments, frames, [moment.motion for moment in moments[1:] if moment.motion is not None])

    def reference(self, place: int, picture: Tensor, takers: Iterable[int]) -> Reference:
        """The stylized frame at `place`, for those at other places to take from."""
        return Reference.at(place, picture, self.frames, self.motions, takers)


def frames_between(model: Model, run: Run, before: Reference, after: Reference) -> Iterator[tuple[Moment, Tensor]]:
    """The frames of a run between the keyframes that begin and end it.

    Where neither shows what they do, the model is asked for the frame that misses most; the others take from that too, so that
    what is new is made once and not a little different in every frame; and so on, until little is missing anywhere.
    """
    keyframes = (before, after)
    asked: dict[int, Reference] = {}
    light = change_of_light(before, after)

    def from_references(place: int) -> tuple[Tensor, Tensor]:
        others = sorted(asked.values(), key=lambda other: abs(other.place - place))
        near, far = sorted(keyframes, key=lambda other: abs(other.place - place))
        share = 0.5 - (abs(far.place - place) - abs(near.place - place)) / (2 * FADE)
        # Measured where the later keyframe has it.
        here = backward_warp(light, after.ways[place].flow)
        picture, missing = assembled(place, [near, far, *others], here, max(share, 0.0))
        return (guessed(run.frames[place], picture, missing) if missing.any() else picture), missing

    places = range(before.place + 1, after.place)
    missing = {place: (1 - before.ways[place].trusted) * (1 - after.ways[place].trusted) for place in places}
    while missing:
        most = max(missing, key=lambda place: float(missing[place].mean()))
        if float(missing.pop(most).mean()) <= TOLERATED:
            break
        begun, gaps = from_references(most)
        made = model.from_the_middle([run.moments[most]], [begun])[0]
        asked[most] = run.reference(most, begun + gaps * (made - begun), missing)
        missing = {place: gap * (1 - asked[most].ways[place].trusted) for place, gap in missing.items()}
    for place in places:
        yield run.moments[place], asked[place].picture if place in asked else from_references(place)[0]


@torch.no_grad()
def refined(refiner: Refiner, pictures: Iterable[tuple[Moment, Tensor]]) -> Iterator[tuple[Moment, Tensor]]:
    """The stream steadied by the local refinement network (2.5), frame by frame."""
    before: Refined | None = None
    for moment, picture in pictures:
        # A frame that the video repeats stays what it was.
        if before is None or moment.motion is None or not torch.equal(picture, before.stylized):
            before = refine(refiner, picture, before, moment.motion)
        yield moment, before.refined
