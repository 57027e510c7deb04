"""What the page takes: size, length and pixels, told in words before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..video import IsolatedReader


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

    def opened(self, path: Path) -> IsolatedReader:
        """The clip, opened as a stranger's file. Raises InputError where it is too large or too long, or no clip."""
        megabytes = path.stat().st_size / 1e6
        if megabytes > self.megabytes:
            raise InputError(f"this file has {megabytes:.0f} MB: give one of {self.megabytes} MB at most")
        try:
            reader = IsolatedReader(path)
        except InputError as error:
            raise InputError(str(error).replace(str(path), path.name)) from error  # no paths of this machine
        seconds = reader.info.duration_s
        if seconds > self.seconds:
            long = f"{seconds:.0f} seconds" if seconds < 600 else f"{seconds / 3600:.1f} hours"
            raise InputError(f"this clip lasts {long}: cut it to {self.seconds:g} seconds at most")
        return reader
