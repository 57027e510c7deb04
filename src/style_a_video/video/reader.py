"""Reading: any container and codec FFmpeg knows, GIFs, still images, and folders of images; one frame at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from av.stream import Disposition
from numpy.typing import NDArray

from ..errors import InputError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
FOLDER_RATE = Fraction(25)
SMALLEST_SIDE = 16


@dataclass(frozen=True)
class VideoInfo:
    """What is known of a video before it is decoded."""

    path: Path
    width: int
    """Displayed width: rotation and pixel aspect applied. So is `height`."""
    height: int
    frame_count: int
    rate: Fraction
    """Frames per second, on average."""
    time_base: Fraction
    """Seconds per unit of `VideoFrame.pts`."""
    audio_codecs: tuple[str, ...]
    first_s: float = 0.0
    """Presentation time of the first frame: transport streams do not begin at 0."""

    @property
    def duration_s(self) -> float:
        return float(self.frame_count / self.rate)


@dataclass(frozen=True)
class VideoFrame:
    """`pixels`: (H, W, 3) uint8 RGB, upright. `pts`: presentation time in the reader's time base."""

    pixels: NDArray[np.uint8]
    pts: int


class VideoReader:
    """A video that can be read frame by frame, any number of times.

    Raises InputError, one line, for whatever cannot be read: missing, empty, no video in it, cut short, too small.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise InputError(f"{self.path} does not exist: check the path")
        self._files = _images_of(self.path) if self.path.is_dir() else [self.path]
        self.info = self._probe()
        if min(self.info.width, self.info.height) < SMALLEST_SIDE:
            raise InputError(
                f"{self.path} is {self.info.width}x{self.info.height} pixels: at least {SMALLEST_SIDE}x{SMALLEST_SIDE} are needed"
            )

    def frames(
        self, size: tuple[int, int] | None = None, start_s: float = 0.0, end_s: float | None = None
    ) -> Iterator[VideoFrame]:
        """Frames with start_s ≤ time < end_s, scaled to `size` (width, height) if given; times count from the first frame."""
        size = size or (self.info.width, self.info.height)
        first: int | None = None
        for frame, pts in self._decoded():
            first = pts if first is None else first
            seconds = float((pts - first) * self.info.time_base)
            if end_s is not None and seconds >= end_s:
                return
            if seconds >= start_s - 1e-9:
                yield VideoFrame(_upright(frame, size), pts)

    def _decoded(self) -> Iterator[tuple[av.VideoFrame, int]]:
        for index, file in enumerate(self._files):
            try:
                with av.open(str(file)) as container:
                    stream = container.streams.video[0]
                    stream.thread_type = "AUTO"
                    previous = None
                    for count, frame in enumerate(container.decode(stream)):
                        if self.path.is_dir():
                            self._check_same_size(file, frame)
                            yield frame, index
                            break
                        pts = frame.pts
                        if pts is None or (previous is not None and pts <= previous):
                            # Raw streams and some AVIs carry no usable time stamps: the frame rate stands in.
                            pts = self._nominal_pts(count) if previous is None else previous + self._nominal_pts(1)
                        previous = pts
                        yield frame, pts
            except FFmpegError as error:
                raise InputError(f"{file} is damaged ({error.strerror}): repair it or cut it with --end") from error

    def _nominal_pts(self, count: int) -> int:
        return max(count, round(count / self.info.rate / self.info.time_base))

    def _check_same_size(self, file: Path, frame: av.VideoFrame) -> None:
        if _displayed(frame) != (self.info.width, self.info.height):
            width, height = _displayed(frame)
            raise InputError(
                f"{file} is {width}x{height}, the images before it {self.info.width}x{self.info.height}: make them one size"
            )

    def _probe(self) -> VideoInfo:
        """Open the first file, decode one frame, and count the packets without decoding them."""
        path = self._files[0]
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty (0 bytes): export or copy it again")
        try:
            with av.open(str(path)) as container:
                if not [
                    stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic
                ]:
                    raise InputError(f"{path} has no video in it, only {_kinds(container)}: give a video file")
                stream = container.streams.video[0]
                frame = next(container.decode(stream), None)
                if frame is None:
                    raise InputError(f"{path} has no frame that can be decoded: repair or export it again")
                width, height = _displayed(frame)
                audio = tuple(audio.codec_context.name for audio in container.streams.audio)
                if self.path.is_dir():
                    return VideoInfo(self.path, width, height, len(self._files), FOLDER_RATE, 1 / FOLDER_RATE, ())
                count = _count_frames(path)
                rate = stream.average_rate or stream.guessed_rate or FOLDER_RATE
                time_base = stream.time_base or 1 / rate
                first_s = float((frame.pts or 0) * time_base)
                return VideoInfo(self.path, width, height, count, rate, time_base, audio, first_s)
        except FFmpegError as error:
            raise InputError(f"{path} is not a video that FFmpeg can read ({error.strerror})") from error


def _count_frames(path: Path) -> int:
    """Count the video packets that will be shown. Raises InputError when the file holds less than its header promises.

    What an edit list cuts away (trimmed phone clips have one) is demuxed for its references but not shown.
    """
    size = path.stat().st_size
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        length, base = stream.duration, stream.time_base or 0
        missing = any(entry.pos + entry.size > size for entry in stream.index_entries)
        count, last = 0, 0.0
        for packet in container.demux(stream):
            if packet.size == 0:
                continue
            if packet.is_corrupt:
                missing = True
                break
            count += not packet.is_discard
            if packet.pts is not None:
                last = max(last, float((packet.pts + (packet.duration or 0)) * base))
        if missing or (length is not None and last < 0.9 * float(length * base) - 1):
            raise InputError(
                f"{path} is cut short: {count} frames can be read, its header promises more; copy it again, or repair it"
            )
        return count


def _images_of(folder: Path) -> list[Path]:
    """The folder's images in natural order (frame 2 before frame 10)."""

    def natural(path: Path) -> list[tuple[int, int | str]]:
        return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", path.name.lower())]

    images = sorted((path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES), key=natural)
    if not images:
        raise InputError(
            f"{folder} holds no images ({', '.join(IMAGE_SUFFIXES)}): give a folder of frames or a video file"
        )
    return images


def _displayed(frame: av.VideoFrame) -> tuple[int, int]:
    """(width, height) as shown: pixel aspect, then rotation."""
    aspect = getattr(frame, "sample_aspect_ratio", None)
    width = round(frame.width * float(aspect)) if aspect else frame.width
    return (frame.height, width) if frame.rotation % 180 else (width, frame.height)


def _upright(frame: av.VideoFrame, size: tuple[int, int]) -> NDArray[np.uint8]:
    width, height = size[::-1] if frame.rotation % 180 else size
    shrinks = width < frame.width
    pixels = frame.reformat(
        width=width, height=height, format="rgb24", interpolation="AREA" if shrinks else "BICUBIC"
    ).to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, k=round(frame.rotation / 90)))


def _kinds(container: av.container.InputContainer) -> str:
    return " and ".join(sorted({stream.type for stream in container.streams})) or "nothing"
