"""Reading: any container and codec FFmpeg knows, GIFs, still images, and folders of images; one frame at a time."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.error import FFmpegError
from av.stream import Disposition
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from ..errors import InputError
from .clock import without_jumps
from .color import to_rgb
from .decoding import decoded_frames
from .opening import IMAGE_SUFFIXES, VIDEO_SUFFIXES, check_file, check_pixels, check_size, open_input
from .orientation import Orientation, exif_orientation, orientation_of

FOLDER_RATE = Fraction(25)
NO_TIMESTAMPS = 0x80  # AVFMT_NOTIMESTAMPS
LARGEST_NUMERATOR = 2**27
"""Above this, the numerator of a time base is damage: MP4 holds durations in 32 bits."""
SAME_ASPECT = 1.01
"""Pictures whose aspects differ by less are scaled to one size; others get bars."""


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
    """Presentation time at which the file begins: above 0 in transport streams and recordings of a running clock, below
    it where a clock wrapped."""
    unstamped: bool = False
    """Whether the file carries no time stamps, as raw streams: frames then follow each other at `rate`."""
    shifts: tuple[Fraction, ...] = (Fraction(0),)
    """Of a clock that jumps, in seconds (`clock.without_jumps`)."""


@dataclass(frozen=True)
class VideoFrame:
    """`pixels`: (H, W, 3) uint8 RGB, upright. `pts`: presentation time in the reader's time base."""

    pixels: NDArray[np.uint8]
    pts: int


