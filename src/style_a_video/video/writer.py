"""Writing: H.264 or VP9 with the source's time stamps, folders of PNGs, single images.

An output is made in parts, each of which is finished by itself, and joined from them without encoding again.
"""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from ..atomic import atomic_path, check_writable
from ..errors import InputError
from .images import ANIMATIONS, AnimationOutput, ImageOutput
from .opening import open_input
from .output import FrameWriter, Output, Part
from .reader import VideoInfo
from .tracks import Tracks

# x264's macroblock tree reads memory that nothing was written to: the same frames would give other bytes each time.
H264 = ("libx264", {"crf": "17", "preset": "medium", "x264-params": "mbtree=0"})
CODECS = {
    ".mp4": H264,
    ".m4v": H264,
    ".mov": H264,
    ".mkv": H264,
    ".webm": ("libvpx-vp9", {"crf": "24", "b": "0", "row-mt": "1", "cpu-used": "4"}),
}
IMAGES = (".png", ".jpg", ".jpeg")
KNOWN = (*CODECS, *ANIMATIONS, *IMAGES)
"""Suffixes of outputs; without a suffix it is a folder."""


def check_output(path: Path, info: VideoInfo, overwrite: bool) -> None:
    """Raise InputError, before any work is done, when `path` cannot or must not be written."""
    suffix = path.suffix.lower()
    if not suffix and path.name.lower() in KNOWN:
        raise InputError(f"{path} has no name before its suffix: give it one")
    if suffix and suffix not in KNOWN:
        known = ", ".join(KNOWN)
        raise InputError(
            f"{path}: cannot write {suffix} files; use one of {known}, or a name without a dot for a folder of PNGs"
        )
    if suffix in IMAGES and info.frame_count > 1:
        raise InputError(
            f"{path} is one image but the input has {info.frame_count} frames: "
            "write a video or a folder, or use --preview"
        )
    if path.is_dir() and not all(_is_ours(child.name) for child in path.iterdir()):
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


def _is_ours(name: str) -> bool:
    """Whether a file in a folder of frames is a frame, or was put there by a file manager."""
    return bool(re.fullmatch(r"\d{5,}\.png", name)) or name in (".DS_Store", "Thumbs.db", "desktop.ini")


def output_for(
    path: Path, size: tuple[int, int], info: VideoInfo, start_s: float = 0.0, end_s: float | None = None
) -> Output:
    """How to write `path`, by its suffix.

    Args:
        size: of the frames, (width, height).
        info: of the source. Its sound is copied packet by packet where the container can hold it, else encoded again.
        start_s, end_s: span of the sound, in seconds from the first frame.
    """
    suffix = path.suffix.lower()
    if suffix in CODECS:
        return _VideoOutput(suffix, size, info, start_s, end_s)
    if suffix in ANIMATIONS:
        return AnimationOutput(suffix, info, end_s)
    return ImageOutput(suffix if suffix in IMAGES else "")


@contextmanager
def open_writer(
    path: Path, size: tuple[int, int], info: VideoInfo, start_s: float = 0.0, end_s: float | None = None
) -> Iterator[FrameWriter]:
    """A writer of all frames of `path`, in one part. After an error, what was at `path` before is still there.

    Arguments as of `output_for`. Raises InputError when it cannot be written.
    """
    output = output_for(path, size, info, start_s, end_s)
    with atomic_path(path) as target, tempfile.TemporaryDirectory(dir=path.absolute().parent, prefix=".") as folder:
        part = Path(folder) / f"part{output.part_suffix}"
        written: list[int] = []
        with output.part(part, 0) as writer:
            yield _Counted(writer, written)
        output.join([Part(part, tuple(written))], target)


class _Counted:
    """A writer that notes the time stamps."""

    def __init__(self, writer: FrameWriter, written: list[int]) -> None:
        self.writer, self.written = writer, written

    def write(self, pixels: NDArray[np.uint8], pts: int) -> None:
        self.writer.write(pixels, pts)
        self.written.append(pts)


