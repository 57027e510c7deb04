"""The input video as the measures see it: its frames, its shots, and the motion between its frames."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..errors import InputError
from ..frames import pixels_to_tensor
from ..temporal import FlowEstimator, dis_flow, flow_both_ways
from ..video import ShotDetector, VideoFrame, VideoInfo, VideoReader, working_size
from .encoders import Encoder


@dataclass
class Clip:
    """Frames (T, H, W, 3) uint8, and what is measured of them. Flow and embeddings are computed once and kept."""

    name: str
    pixels: NDArray[np.uint8]
    rate: Fraction
    shot_starts: list[int]
    """Of every frame, the number of its shot's first."""
    estimate: FlowEstimator = field(default_factory=dis_flow)
    source: VideoInfo | None = None
    """Of the file that it was read from."""
    keeps_motion: bool = True
    """Some 1 MB a pair at 256x448. A single long video is measured once, so it need not keep it."""
    _motion: dict[tuple[int, int], tuple[Tensor, Tensor]] = field(default_factory=dict)
    _embeddings: dict[tuple[int, str], Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.pixels)

    def picture(self, t: int) -> Tensor:
        """(1, 3, H, W) in [0, 1]."""
        return pixels_to_tensor(self.pixels[t])

    def motion(self, t: int, s: int) -> tuple[Tensor, Tensor]:
        """Flow from frame t to frame s, (1, 2, H, W) in pixels, and where it is trusted, (1, 1, H, W)."""
        if (t, s) in self._motion:
            return self._motion[t, s]
        found = flow_both_ways(self.estimate, self.picture(t), self.picture(s))
        if self.keeps_motion:
            self._motion[t, s] = found
        return found

    def embedding(self, t: int, encoder: Encoder) -> Tensor:
        """Of frame t, (1, D)."""
        if (t, encoder.digest) not in self._embeddings:
            self._embeddings[t, encoder.digest] = encoder.images(self.picture(t))
        return self._embeddings[t, encoder.digest]

    def earlier(self, t: int, distance: int) -> int | None:
        """The frame `distance` before t, if it is of the same shot."""
        return t - distance if t - distance >= self.shot_starts[t] else None

    def video_frames(self) -> list[VideoFrame]:
        """What the job takes; one time unit a frame."""
        return [VideoFrame(pixels, t) for t, pixels in enumerate(self.pixels)]


def clip_of(
    name: str,
    pixels: NDArray[np.uint8],
    rate: Fraction = Fraction(25),
    source: VideoInfo | None = None,
    keeps_motion: bool = True,
) -> Clip:
    """A clip of frames (T, H, W, 3) uint8, its shots found by PySceneDetect."""
    detector, starts = ShotDetector(), list[int]()
    for t, frame in enumerate(pixels):
        starts.append(t if detector.begins_shot(frame) else starts[-1])
    return Clip(name, pixels, rate, starts, source=source, keeps_motion=keeps_motion)


def read_clip(path: Path, side: int, count: int | None = None) -> Clip:
    """The first `count` frames of a video (all by default) with `side` pixels to the short side, even numbers both.

    Raises InputError when it cannot be read.
    """
    reader = VideoReader(path)
    pixels = _pixels(reader, working_size(reader.info, side), count)
    return clip_of(path.stem, pixels, reader.info.rate, reader.info)


def read_pair(source: Path, output: Path) -> tuple[Clip, NDArray[np.uint8]]:
    """An input video and the frames (T, H, W, 3) of what was made of it, at the output's size.

    Both lie in unnamed files on disk, since long videos would fill the memory. Raises InputError where they do not
    belong together by shape, rate or number of frames.
    """
    before, after = VideoReader(source), VideoReader(output)
    check_match(before.info, after.info)
    size = after.info.width, after.info.height
    pixels, found = (_on_disk(reader, size) for reader in (before, after))
    if len(pixels) != len(found):
        raise InputError(
            f"{output} has {len(found)} frames and {source} has {len(pixels)}: "
            "give the output of the whole input, frame for frame"
        )
    return clip_of(source.stem, pixels, before.info.rate, before.info, keeps_motion=False), found


def check_match(source: VideoInfo, output: VideoInfo) -> None:
    """Raise InputError when an output has another shape or rate than its source; a folder of images has no rate."""
    # A side made even, or rounded to a grid of 8, is the same picture; a crop or a stretch is not.
    shapes = output.width / source.width - output.height / source.height
    if abs(shapes) * min(source.width, source.height) > 8:
        raise InputError(
            f"{output.path} is {output.width}x{output.height} and {source.path} is {source.width}x{source.height}: "
            "another shape, so they cannot be compared"
        )
    rated = not (source.path.is_dir() or output.path.is_dir())
    if rated and abs(float(output.rate / source.rate) - 1) > 0.01:
        raise InputError(
            f"{output.path} plays at {float(output.rate):.2f} frames/s and {source.path} at {float(source.rate):.2f}: "
            "give an output of the same rate"
        )


def _pixels(reader: VideoReader, size: tuple[int, int], count: int | None) -> NDArray[np.uint8]:
    frames = [frame.pixels for frame in islice(reader.frames(size), count)]
    if not frames:
        raise InputError(f"{reader.path} holds no frame: give another video")
    return np.stack(frames)


def _on_disk(reader: VideoReader, size: tuple[int, int]) -> NDArray[np.uint8]:
    with tempfile.TemporaryFile() as file:
        try:
            for frame in reader.frames(size):
                file.write(frame.pixels.tobytes())
            file.flush()
        except OSError as error:
            folder = tempfile.gettempdir()
            raise InputError(
                f"cannot keep the frames in {folder} ({error.strerror}): give TMPDIR a larger disk"
            ) from error
        if not file.tell():
            raise InputError(f"{reader.path} holds no frame: give another video")
        return np.memmap(file, np.uint8, "r").reshape(-1, size[1], size[0], 3)
