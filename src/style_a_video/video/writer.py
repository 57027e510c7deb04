"""Writing: H.264 or VP9 with the source's time stamps and its audio packets, folders of PNGs, single images.

Everything is written beside its final name and renamed when complete: an interruption leaves nothing behind.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import av
import numpy as np
import PIL.Image
from av.error import FFmpegError
from numpy.typing import NDArray

from ..atomic import check_writable, discard, partial_path, replace
from ..errors import InputError
from .reader import VideoInfo

CODECS = {
    ".mp4": ("libx264", {"crf": "17", "preset": "medium"}),
    ".m4v": ("libx264", {"crf": "17", "preset": "medium"}),
    ".mov": ("libx264", {"crf": "17", "preset": "medium"}),
    ".mkv": ("libx264", {"crf": "17", "preset": "medium"}),
    ".webm": ("libvpx-vp9", {"crf": "24", "b": "0", "row-mt": "1", "cpu-used": "4"}),
}
IMAGES = (".png", ".jpg", ".jpeg")


class FrameWriter(Protocol):
    """A context manager that takes frames; leaving it normally keeps the result, with an error discards it."""

    def __enter__(self) -> FrameWriter: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def write(self, pixels: NDArray[np.uint8], pts: int) -> None: ...


def check_output(path: Path, info: VideoInfo, overwrite: bool) -> None:
    """Raise InputError, before any work is done, when `path` cannot or must not be written."""
    suffix = path.suffix.lower()
    if not suffix and path.name.lower() in (*CODECS, *IMAGES):
        raise InputError(f"{path} has no name before its suffix: give it one")
    if suffix and suffix not in (*CODECS, *IMAGES):
        known = ", ".join((*CODECS, *IMAGES))
        raise InputError(
            f"{path}: cannot write {suffix} files; use one of {known}, or a name without a dot for a folder of PNGs"
        )
    if suffix in IMAGES and info.frame_count > 1:
        raise InputError(
            f"{path} is one image but the input has {info.frame_count} frames: "
            "write a video or a folder, or use --preview"
        )
    if path.is_dir() and not all(re.fullmatch(r"\d{5}\.png", child.name) for child in path.iterdir()):
        raise InputError(f"{path} is a folder with other things in it: give a file name or a new folder")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists already: pass --overwrite to replace it, or give another name")
    if path.exists() and path.samefile(info.path):
        raise InputError(f"{path} is the input itself: give the output another name")
    if suffix in IMAGES and info.path.is_dir() and path.absolute().parent.resolve() == info.path.resolve():
        raise InputError(f"{path} would lie among the input's own images: write it to another folder")
    if path.exists() and path.is_dir() == bool(suffix):
        raise InputError(f"{path} is a {'folder' if path.is_dir() else 'file'}: give the output another name")
    check_writable(path.absolute().parent)


def open_writer(
    path: Path, size: tuple[int, int], info: VideoInfo, start_s: float = 0.0, end_s: float | None = None
) -> FrameWriter:
    """The writer for `path`, by its suffix.

    Args:
        size: of the frames, (width, height).
        info: of the source. Its sound is copied packet by packet where the container can hold it, else encoded again.
        start_s, end_s: span of the sound, in seconds from the first frame.
    """
    suffix = path.suffix.lower()
    path.parent.mkdir(parents=True, exist_ok=True)
    if suffix in CODECS:
        return _VideoWriter(path, size, info, start_s, end_s)
    return _ImageWriter(path, single=suffix in IMAGES)


class _ImageWriter:
    def __init__(self, path: Path, single: bool) -> None:
        self.path, self.single, self.count = path, single, 0
        self.partial = partial_path(path)

    def __enter__(self) -> _ImageWriter:
        if not self.single:
            self.partial.mkdir()
        return self

    def write(self, pixels: NDArray[np.uint8], pts: int) -> None:
        target = self.partial if self.single else self.partial / f"{self.count:05d}.png"
        PIL.Image.fromarray(pixels).save(target, quality=95)
        self.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self.count:
            replace(self.partial, self.path)
        else:
            discard(self.partial)


class _VideoWriter:
    def __init__(self, path: Path, size: tuple[int, int], info: VideoInfo, start_s: float, end_s: float | None) -> None:
        self.path, self.size, self.info, self.start_s, self.end_s = path, size, info, start_s, end_s
        self.partial = partial_path(path)
        self.first: int | None = None

    def __enter__(self) -> _VideoWriter:
        self.source = av.open(str(self.info.path.absolute())) if self.info.audio_codecs else None
        # Keep the source's clock: mp4 would otherwise choose a time scale of its own.
        options = (
            {"video_track_timescale": str(self.info.time_base.denominator)}
            if self.path.suffix.lower() in (".mp4", ".m4v", ".mov")
            else {}
        )
        self.container: Any = av.open(str(self.partial), "w", options=options)
        try:
            self._open_video()
            self._open_audio()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def _open_video(self) -> None:
        codec, options = CODECS[self.path.suffix.lower()]
        stream: Any = self.container.add_stream(codec, rate=self.info.rate, options=options)
        stream.width, stream.height = self.size
        stream.pix_fmt = "yuv420p"
        if self.size[0] % 2 or self.size[1] % 2:
            # 4:2:0 has no odd sizes; rather than grow the picture by a line, keep full chroma.
            stream.pix_fmt = "yuv444p"
            warnings.warn(
                f"{self.size[0]}x{self.size[1]} is an odd size: colours are written in full (4:4:4), "
                "which some players refuse",
                stacklevel=2,
            )
        stream.time_base = stream.codec_context.time_base = self.info.time_base
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = (
            1,
            1,
            1,
            1,
        )  # BT.709, limited
        self.stream = stream

    def _open_audio(self) -> None:
        """Copies of the source's audio streams; those the container cannot hold are encoded again in its own codec."""
        self.audio: dict[int, Any] = {}
        self.encoders: dict[int, Any] = {}
        if self.source is None:
            return
        for stream in self.source.streams.audio:
            if _can_copy(self.info.path, stream.index, self.container.format.name):
                self.audio[stream.index] = self.container.add_stream_from_template(stream)
            else:
                codec = av.Codec(self.container.default_audio_codec, "w")
                rate = stream.rate if stream.rate in (codec.audio_rates or [stream.rate]) else 48_000
                target = self.container.add_stream(codec.name, rate=rate)
                self.encoders[stream.index] = target
        self.packets = self._audio_packets()
        self.waiting: Any = None

    def _audio_packets(self) -> Iterator[tuple[float, Any, Any]]:
        """(seconds from the start, packet or frame, stream it goes to), in the order of the file, cut to the span."""
        assert self.source is not None
        origin = float((self.first or 0) * self.info.time_base)
        end = None if self.end_s is None else self.info.first_s + self.end_s - origin
        for packet in self.source.demux(*self.source.streams.audio):
            if packet.pts is None or packet.time_base is None:
                continue
            seconds = float(packet.pts * packet.time_base) - origin
            if seconds + float((packet.duration or 0) * packet.time_base) <= 0 and self.start_s > 0:
                continue
            if end is not None and seconds >= end:
                continue
            shift = round(Fraction(origin).limit_denominator(1_000_000) / packet.time_base)
            if packet.stream.index in self.audio:
                packet.pts -= shift
                packet.dts = packet.dts - shift if packet.dts is not None else None
                target = self.audio[packet.stream.index]
                packet.stream = target
                yield seconds, packet, target
            else:
                target = self.encoders[packet.stream.index]
                decoded: list[Any] = packet.decode()
                for frame in decoded:
                    frame.pts = None if frame.pts is None else frame.pts - shift
                    yield seconds, frame, target

    def _mux_audio_until(self, seconds: float) -> None:
        while self.source is not None:
            self.waiting = self.waiting or next(self.packets, None)
            if self.waiting is None or self.waiting[0] > seconds:
                return
            _, item, target = self.waiting
            self.container.mux(item if isinstance(item, av.Packet) else target.encode(item))
            self.waiting = None

    def write(self, pixels: NDArray[np.uint8], pts: int) -> None:
        if self.first is None:
            # A cut starts with its first frame; a whole video where the file's own clock does, so that a picture that
            # comes later than the sound still does.
            self.first = pts if self.start_s > 0 else round(self.info.origin_s / self.info.time_base)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
            format=self.stream.pix_fmt, dst_colorspace="ITU709", dst_color_range="MPEG"
        )
        frame.pts, frame.time_base = pts - self.first, self.info.time_base
        self._mux_audio_until(float(frame.pts * self.info.time_base))
        self.container.mux(self.stream.encode(frame))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self.first is not None:
                self._mux_audio_until(float("inf"))
                for target in self.encoders.values():
                    self.container.mux(target.encode(None))
                self.container.mux(self.stream.encode(None))
                self.container.close()
                replace(self.partial, self.path)
        finally:
            if self.partial.exists():
                # A full disk fails here again; what was written is thrown away all the same.
                with suppress(FFmpegError, OSError):
                    self.container.close()
                discard(self.partial)
            if self.source is not None:
                self.source.close()


def _can_copy(source: Path, index: int, container_format: str) -> bool:
    """Whether a container takes this audio stream of `source` as it is.

    A few packets of it are written in memory: FFmpeg's list of codecs for a format holds some that it then refuses, as
    PCM from Matroska in MP4.
    """
    try:
        with av.open(str(source.absolute())) as origin, av.open(io.BytesIO(), "w", format=container_format) as trial:
            stream: Any = origin.streams[index]
            target = trial.add_stream_from_template(stream)
            for packet in islice(origin.demux(stream), 3):
                if packet.dts is not None:
                    packet.stream = target
                    trial.mux(packet)
    except (FFmpegError, ValueError):
        return False
    return True
