"""What an output is made of: parts, each finished by itself, that are joined without encoding again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Part:
    """A finished stretch of an output."""

    path: Path
    pts: tuple[int, ...]
    """Of its frames, in the reader's time base."""


class FrameWriter(Protocol):
    """Takes the frames of a part."""

    def write(self, pixels: NDArray[np.uint8], pts: int) -> None: ...


class Output(Protocol):
    """How the frames of a job become a file or a folder."""

    part_suffix: str

    def part(self, path: Path, first: int) -> AbstractContextManager[FrameWriter]:
        """The writer of a part; leaving it normally completes the part.

        Args:
            first: number of the part's first frame.
        """

    def join(self, parts: Sequence[Part], target: Path) -> None:
        """Make `target` of the parts, which stay what they are."""
