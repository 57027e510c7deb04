"""Which way up: the display matrix of a video, the EXIF tag of a photograph; turns and mirrors."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

import av
import numpy as np
import PIL.Image
from numpy.typing import NDArray


class Orientation(NamedTuple):
    """How a coded picture becomes the displayed one: transposed, then mirrored."""

    transposed: bool = False
    mirrored: bool = False
    """Left and right change places."""
    upside_down: bool = False
    """Top and bottom change places."""

    def size(self, width: int, height: int) -> tuple[int, int]:
        """The displayed (width, height) of a coded one, and back."""
        return (height, width) if self.transposed else (width, height)

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The displayed picture of a coded one, (H, W, C)."""
        turned = pixels.swapaxes(0, 1) if self.transposed else pixels
        rows: Literal[-1, 1] = -1 if self.upside_down else 1
        columns: Literal[-1, 1] = -1 if self.mirrored else 1
        return np.ascontiguousarray(turned[::rows, ::columns])


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """The orientation nearest to a frame's display matrix: angles between quarter turns are not followed."""
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return Orientation()
    a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5].astype(float)
    # x' = a x + c y, y' = b x + d y; either the main diagonal or the other one carries the weight.
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, bool(c < 0), bool(b < 0))
    return Orientation(False, bool(a < 0), bool(d < 0))


def exif_orientation(path: Path) -> Orientation:
    """The orientation of a photograph, by its EXIF tag."""
    with suppress(OSError, ValueError, SyntaxError), PIL.Image.open(path) as image:
        return EXIF.get(image.getexif().get(0x0112, 1), Orientation())
    return Orientation()


EXIF = {
    2: Orientation(mirrored=True),
    3: Orientation(mirrored=True, upside_down=True),
    4: Orientation(upside_down=True),
    5: Orientation(transposed=True),
    6: Orientation(transposed=True, mirrored=True),
    7: Orientation(transposed=True, mirrored=True, upside_down=True),
    8: Orientation(transposed=True, upside_down=True),
}
"""By the value of tag 0x0112; all others stand upright."""
