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
    duration_s: float
    """From the first frame shown to the end of the last."""
    first_s: float = 0.0
    """Presentation time of the first frame."""
    origin_s: float = 0.0
    """Presentation time at which the file begins: above 0 in transport streams and recordings of a running clock."""


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
        if not self.path.exists() and re.match(r"\w+:/", str(self.path)):
            raise InputError(f"{path} is an address: download it, and give the file")
        if not self.path.exists():
            raise InputError(f"{self.path} does not exist: check the path")
        self._files = _images_of(self.path) if self.path.is_dir() else [self.path]
        self.info = self._probe()
        if min(self.info.width, self.info.height) < SMALLEST_SIDE:
            raise InputError(
                f"{self.path} is {self.info.width}x{self.info.height} pixels: "
                f"at least {SMALLEST_SIDE}x{SMALLEST_SIDE} are needed"
            )

    def frames(
        self, size: tuple[int, int] | None = None, start_s: float = 0.0, end_s: float | None = None
    ) -> Iterator[VideoFrame]:
        """Frames with start_s ≤ time < end_s, in seconds from the first frame.

        Args:
            size: (width, height) to scale them to, if given.

        Raises:
            InputError: at a frame that cannot be decoded.
        """
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
                with av.open(str(file.absolute())) as container:
                    stream = _video_stream(container, file)
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
                remedy = "replace that image" if self.path.is_dir() else "repair it, or stop before with --end"
                raise InputError(f"{file} is damaged ({error.strerror}): {remedy}") from error

    def _nominal_pts(self, count: int) -> int:
        return max(count, round(count / self.info.rate / self.info.time_base))

    def _check_same_size(self, file: Path, frame: av.VideoFrame) -> None:
        if (frame.width, frame.height) != (self.info.width, self.info.height):
            width, height = frame.width, frame.height
            raise InputError(
                f"{file} is {width}x{height}, the images before it {self.info.width}x{self.info.height}: "
                "make them one size"
            )

    def _probe(self) -> VideoInfo:
        """Open the first file, decode one frame, and count the packets without decoding them."""
        path = self._files[0]
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty (0 bytes): export or copy it again")
        try:
            with av.open(str(path.absolute())) as container:
                stream = _video_stream(container, path)
                frame = next(container.decode(stream), None)
                if frame is None:
                    raise InputError(f"{path} has no frame that can be decoded: repair or export it again")
                width, height = _displayed(frame, stream.sample_aspect_ratio)
                audio = tuple(audio.codec_context.name for audio in container.streams.audio)
                if self.path.is_dir():
                    count = len(self._files)
                    return VideoInfo(
                        self.path, width, height, count, FOLDER_RATE, 1 / FOLDER_RATE, (), float(count / FOLDER_RATE)
                    )
                rate = stream.average_rate or stream.guessed_rate or FOLDER_RATE
                time_base = stream.time_base or 1 / rate
                first_s = float((frame.pts or 0) * time_base)
                origin_s = max(0.0, (container.start_time or 0) / av.time_base)
                count, end_s = _count_frames(path, float(rate))
                return VideoInfo(
                    path,
                    width,
                    height,
                    count,
                    rate,
                    time_base,
                    audio,
                    max(end_s - first_s, count / 1e3),
                    first_s,
                    origin_s,
                )
        except FFmpegError as error:
            raise InputError(
                f"{path} is not a video that FFmpeg can read ({error.strerror}): give another file, or export it again"
            ) from error


def _video_stream(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    """The first video stream that is not a cover picture. Raises InputError when there is none."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    raise InputError(f"{path} has no video in it, only {_kinds(container)}: give a video file")


def _count_frames(path: Path, rate: float) -> tuple[int, float]:
    """Count the video packets that will be shown, and say when in seconds the last one ends.

    What an edit list cuts away (trimmed phone clips have one) is demuxed for its references but not shown. Raises
    InputError when the file holds less than its header promises.
    """
    size = path.stat().st_size
    with av.open(str(path.absolute())) as container:
        stream = _video_stream(container, path)
        base = stream.time_base or 0
        # Matroska only knows the length of the whole file.
        promised = max(
            float((stream.duration or 0) * base), (container.duration or 0) / av.time_base if not stream.frames else 0.0
        )
        missing = any(entry.pos + entry.size > size for entry in stream.index_entries)
        count, last, end = 0, 0.0, 0.0
        for packet in container.demux(*container.streams.video, *container.streams.audio):
            if packet.size == 0:
                continue
            if packet.is_corrupt:
                missing = True
                break
            if packet.pts is not None and packet.time_base is not None:
                until = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                last = max(last, until)
                if packet.stream.index == stream.index and not packet.is_discard:
                    end = max(end, until if packet.duration else until + 1 / rate)
            count += packet.stream.index == stream.index and not packet.is_discard
        if missing or last < 0.9 * promised - 1:
            raise InputError(
                f"{path} is cut short: {count} frames can be read, its header promises more; "
                "copy it again, or repair it"
            )
        return count, end or count / rate


def _images_of(folder: Path) -> list[Path]:
    """The folder's images in natural order (frame 2 before frame 10)."""

    def natural(path: Path) -> list[tuple[int, int | str]]:
        return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", path.name.lower())]

    images = [path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "."]
    if not images:
        raise InputError(
            f"{folder} holds no images ({', '.join(IMAGE_SUFFIXES)}): give a folder of frames or a video file"
        )
    return sorted(images, key=natural)


def _displayed(frame: av.VideoFrame, pixel_aspect: Fraction | None) -> tuple[int, int]:
    """(width, height) as shown: pixel aspect, then rotation."""
    width = round(frame.width * float(pixel_aspect)) if pixel_aspect else frame.width
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