class VideoReader:
    """A video that can be read frame by frame, any number of times.

    Raises InputError, one line, for whatever cannot be read: missing, empty, no video in it, too small, too large.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists() and re.match(r"\w+:/", str(self.path)):
            raise InputError(f"{path} is an address: download it, and give the file")
        if not self.path.exists():
            raise InputError(f"{self.path} does not exist: check the path")
        try:
            self._files = _images_of(self.path) if self.path.is_dir() else [self.path]
            for file in self._files:
                check_file(file)
            self.info = self._probe()
        except PermissionError as error:
            raise InputError(f"{self.path} may not be read ({error.strerror}): change its permissions") from error

    def frames(
        self, size: tuple[int, int] | None = None, start_s: float = 0.0, end_s: float | None = None, skip: int = 0
    ) -> Iterator[VideoFrame]:
        """Frames with start_s ≤ time < end_s, in seconds from the first frame.

        Pictures of another aspect than the first one's are fitted with black bars.

        Args:
            size: (width, height) to scale them to, if given.
            skip: so many of them are left out at the beginning.

        Raises:
            InputError: nothing can be decoded, or an image of a folder cannot.
        """
        size = size or (self.info.width, self.info.height)
        reformatter = VideoReformatter()
        first: int | None = None
        for coded, pts in self._decoded():
            first = pts if first is None else first
            seconds = float((pts - first) * self.info.time_base)
            if end_s is not None and seconds >= end_s:
                return
            if seconds < start_s - 1e-9:
                continue
            if skip:
                skip -= 1
            else:
                yield VideoFrame(coded.displayed(size, reformatter), pts)

    def _decoded(self) -> Iterator[tuple[_Coded, int]]:
        step = max(1, round(1 / self.info.rate / self.info.time_base))
        for index, file in enumerate(self._files):
            try:
                with open_input(file) as container:
                    stream = _video_stream(container, file)
                    previous = None
                    for frame, pts in decoded_frames(container, stream, file, self.info.shifts):
                        coded = _Coded.of(frame, stream, file)
                        if self.path.is_dir():
                            self._check_same_size(file, coded)
                            yield coded, index
                            break
                        if self.info.unstamped or pts is None or (previous is not None and pts <= previous):
                            # The frame rate stands in for time stamps that are missing or make no sense.
                            pts = 0 if previous is None else previous + step
                        previous = pts
                        yield coded, pts
            except FFmpegError as error:
                remedy = "replace that image" if self.path.is_dir() else "repair or export it again"
                raise InputError(f"{file} is damaged ({error.strerror}): {remedy}") from error

    def _check_same_size(self, file: Path, coded: _Coded) -> None:
        width, height = coded.size
        if (width, height) != (self.info.width, self.info.height):
            raise InputError(
                f"{file} is {width}x{height}, {self._files[0].name} {self.info.width}x{self.info.height}: "
                "make them one size"
            )

    def _probe(self) -> VideoInfo:
        """Open the first file, decode one frame, and count the packets without decoding them."""
        path = self._files[0]
        try:
            with open_input(path) as container:
                stream = _video_stream(container, path)
                frame, pts = next(decoded_frames(container, stream, path), (None, None))
                if frame is None:
                    raise InputError(f"{path} has no frame that can be decoded: repair or export it again")
                width, height = _Coded.of(frame, stream, path).size
                check_size(path, width, height)
                if self.path.is_dir():
                    count = len(self._files)
                    return VideoInfo(
                        self.path, width, height, count, FOLDER_RATE, 1 / FOLDER_RATE, (), float(count / FOLDER_RATE)
                    )
                time_base = stream.time_base or 1 / FOLDER_RATE
                no_clock = time_base.numerator > LARGEST_NUMERATOR
                unstamped = no_clock or bool(container.format.flags & NO_TIMESTAMPS)
                rate = stream.guessed_rate if unstamped else stream.average_rate
                rate = rate or stream.average_rate or stream.guessed_rate or FOLDER_RATE
                if no_clock:
                    rate, time_base = FOLDER_RATE, 1 / FOLDER_RATE
                first_s = float((pts or 0) * time_base)
                origin_s = min((container.start_time or 0) / av.time_base, first_s)
                count, end_s, shifts = _count_frames(path, float(rate))
                duration_s = count / float(rate) if unstamped else max(end_s - first_s, count / 1e3)
                if not 0.5 < float(rate) * duration_s / max(1, count) < 2:
                    # A header's word against what is there.
                    rate = max(Fraction(count / duration_s).limit_denominator(1001), Fraction(1, 1001))
                audio = tuple(track.codec_context.name for track in container.streams.audio if track.codec_context)
                return VideoInfo(
                    path, width, height, count, rate, time_base, audio, duration_s,
                    0.0 if unstamped else first_s, 0.0 if unstamped else origin_s, unstamped, shifts,
                )  # fmt: skip
        except FFmpegError as error:
            raise InputError(
                f"{path} is not a video that FFmpeg can read ({error.strerror}): give another file, or export it again"
            ) from error


def _video_stream(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    """The video stream to show: the default one, or the best. Raises InputError when there is none."""
    videos = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not videos:
        raise InputError(f"{path} has no video in it, only {_kinds(container)}: give a video file")
    if all(stream.disposition & Disposition.dependent for stream in videos):
        raise InputError(f"{path} is made of {len(videos)} tiles: convert it to JPEG or PNG first")
    best = container.streams.best("video")
    stream = best if best in videos else videos[0]
    if stream.codec_context is None:
        raise InputError(f"{path} holds pictures in a codec that FFmpeg does not know: export it again")
    if stream.codec_context.width and stream.codec_context.height:
        check_pixels(path, stream.codec_context.width, stream.codec_context.height)
    return stream


def _count_frames(path: Path, rate: float) -> tuple[int, float, tuple[Fraction, ...]]:
    """Count the video packets that will be shown, say when in seconds the last one ends, and how the clock is shifted.

    What an edit list cuts away (trimmed phone clips have one) is demuxed for its references but not shown. A note tells
    when the file holds less than its header promises.
    """
    size = path.stat().st_size
    with open_input(path) as container:
        stream = _video_stream(container, path)
        base = stream.time_base or 0
        # Matroska only knows the length of the whole file, in which a subtitle may last longest.
        whole = 0.0 if stream.frames or container.streams.subtitles else (container.duration or 0) / av.time_base
        start = max(0, container.start_time or 0) / av.time_base
        promised = max(float((stream.duration or 0) * base), whole)
        missing = any(entry.pos + entry.size > size for entry in stream.index_entries)
        count, last, last_shown, end = 0, 0.0, -math.inf, 0.0
        shifts = [Fraction(0)]
        packets = container.demux(*container.streams.video, *container.streams.audio)
        try:
            for packet in without_jumps(packets, container, shifts, learns=True):
                if packet.size == 0 or packet.is_discard:
                    continue
                shown = packet.stream.index == stream.index
                count += shown
                if packet.pts is not None and packet.time_base is not None:
                    until = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                    last = max(last, until - start)
                    if shown and packet.pts * packet.time_base >= last_shown:
                        last_shown = float(packet.pts * packet.time_base)
                        end = until if packet.duration else until + 1 / rate
        except FFmpegError:
            missing = True
        if missing or (last < 0.9 * promised - 1 and len(shifts) == 1):
            warnings.warn(
                f"{path} is cut short: {count} frames in {last:.2f} s can be read, its header promises more",
                stacklevel=2,
            )
        if last_shown < start + promised and len(shifts) == 1:
            # Packets do not know how long the last picture stays: Matroska guesses, MP4 tells the time to the next one
            # in the order of the file.
            end = min(end, start + promised)
        return count, end or count / rate, tuple(shifts)


def _images_of(folder: Path) -> list[Path]:
    """The folder's images in natural order (frame 2 before frame 10)."""

    def natural(path: Path) -> list[tuple[int, int | str]]:
        parts = re.split(r"([0-9]+)", path.name.lower())
        return [(0, int(part)) if k % 2 else (1, part) for k, part in enumerate(parts)]

    images = [path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "."]
    videos = [path.name for path in folder.iterdir() if path.suffix.lower() in VIDEO_SUFFIXES]
    if len(videos) >= max(1, len(images)):  # a picture among films is not what was meant
        raise InputError(f"{folder} holds videos ({videos[0]}): give one of them, or all to `style-a-video batch`")
    if not images:
        raise InputError(
            f"{folder} holds no images ({', '.join(IMAGE_SUFFIXES)}): give a folder of frames or a video file"
        )
    return sorted(images, key=natural)


