"""A job cut into segments that can be made apart: at cuts, and in long shots with an overlap.

A segment that begins at a cut is what an uncut job would have made of it, bit for bit. One that begins within a shot is
made from some keyframes earlier on, and what is made twice is dropped: by then the pictures agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .journal import LONGEST_PART, PART_FRAMES
from .settings import ResolvedSettings
from .video import Output, Part, ShotDetector, VideoFrame

OVERLAP_KEYFRAMES, LOOKAHEAD_KEYFRAMES = 3, 2
"""A segment within a shot is made from so many keyframes earlier on, and sees so many beyond its end."""


@dataclass(frozen=True)
class Segment:
    """Some frames to make, and those around them that they depend on."""

    begin: int
    """Number of the first frame to make."""
    end: int
    """Number of the frame after the last."""
    made_from: int
    """Number of the frame to start at; what comes out before `begin` is dropped."""
    frames: list[VideoFrame]
    """The inputs: from the frame before `made_from`, if there is one, to some beyond the last."""
    ends_at_cut: bool
    """Whether a shot, or the video, ends with it."""


@dataclass(frozen=True)
class Recipe:
    """What a worker needs to know to make the frames of a job."""

    prompt: str
    settings: ResolvedSettings
    size: tuple[int, int]
    """(width, height) of the output."""
    output: Output


@dataclass(frozen=True)
class Made:
    """A finished segment: the files of its part, and the time stamps of its frames."""

    end: int
    """Number of the frame after the last."""
    ends_at_cut: bool
    files: dict[str, bytes]
    """By name in the part's folder; of a part that is a file, by ""."""
    pts: tuple[int, ...]

    def write(self, path: Path) -> Part:
        """Write the part to `path`."""
        if "" in self.files:
            path.write_bytes(self.files[""])
        else:
            path.mkdir()
            for name, content in self.files.items():
                (path / name).write_bytes(content)
        return Part(path, self.pts)


class SegmentMaker(Protocol):
    """Has segments made, here or elsewhere."""

    def made(
        self, recipe: Recipe, segments: Iterable[Segment], on_frames: Callable[[int], None] | None = None
    ) -> Iterator[Made]:
        """The segments, made, in their order; `on_frames` is told the number of frames made in all."""


def overlap(settings: ResolvedSettings) -> int:
    """Frames before a segment that it may need, where it begins within a shot."""
    return OVERLAP_KEYFRAMES * settings.keyframe_interval


def segments(
    frames: Iterable[VideoFrame], settings: ResolvedSettings, begin: int = 0, first: int = 0
) -> Iterator[Segment]:
    """The segments of a stream, in order. Some 300 frames are held at a time.

    Args:
        begin: number of the first frame to make: where a shot begins, or a segment ended.
        first: number of the first of `frames`: `overlap` frames and one more before `begin`, or 0.
    """
    # Keyframes of a batch are denoised together, so a border within a shot lies between batches.
    stride = max(settings.batch_size // settings.keyframe_interval, 1) * settings.keyframe_interval
    lookahead = LOOKAHEAD_KEYFRAMES * settings.keyframe_interval
    can_split_shots = not settings.anchor and settings.noise != "warped"
    detector = ShotDetector()
    held: list[VideoFrame] = []  # from number `first` on
    shot = made_from = first  # where the shot began, and what the next segment is made from
    waiting: tuple[int, int] | None = None  # an end within a shot that waits for frames beyond it, and its shot

    def segment(end: int, until: int, ends_at_cut: bool) -> Segment:
        return Segment(begin, end, made_from, held[max(0, made_from - 1 - first) : until - first], ends_at_cut)

    number = first - 1
    for number, frame in enumerate(frames, start=first):
        cut = settings.uses_motion and detector.begins_shot(frame.pixels)
        shot = number if cut else shot
        if number == begin:
            made_from = max(shot, begin - overlap(settings))
        if waiting is not None and (cut or number == waiting[0] + lookahead):
            yield segment(waiting[0], number, False)
            begin, made_from, waiting = waiting[0], max(waiting[1], waiting[0] - overlap(settings)), None
        if cut and number - begin >= PART_FRAMES and waiting is None:
            yield segment(number, number, True)
            begin = made_from = number
        elif (
            can_split_shots
            and number - begin >= LONGEST_PART
            and (number - max(shot, begin)) % stride == 0
            and waiting is None
        ):
            waiting = number, shot
        held.append(frame)
        spare = min(made_from, number) - 1 - first
        if spare > LONGEST_PART:
            del held[:spare]
            first += spare
    if waiting is not None:
        yield segment(waiting[0], number + 1, False)
        begin, made_from = waiting[0], max(waiting[1], waiting[0] - overlap(settings))
    if number >= begin:
        yield segment(number + 1, number + 1, True)
