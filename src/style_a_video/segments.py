"""A job cut into segments, at cuts and within long shots, where an uncut job could be stopped and gone on with.

Nothing crosses a cut, so what lies between cuts can be made apart. Segments of one shot follow each other: the marks of
a shot come from its first keyframes, so one that began anew would show a seam.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .journal import LONGEST_PART, PART_FRAMES
from .settings import ResolvedSettings
from .stream.border import Border
from .video import Output, Part, ShotDetector, VideoFrame


@dataclass(frozen=True)
class Segment:
    """Some frames to make, and those around them that they depend on."""

    begin: int
    """Number of the first frame to make."""
    end: int
    """Number of the frame after the last."""
    frames: list[VideoFrame]
    """The inputs: from the frame before the first, if there is one, to some beyond the last."""
    goes_on: bool
    """Whether it begins within a shot: then the border that the one before ended with is needed."""


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

    border: Border
    """After its last frame."""
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
        self,
        recipe: Recipe,
        segments: Iterable[Segment],
        begun: Border | None = None,
        on_frames: Callable[[int], None] | None = None,
    ) -> Iterator[Made]:
        """The segments, made, in their order.

        Args:
            begun: where the first begins, if that is within a shot.
            on_frames: called now and then with the number of frames made in all.
        """


def segments(
    frames: Iterable[VideoFrame], settings: ResolvedSettings, begin: int = 0, goes_on: bool = False
) -> Iterator[Segment]:
    """The segments of a stream, in order: they end where the parts of an uncut job do. Some 300 frames are held.

    Args:
        frames: from the frame before `begin`, if there is one.
        begin: number of the first frame to make: where a shot begins, or a segment ended.
        goes_on: whether `begin` lies within a shot.
    """
    interval = settings.keyframe_interval
    # Keyframes of a batch are denoised together, and a border lies before the last of a batch (`stream.keyframes`).
    stride = max(settings.batch_size // interval, 1) * interval
    before, lookahead = (interval, stride + interval) if interval > 1 else (0, 1)
    can_split_shots = not settings.anchor and settings.noise != "warped"
    detector = ShotDetector()
    first = max(0, begin - 1)
    held: list[VideoFrame] = []  # from number `first` on
    start = begin + (before if goes_on else 0)  # borders are counted from here: the shot's beginning, or a border
    waiting: int | None = None  # an end within a shot, until the frames beyond it are there

    def segment(end: int, until: int) -> Segment:
        return Segment(begin, end, held[max(0, begin - 1 - first) : until - first], goes_on)

    number = first - 1
    for number, frame in enumerate(frames, start=first):
        cut = settings.uses_motion and detector.begins_shot(frame.pixels) and number > begin
        if cut:
            start = number
        if waiting is not None and cut and number == waiting + 1 and interval > 1:
            waiting = None  # a keyframe that is a shot's last frame has no border before it
        if waiting is not None and (cut or number == waiting + lookahead):
            yield segment(waiting, number)
            begin, goes_on, waiting = waiting, True, None
        if cut and number - begin >= PART_FRAMES and waiting is None:
            yield segment(number, number)
            begin, goes_on = number, False
        elif (
            can_split_shots
            and waiting is None
            and number - begin >= LONGEST_PART
            and (number - start + before) % stride == 0
        ):
            waiting = number
        held.append(frame)
        spare = begin - 1 - first
        if spare > LONGEST_PART:
            del held[:spare]
            first += spare
    if waiting is not None and (number > waiting or interval == 1):
        yield segment(waiting, number + 1)
        begin, goes_on = waiting, True
    if number >= begin:
        yield segment(number + 1, number + 1)
