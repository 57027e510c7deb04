"""Writing: H.264 or VP9 with the source's time stamps and its audio packets, folders of PNGs, single images.

Everything is written beside its final name and renamed when complete: an interruption leaves nothing behind.
"""

from __future__ import annotations

import re
import warnings
from contextlib import ExitStack, suppress
from fractions import Fraction
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
from .opening import open_input
from .reader import VideoInfo
from .tracks import Tracks

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
        self.opened = ExitStack()
        self.tracks: Tracks | None = None
        self.first: int | None = None
        self.waiting: av.VideoFrame | None = None
        self.durations: dict[int, int] = {}

    def __enter__(self) -> _VideoWriter:
        # Keep the source's clock: mp4 would otherwise choose a time scale of its own.
        options = (
            {"video_track_timescale": str(self.info.time_base.denominator)}
            if self.path.suffix.lower() in (".mp4", ".m4v", ".mov")
            else {}
        )
        self.container: Any = av.open(str(self.partial), "w", options=options)
        try:
            self._open_video()
            if self.info.path.is_file():
                source = self.opened.enter_context(open_input(self.info.path))
                self.tracks = Tracks(source, self.info.path, self.container)
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

    def write(self, pixels: NDArray[np.uint8], pts: int) -> None:
        if self.first is None:
            self._begin(pts)
        assert self.first is not None
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
            format=self.stream.pix_fmt, dst_colorspace="ITU709", dst_color_range="MPEG"
        )
        frame.pts, frame.time_base = pts - self.first, self.info.time_base
        self._encode_waiting(frame.pts)
        self.waiting = frame

    def _begin(self, pts: int) -> None:
        # A cut starts with its first frame; a whole video where the file's own clock does, so that a picture that
        # comes later than the sound still does.
        base = self.info.time_base
        self.first = pts if self.start_s > 0 else round(self.info.origin_s / base)
        origin = Fraction(self.first) * base
        end = None if self.end_s is None else self.info.first_s + self.end_s - float(origin)
        if self.tracks is not None:
            self.tracks.begin(origin, self.start_s, end)

    def _encode_waiting(self, until: int) -> None:
        """Encode the frame before, which stays up to `until` in the clock of the pictures."""
        if self.waiting is None:
            return
        pts = self.waiting.pts
        assert pts is not None
        self.durations[pts] = max(1, until - pts)
        if self.tracks is not None:
            self.tracks.until(float(pts * self.info.time_base))
        self._mux(self.stream.encode(self.waiting))
        self.waiting = None

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.duration = self.durations.pop(packet.pts, packet.duration)
            self.container.mux(packet)

    def _finish(self) -> None:
        assert self.first is not None
        end_s = self.info.first_s + self.info.duration_s
        if self.end_s is not None:
            end_s = min(end_s, self.info.first_s + self.end_s)
        self._encode_waiting(round(end_s / self.info.time_base) - self.first)
        self._mux(self.stream.encode(None))
        if self.tracks is not None:
            self.tracks.finish()
        self.container.close()
        replace(self.partial, self.path)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self.opened:
            try:
                if kind is None and self.first is not None:
                    self._finish()
            finally:
                if self.partial.exists():
                    # A full disk fails here again; what was written is thrown away all the same.
                    with suppress(FFmpegError, OSError):
                        self.container.close()
                    discard(self.partial)