class _VideoOutput:
    """Parts are MP4 files that count in the source's clock."""

    part_suffix = ".mp4"

    def __init__(
        self, suffix: str, size: tuple[int, int], info: VideoInfo, start_s: float, end_s: float | None
    ) -> None:
        self.suffix, self.size, self.info, self.start_s, self.end_s = suffix, size, info, start_s, end_s
        self.pixel_format = "yuv420p"
        if size[0] % 2 or size[1] % 2:
            # 4:2:0 has no odd sizes; rather than grow the picture by a line, keep full chroma.
            self.pixel_format = "yuv444p"
            warnings.warn(
                f"{size[0]}x{size[1]} is an odd size: colours are written in full (4:4:4), which some players refuse",
                stacklevel=2,
            )

    @contextmanager
    def part(self, path: Path, first: int) -> Iterator[FrameWriter]:
        with _closing(path, self._clock()) as container:
            stream = self._stream(container)
            yield _VideoWriter(container, stream, self.info.time_base)
            container.mux(stream.encode(None))

    def _clock(self) -> dict[str, str]:
        """MP4 would otherwise choose a time scale of its own."""
        return {"video_track_timescale": str(self.info.time_base.denominator)}

    def _stream(self, container: Any) -> Any:
        codec, options = CODECS[self.suffix]
        stream = container.add_stream(codec, rate=self.info.rate, options=options)
        stream.width, stream.height = self.size
        stream.pix_fmt = self.pixel_format
        stream.time_base = stream.codec_context.time_base = self.info.time_base
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
        context.color_range = 1  # limited
        return stream

    def join(self, parts: Sequence[Part], target: Path) -> None:
        base, info = self.info.time_base, self.info
        # A cut starts with its first frame; a whole video where the file's own clock does, so that a picture that
        # comes later than the sound still does.
        first = parts[0].pts[0] if self.start_s > 0 else round(info.origin_s / base)
        origin = Fraction(first) * base
        length_s = info.duration_s if self.end_s is None else min(info.duration_s, self.end_s)
        end = round((info.first_s + length_s) / base)
        options = self._clock() if self.suffix in (".mp4", ".m4v", ".mov") else {}
        with ExitStack() as stack:
            container = stack.enter_context(_closing(target, options))
            with av.open(str(parts[0].path)) as opened:
                stream = container.add_stream_from_template(opened.streams.video[0])
            stream.time_base = base
            tracks = None
            if info.path.is_file():
                source = stack.enter_context(open_input(info.path))
                tracks = Tracks(source, info.path, container, info.shifts)
                end_s = None if self.end_s is None else info.first_s + self.end_s - float(origin)
                tracks.begin(origin, self.start_s, end_s)
            packets = _joined(parts, base, first, end)
            if options:
                packets = _lasting(packets, end - parts[0].pts[0])
            for packet in packets:
                if tracks is not None:
                    tracks.until(float(packet.dts * base))
                packet.stream = stream
                container.mux(packet)
            if tracks is not None:
                tracks.finish()


def _joined(parts: Sequence[Part], base: Fraction, first: int, end: int) -> Iterator[Any]:
    """The packets of all parts on one clock, in the order of the file.

    Args:
        base: seconds per unit.
        first: the time stamp that becomes 0.
        end: when the last frame ends.
    """
    stamps = sorted({pts for part in parts for pts in part.pts})
    following = dict(zip(stamps, [*stamps[1:], max(end, stamps[-1] + 1)], strict=True))
    last: int | None = None
    for part in parts:
        with av.open(str(part.path)) as container:
            moved: int | None = None
            for packet in container.demux(video=0):
                if packet.pts is None or packet.dts is None or packet.time_base is None:
                    continue
                scale = packet.time_base / base
                # A part begins with the first frame that it shows.
                moved = round(packet.pts * scale) - part.pts[0] if moved is None else moved
                pts = round(packet.pts * scale) - moved
                dts = round(packet.dts * scale) - moved - first
                last = dts if last is None else max(dts, last + 1)
                packet.time_base = base
                packet.pts, packet.dts = pts - first, min(last, pts - first)
                packet.duration = following.get(pts, pts + 1) - pts
                yield packet


def _lasting(packets: Iterator[Any], length: int) -> Iterator[Any]:
    """The packets, of which the last in the order of the file lasts as long as is left.

    In MP4 that one says how long the track is, though with B-frames it is not the one shown last.
    """
    first_dts = last = None
    for packet in packets:
        first_dts = packet.dts if first_dts is None else first_dts
        if last is not None:
            yield last
        last = packet
    if last is not None:
        last.duration = max(last.duration, length - (last.dts - first_dts))
        yield last


@contextmanager
def _closing(path: Path, options: dict[str, str]) -> Iterator[Any]:
    """A container to write. After an error it is closed too, though a full disk fails there again."""
    container = av.open(str(path.absolute()), "w", options=options)
    try:
        yield container
    except BaseException:
        with suppress(FFmpegError, OSError):
            container.close()
        raise
    container.close()


class _VideoWriter:
    """Frames of a part, on the source's clock."""

    def __init__(self, container: Any, stream: Any, time_base: Fraction) -> None:
        self.container, self.stream, self.time_base = container, stream, time_base
        self.first: int | None = None
        self.reformatter = VideoReformatter()

    def write(self, pixels: NDArray[np.uint8], pts: int) -> None:
        self.first = pts if self.first is None else self.first
        frame = self.reformatter.reformat(
            av.VideoFrame.from_ndarray(pixels, format="rgb24"),
            format=self.stream.pix_fmt, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG,
        )  # fmt: skip
        frame.pts, frame.time_base = pts - self.first, self.time_base
        self.container.mux(self.stream.encode(frame))
