"""The loop of a live picture: the newest frame, stylized, shown wherever it is wanted."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import InputError
from ..frames import Pixels
from .source import Captured, LatestFrame
from .stylizer import LiveStylizer

RECENT = 30
"""Frames that the rate is measured over."""


@dataclass(frozen=True)
class Shown:
    """A stylized frame, and how the stream does."""

    pixels: Pixels
    """(H, W, 3) uint8 RGB."""
    at: float
    """When the frame came, `time.monotonic()`."""
    fps: float
    """Frames a second, in the mean of the last ones."""
    latency_ms: float
    """From the frame's coming to now."""


@dataclass
class Wishes:
    """What was asked for and not done yet: other threads ask, the loop's does."""

    _asked: dict[str, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, **changes: Any) -> None:
        """Arguments of `LiveStylizer.change`."""
        with self._lock:
            self._asked |= changes

    def taken(self) -> dict[str, Any]:
        """All that was asked for since the last call."""
        with self._lock:
            asked, self._asked = self._asked, {}
        return asked


def live_frames(
    stylizer: LiveStylizer,
    source: Iterator[Captured],
    wishes: Wishes,
    on_refusal: Callable[[str], None],
) -> Iterator[Shown]:
    """The newest frame of the source again and again, stylized as the wishes say, until the source ends.

    Raises InputError as the source and the stylizer do; a wish that is refused is told to `on_refusal` instead.
    """
    latest = LatestFrame(source)
    times: deque[float] = deque(maxlen=RECENT)
    try:
        for captured in latest:
            if asked := wishes.taken():
                try:
                    stylizer.change(**asked)
                except InputError as error:
                    on_refusal(str(error))
            pixels = stylizer(captured.pixels)
            now = time.monotonic()
            times.append(now)
            fps = (len(times) - 1) / (now - times[0]) if len(times) > 1 else 0.0
            yield Shown(pixels, captured.at, fps, 1000 * (now - captured.at))
    finally:
        latest.close()
