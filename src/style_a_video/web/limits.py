"""What the page takes: size, length and pixels, told in words before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..video import IsolatedReader, VideoInfo


@dataclass(frozen=True)
class Limits:
    """Of one clip."""

    megabytes: int = 200
    seconds: float = 60.0
    side: int = 512
    """Of the working size, in pixels."""

    def in_words(self) -> str:
        """For the page."""
        return f"Up to {self.megabytes} MB and {self.seconds:g} seconds."

    def check(self, path: Path) -> VideoInfo:
        """What the clip is. Raises InputError where it is too large or too long, or no clip."""
        megabytes = path.stat().st_size / 1e6
        if megabytes > self.megabytes:
            raise InputError(f"this file has {megabytes:.0f} MB: give one of {self.megabytes} MB at most")
        try:
            info = IsolatedReader(path).info
        except InputError as error:
            raise InputError(str(error).replace(str(path), path.name)) from error  # no paths of this machine
        if info.duration_s > self.seconds:
            long = f"{info.duration_s:.0f} seconds" if info.duration_s < 600 else f"{info.duration_s / 3600:.1f} hours"
            raise InputError(f"this clip lasts {long}: cut it to {self.seconds:g} seconds at most")
        return info