@dataclass(frozen=True)
class _Coded:
    """A frame as it was coded, and how it is shown."""

    frame: av.VideoFrame
    orientation: Orientation
    pixel_aspect: float

    @classmethod
    def of(cls, frame: av.VideoFrame, stream: av.VideoStream, path: Path) -> _Coded:
        is_image = path.suffix.lower() in IMAGE_SUFFIXES
        orientation = exif_orientation(path) if is_image else orientation_of(frame)
        return cls(frame, orientation, float(stream.sample_aspect_ratio or 1))

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) as shown: pixel aspect, then turned."""
        return self.orientation.size(max(1, round(self.frame.width * self.pixel_aspect)), self.frame.height)

    def displayed(self, size: tuple[int, int], reformatter: VideoReformatter) -> NDArray[np.uint8]:
        """The picture as shown, scaled to `size` (width, height); black bars fill what another aspect leaves."""
        width, height = self.size
        scale = min(size[0] / width, size[1] / height)
        fitted = (max(1, round(width * scale)), max(1, round(height * scale)))
        across, down = size[0] * height, size[1] * width
        if max(across, down) <= SAME_ASPECT * min(across, down):
            fitted = size
        pixels = self.orientation.apply(to_rgb(self.frame, *self.orientation.size(*fitted), reformatter))
        left, top = ((size[k] - fitted[k]) // 2 for k in (0, 1))
        bars = (top, size[1] - fitted[1] - top, left, size[0] - fitted[0] - left)
        return np.asarray(cv2.copyMakeBorder(pixels, *bars, cv2.BORDER_CONSTANT)) if any(bars) else pixels


def _kinds(container: av.container.InputContainer) -> str:
    kinds = {"a cover picture" if stream.type == "video" else stream.type for stream in container.streams}
    return " and ".join(sorted(kinds, key=lambda kind: kind.startswith("a "))) or "nothing"
