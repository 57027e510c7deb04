"""Outputs that are images: folders of PNGs, single images, and animated GIF and WebP made of them."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from .output import FrameWriter, Part
from .reader import VideoInfo

ANIMATIONS = {".gif": ("gif", "pal8", Fraction(1, 100)), ".webp": ("libwebp_anim", "yuv420p", Fraction(1, 1000))}
"""By suffix: encoder, pixel format, and the clock, which no such file has finer."""
LONGEST_DELAY = 2**16 - 1
"""Of a GIF's frame, in hundredths of a second."""


class ImageOutput:
    """A folder of PNGs, or with a suffix a single image."""

    def __init__(self, part_suffix: str) -> None:
        self.part_suffix = part_suffix

    @contextmanager
    def part(self, path: Path, first: int) -> Iterator[FrameWriter]:
        if not self.part_suffix:
            path.mkdir()
        yield _ImageWriter(path, None if self.part_suffix else first)

    def join(self, parts: Sequence[Part], target: Path) -> None:
        if self.part_suffix:
            shutil.copyfile(parts[0].path, target)
            return
        target.mkdir()
        for part in parts:
            for image in part.path.iterdir():
                try:
                    os.link(image, target / image.name)
                except OSError:  # a disk without hard links
                    shutil.copyfile(image, target / image.name)


class _ImageWriter:
    def __init__(self, path: Path, number: int | None) -> None:
        self.path, self.number = path, number

    def write(self, pixels: NDArray[np.uint8], pts: int) -> None:
        target = self.path
        if self.number is not None:
            target, self.number = self.path / f"{self.number:05d}.png", self.number + 1
        PIL.Image.fromarray(pixels).save(target, quality=95)


class AnimationOutput(ImageOutput):
    """An animation, made of parts that are folders of PNGs. It plays again and again, and has no sound.

    Args:
        info: of the source.
        end_s: where the output ends, in seconds from the first frame; None for the source's end.
    """

    def __init__(self, suffix: str, info: VideoInfo, end_s: float | None) -> None:
        super().__init__("")
        self.suffix, self.info = suffix, info
        self.end_s = info.duration_s if end_s is None else min(info.duration_s, end_s)

    def join(self, parts: Sequence[Part], target: Path) -> None:
        """Encode all frames, each as long as it lasts in the source."""
        codec, pixel_format, clock = ANIMATIONS[self.suffix]
        stamps = [pts for part in parts for pts in part.pts]
        images = (image for part in parts for image in sorted(part.path.iterdir()))
        end = max(round((self.info.first_s + self.end_s) / self.info.time_base), stamps[-1] + 1)
        options = {"loop": "0"}
        if self.suffix == ".gif":  # WebP gives the last frame the mean of the others
            options["final_delay"] = str(min(LONGEST_DELAY, round((end - stamps[-1]) * self.info.time_base / clock)))
        with av.open(str(target.absolute()), "w", options=options) as container:
            stream: Any = container.add_stream(codec, rate=self.info.rate)
            stream.pix_fmt = pixel_format
            stream.time_base = stream.codec_context.time_base = clock
            quantized: _Palette | None = None
            for image, pts, following in zip(images, stamps, [*stamps[1:], end], strict=True):
                with PIL.Image.open(image) as opened:
                    frame = av.VideoFrame.from_image(opened.convert("RGB"))
                if pts == stamps[0]:
                    stream.width, stream.height = frame.width, frame.height
                if self.suffix == ".gif":
                    quantized = quantized or _Palette(frame)
                    frame = quantized.of(frame)
                begins, ends = (round((time - stamps[0]) * self.info.time_base / clock) for time in (pts, following))
                frame.pts, frame.time_base, frame.duration = begins, clock, ends - begins
                for packet in stream.encode(frame):
                    container.mux(packet)
            container.mux(stream.encode(None))
        if self.info.audio_codecs:
            warnings.warn(f"{self.suffix} files have no sound, so the output lacks it", stacklevel=2)


class _Palette:
    """Gives every frame the 256 colours that suit it."""

    def __init__(self, frame: av.VideoFrame) -> None:
        self.graph = av.filter.Graph()
        source = self.graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 100)
        )
        split, sink = self.graph.add("split"), self.graph.add("buffersink")
        palette = self.graph.add("palettegen", "stats_mode=single")
        use = self.graph.add("paletteuse", "new=1")
        source.link_to(split)
        split.link_to(palette, 0, 0)
        split.link_to(use, 1, 0)
        palette.link_to(use, 0, 1)
        use.link_to(sink)
        self.graph.configure()
        self.count = 0

    def of(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The frame in its own palette."""
        frame.pts, self.count = self.count, self.count + 1
        self.graph.push(frame)
        found = self.graph.pull()
        assert isinstance(found, av.VideoFrame)
        return found
