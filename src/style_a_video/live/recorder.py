"""A live picture, and sound if asked, into a file; what there is of it can be played whenever it stops."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from ..atomic import check_writable
from ..errors import InputError
from ..frames import Pixels

CLOCK = Fraction(1, 1000)
FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
"""What was written before a crash can be played."""
MICROPHONES = {"linux": "alsa", "darwin": "avfoundation", "win32": "dshow"}
"""FFmpeg's devices."""


def check_recording(path: Path) -> None:
    """Raise InputError where no recording can be written to `path`, or something is there."""
    if path.suffix.lower() not in (".mp4", ".mkv", ".mov"):
        raise InputError(f"{path}: record to .mp4, .mkv or .mov")
    if path.exists():
        raise InputError(f"{path} exists already: give another name")
    check_writable(path.absolute().parent)


class Recorder:
    """Writes frames with the times at which they came, and sound as it comes.

    Args:
        path: .mp4, .mkv or .mov.
        size: (width, height) of the frames, made even.
        sound: FFmpeg's name of a microphone, e.g. "default"; or DEVICE:NAME, e.g. "pulse:default".

    Raises:
        InputError: the file cannot be written, or no sound comes from there.
    """

    def __init__(self, path: Path, size: tuple[int, int], sound: str | None = None) -> None:
        check_recording(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._microphone = _open_sound(sound) if sound else None
        try:
            self._container = av.open(str(path.absolute()), "w", options={} if path.suffix == ".mkv" else FRAGMENTED)
        except (FFmpegError, OSError) as error:
            raise InputError(f"{path} cannot be written ({error.strerror}): give another path") from error
        # A crash loses what came since the last full frame: 30 frames at most.
        options = {"crf": "20", "preset": "veryfast", "tune": "zerolatency", "g": "30"}
        self._video: Any = self._container.add_stream("libx264", options=options)
        self._video.width, self._video.height = (side - side % 2 for side in size)
        self._video.pix_fmt, self._video.time_base = "yuv420p", CLOCK
        self._video.codec_context.time_base = CLOCK
        self._lock, self._last, self._closing = threading.Lock(), -1, False
        self._listener: threading.Thread | None = None
        if self._microphone is not None:
            self._audio: Any = self._container.add_stream("aac", rate=48_000)
            self._listener = threading.Thread(target=self._listen, daemon=True)
            self._listener.start()

    def write(self, pixels: Pixels, seconds: float) -> None:
        """A picture, (H, W, 3) uint8 RGB, of `seconds` after the beginning. Raises InputError: a full disk."""
        pts = max(self._last + 1, round(seconds / CLOCK))
        self._last = pts
        frame = av.VideoFrame.from_ndarray(pixels[: self._video.height, : self._video.width].copy(), format="rgb24")
        frame.pts, frame.time_base = pts, CLOCK
        packets = self._video.encode(frame)
        try:
            with self._lock:
                self._container.mux(packets)
        except (FFmpegError, OSError) as error:
            raise InputError(f"{self._path} cannot be written ({error.strerror}): give another path") from error

    def _listen(self) -> None:
        assert self._microphone is not None
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=48_000, frame_size=1024)
        with suppress(FFmpegError, OSError):  # the microphone was pulled out: the picture goes on
            for heard in self._microphone.decode(audio=0):
                if self._closing:
                    return
                heard.pts = None  # from the beginning, by what was heard
                for frame in resampler.resample(heard):
                    packets = self._audio.encode(frame)
                    with self._lock:
                        self._container.mux(packets)

    def close(self) -> None:
        """Finish the file."""
        self._closing = True
        if self._listener is not None:
            self._listener.join(timeout=2)
        with self._lock:
            self._container.mux(self._video.encode(None))
            if self._microphone is not None and self._listener is not None and not self._listener.is_alive():
                self._container.mux(self._audio.encode(None))
                self._microphone.close()
            self._container.close()


def _open_sound(sound: str) -> Any:
    device, _, name = sound.partition(":") if ":" in sound else (MICROPHONES.get(sys.platform, ""), "", sound)
    try:
        return av.open(name, format=device)
    except (FFmpegError, OSError, ValueError) as error:
        raise InputError(f"no sound comes from {device}:{name}: give the name of a microphone") from error
