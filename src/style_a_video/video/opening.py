"""Opening files that nobody vouches for: one file, no network, no other files."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

import av
import PIL.Image
from av.error import FFmpegError

from ..errors import InputError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
VIDEO_SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".m2ts", ".mts", ".wmv", ".flv", ".ogv",
    ".3gp", ".mxf", ".gif",
)  # fmt: skip
IMAGE_KINDS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
"""Pillow's names of them."""
IMAGE_FORMATS = ("png_pipe", "jpeg_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe", "gif", "apng", "webp")
VIDEO_FORMATS = (
    "mov", "matroska", "avi", "flv", "live_flv", "mpegts", "mpeg", "mpegvideo", "m4v", "h263", "h264", "hevc", "vvc",
    "av1", "obu", "ivf", "ogg", "asf", "gif", "apng", "webp", "nut", "mxf", "rm", "dv", "mjpeg", "yuv4mpegpipe",
    "wtv", "gxf", "nsv", "vc1", "dirac", "amv", "swf", "cavsvideo", *IMAGE_FORMATS,
    "mp3", "wav", "flac", "aac", "ac3", "aiff", "w64", "caf",
)  # fmt: skip
"""FFmpeg's demuxers that read one file and nothing else. Sound alone is opened too, to say so.

Not among them: playlists and scripts (hls, dash, concat), patterns (image2), and text that is drawn (tty).
"""
MOST_STREAMS = 64
MOST_PIXELS = 2**26
"""Of a coded picture: 8192 x 8192."""
LONGEST_SIDE = 2**14
MOST_ELONGATED = 16
"""Times as long as wide, as displayed."""
SMALLEST_SIDE = 16


def check_file(path: Path) -> None:
    """Raises InputError unless `path` is a regular file with something in it."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kind = "a pipe" if stat.S_ISFIFO(mode) else "a folder" if stat.S_ISDIR(mode) else "a device"
        raise InputError(f"{path} is {kind}, not a file: save what it gives to a file first")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty (0 bytes): export or copy it again")
    # FFmpeg decodes a picture to find out what it is, so its size is read before.
    try:
        with suppress(OSError, ValueError, SyntaxError), PIL.Image.open(path, formats=IMAGE_KINDS) as image:
            check_pixels(path, *image.size)
    except PIL.Image.DecompressionBombError as error:
        raise InputError(f"{path} is too large a picture: make it smaller, at most 8192x8192") from error


@contextmanager
def open_input(path: Path) -> Iterator[av.container.InputContainer]:
    """A file that `check_file` has passed, open.

    Raises:
        InputError: it is not a video, or is one that reads other files.
    """
    is_image = path.suffix.lower() in IMAGE_SUFFIXES
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": ",".join(IMAGE_FORMATS if is_image else VIDEO_FORMATS),
    }
    with ExitStack() as stack:
        # By its name an image could be taken for a pattern ("photo%d.png"), so its name is kept from FFmpeg.
        source: Any = _Nameless(stack.enter_context(path.open("rb"))) if is_image else str(path.absolute())
        try:
            container = stack.enter_context(av.open(source, options=options, metadata_errors="replace"))
        except (FFmpegError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "its numbers make no sense"
            if isinstance(error, av.error.ArgumentError):
                reason = "an unknown kind, or a list of other files"
            raise InputError(
                f"{path} is not a video that FFmpeg can read ({reason}): give another file, or export it again"
            ) from error
        if len(container.streams) > MOST_STREAMS:
            raise InputError(f"{path} holds {len(container.streams)} tracks, more than {MOST_STREAMS}: export it again")
        yield container


class _Nameless:
    """A file without its name."""

    def __init__(self, file: BufferedReader) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


def check_pixels(path: Path, width: int, height: int) -> None:
    """Raises InputError for pictures too large to be decoded; sides as the file's header gives them."""
    if max(width, height) > LONGEST_SIDE or width * height > MOST_PIXELS:
        raise InputError(f"{path} is {width}x{height} pixels: make it smaller, at most 8192x8192")


def check_size(path: Path, width: int, height: int) -> None:
    """Raises InputError for pictures too small to be styled or too large to be held; sides as displayed, in pixels."""
    check_pixels(path, width, height)
    short, long = sorted((width, height))
    if short < SMALLEST_SIDE:
        raise InputError(f"{path} is {width}x{height} pixels: at least {SMALLEST_SIDE}x{SMALLEST_SIDE} are needed")
    if long > MOST_ELONGATED * short:
        raise InputError(
            f"{path} is {width}x{height} pixels, {long // short} times as long as wide: crop it to at most "
            f"{MOST_ELONGATED}"
        )
