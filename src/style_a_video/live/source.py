"""Where live frames come from: a camera, a file played in real time, or an address of the user's own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import cv2
import numpy as np

from ..errors import InputError
from ..frames import Pixels
from ..video import VideoReader


@dataclass(frozen=True)
class Captured:
    """A frame, (H, W, 3) uint8 RGB, and the `time.monotonic()` at which it came."""

    pixels: Pixels
    at: float


def open_source(source: str) -> Iterator[Captured]:
    """Frames as they come, without end where the source has none.

    Args:
        source: a camera's number, a file, which is played at its own rate, or an address such as rtsp://… .

    Raises:
        InputError: nothing is there, or no frame comes from it.
    """
    if source.isdecimal() or "://" in source:
        frames = _captured(int(source) if source.isdecimal() else source)
        if (first := next(frames, None)) is None:
            raise InputError(f"{_called(source)} gives no frame: check that no other program uses it")
        return chain([first], frames)
    return _played(VideoReader(Path(source)))


def _captured(source: int | str) -> Iterator[Captured]:
    camera = cv2.VideoCapture(source)
    try:
        if not camera.isOpened():
            raise InputError(f"{_called(source)} cannot be opened: check that it is there and no other program uses it")
        while True:
            there, frame = camera.read()
            if not there:
                return
            yield Captured(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)), time.monotonic())
    finally:
        camera.release()


def _called(source: int | str) -> str:
    return f"camera {source}" if str(source).isdecimal() else str(source)


def _played(reader: VideoReader) -> Iterator[Captured]:
    began, first = time.monotonic(), None
    for frame in reader.frames():
        first = frame.pts if first is None else first
        due = began + float((frame.pts - first) * reader.info.time_base)
        time.sleep(max(0.0, due - time.monotonic()))
        yield Captured(frame.pixels, time.monotonic())


class LatestFrame:
    """The newest frame of a source, read in a thread; those that nobody asked for in time are dropped.

    Raises what the source raises, where the next frame is asked for.
    """

    def __init__(self, frames: Iterator[Captured]) -> None:
        self._frames = frames
        self._news = threading.Condition()
        self._latest: Captured | None = None
        self._over = False
        self._error: BaseException | None = None
        self.dropped = 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for captured in self._frames:
                with self._news:
                    if self._over:
                        return
                    self.dropped += self._latest is not None
                    self._latest = captured
                    self._news.notify()
        except BaseException as error:
            self._error = error
        finally:
            with self._news:
                self._over = True
                self._news.notify()

    def __iter__(self) -> Iterator[Captured]:
        """The newest frame each time, until the source is at its end."""
        while True:
            with self._news:
                self._news.wait_for(lambda: self._latest is not None or self._over)
                latest, self._latest = self._latest, None
            if latest is None:
                if self._error is not None:
                    raise self._error
                return
            yield latest

    def close(self) -> None:
        """Stop reading."""
        with self._news:
            self._over, self._latest = True, None
        self._thread.join(timeout=2)
