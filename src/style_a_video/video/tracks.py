"""What goes along with the pictures: sound, subtitles, chapters, titles; packets as they are wherever they fit."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError
from av.stream import Disposition

from .clock import without_jumps
from .opening import open_input

KEPT = Disposition.default | Disposition.dub | Disposition.original | Disposition.comment | Disposition.lyrics | \
    Disposition.karaoke | Disposition.forced | Disposition.hearing_impaired | Disposition.visual_impaired | \
    Disposition.captions | Disposition.descriptions  # fmt: skip
KEPT_TAGS = ("language", "title", "handler_name", "comment")
KEPT_FILE_TAGS = ("title", "artist", "album", "date", "creation_time", "comment", "genre", "copyright", "description")
WITHOUT_EDIT_LISTS = ("matroska", "webm")
"""Containers that play everything they hold, also what lies before 0."""
PRIMING_S = 0.05
"""Sound encoders begin up to so long before 0, and decoders need that."""
LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""By the number of channels, what a track means that names no layout."""


class Tracks:
    """The sound and subtitles of a source on their way into an output, in step with its pictures.

    Args:
        source: the file that they come from, open.
        path: where it lies.
        container: the output, whose picture stream exists already.
        shifts: of a clock that jumps (`clock.without_jumps`).
    """

    def __init__(
        self, source: av.container.InputContainer, path: Path, container: Any, shifts: Sequence[Fraction]
    ) -> None:
        self.shifts = shifts
        self.source, self.path, self.container = source, path, container
        self.copies: dict[int, Any] = {}
        self.encoders: dict[int, Any] = {}
        self.last_dts: dict[int, int] = {}
        self.damaged_s: list[float] = []
        self.converters: dict[tuple[Any, ...], av.AudioResampler] = {}
        left_out = []
        for stream in source.streams:
            if stream.type == "audio":
                kept = stream.codec_context is not None and self._add_sound(stream)
            elif stream.type == "subtitle":
                kept = self._add_copy(stream)
            else:
                continue
            if not kept:
                left_out.append(f"{stream.type} track {stream.index}")
        if left_out:
            warnings.warn(
                f"{path}: {', '.join(left_out)} cannot go into {container.format.name}, so the output lacks it",
                stacklevel=2,
            )
        for name in KEPT_FILE_TAGS:
            if name in source.metadata:
                container.metadata[name] = source.metadata[name]
        self.waiting: tuple[float, Any, Any] | None = None

    def _add_copy(self, stream: Any) -> bool:
        if not _can_copy(self.path, stream.index, self.container.format.name):
            return False
        self.copies[stream.index] = _described(_copy_of(stream, self.container), stream)
        return True

    def _add_sound(self, stream: Any) -> bool:
        """Copied if the container takes it, else encoded in the container's own codec and the same layout."""
        if stream.layout.nb_channels == 0:  # by a damaged header
            return False
        if self._add_copy(stream):
            return True
        codec = av.Codec(self.container.default_audio_codec, "w")
        rate = stream.rate if stream.rate in (codec.audio_rates or [stream.rate]) else 48_000
        target = self.container.add_stream(codec.name, rate=rate, layout=_layout_for(codec.name, stream))
        self.encoders[stream.index] = _described(target, stream)
        return True

    def begin(self, origin: Fraction, start_s: float, end_s: float | None) -> None:
        """Set the clock of the output: 0 is at `origin` seconds of the source's clock.

        Args:
            start_s: whether and where the output begins later than the source.
            end_s: where it ends, in seconds of the output.
        """
        self.packets = self._items(origin, start_s > 0, end_s)
        chapters = []
        for chapter in self.source.chapters():
            base = chapter["time_base"] or Fraction(1)
            shift = round(origin / base)
            start, end = chapter["start"] - shift, chapter["end"] - shift
            if end > 0 and (end_s is None or start * base < end_s):
                chapters.append({**chapter, "start": max(0, start), "end": end})
        if chapters:
            self.container.set_chapters(chapters)

    def _items(self, origin: Fraction, cut: bool, end_s: float | None) -> Iterator[tuple[float, Any, Any]]:
        """(seconds in the output, packet or frame, stream it goes to), in the order of the file."""
        earliest = -math.inf
        if cut:
            earliest = 0.0
        elif self.container.format.name in WITHOUT_EDIT_LISTS:
            earliest = -PRIMING_S
        streams = [self.source.streams[index] for index in (*self.copies, *self.encoders)]
        if not streams:
            return
        packets = without_jumps(self.source.demux(*streams), self.source, list(self.shifts))
        while True:
            try:
                packet = next(packets)
            except (StopIteration, FFmpegError):  # the rest of a damaged file is not there
                return
            index = packet.stream.index
            if packet.pts is None or packet.time_base is None:
                if index in self.encoders and not packet.size:
                    yield from ((math.inf, frame, self.encoders[index]) for frame in self._decoded(packet, 0, math.inf))
                continue
            seconds = float(packet.pts * packet.time_base - origin)
            if seconds + float((packet.duration or 0) * packet.time_base) <= earliest:
                continue
            if end_s is not None and seconds >= end_s:
                continue
            shift = round(origin / packet.time_base)
            if index in self.copies:
                yield seconds, self._moved(packet, shift, self.copies[index]), self.copies[index]
                continue
            for frame in self._decoded(packet, shift, seconds):
                yield seconds, frame, self.encoders[index]

    def _decoded(self, packet: Any, shift: int, seconds: float) -> list[Any]:
        """A packet's sound, in the form that the encoder began with."""
        target = self.encoders[packet.stream.index].codec_context
        try:
            frames: list[Any] = packet.decode()
        except FFmpegError:
            self.damaged_s.append(seconds)
            return []
        resampled = []
        for frame in frames:
            frame.pts = None if frame.pts is None else frame.pts - shift
            form = (packet.stream.index, frame.format.name, frame.layout.name, frame.sample_rate)
            # Broadcasts change from stereo to surround: each form needs a converter of its own.
            converter = self.converters.setdefault(
                form, av.AudioResampler(format=target.format, layout=target.layout, rate=target.rate)
            )
            resampled += converter.resample(frame)
        return resampled

    def _moved(self, packet: Any, shift: int, target: Any) -> Any:
        """The packet on the output's clock. Where its own runs backwards, it is put right after the one before."""
        packet.pts -= shift
        packet.dts = packet.pts if packet.dts is None else packet.dts - shift
        last = self.last_dts.get(target.index)
        if last is not None and packet.dts <= last:
            packet.dts = last + 1
            packet.pts = max(packet.pts, packet.dts)
        self.last_dts[target.index] = packet.dts
        packet.stream = target
        return packet

    def until(self, seconds: float) -> None:
        """Write everything up to a time of the output."""
        while True:
            self.waiting = self.waiting or next(self.packets, None)
            if self.waiting is None or self.waiting[0] > seconds:
                return
            _, item, target = self.waiting
            try:
                self.container.mux(item if isinstance(item, av.Packet) else target.encode(item))
            except (av.error.InvalidDataError, ValueError):
                self.damaged_s.append(self.waiting[0])
            self.waiting = None

    def finish(self) -> None:
        """Write what is left."""
        self.until(float("inf"))
        for target in self.encoders.values():
            self.container.mux(target.encode(None))
        if self.damaged_s:
            warnings.warn(
                f"{self.path} is damaged: {len(self.damaged_s)} packets of its sound are left out, the first at "
                f"{self.damaged_s[0]:.2f} s",
                stacklevel=2,
            )


def _described(target: Any, stream: Any) -> Any:
    """The output's stream with the name, language and role of the source's."""
    target.disposition = stream.disposition & KEPT
    for name in KEPT_TAGS:
        if name in stream.metadata:
            target.metadata[name] = stream.metadata[name]
    if "title" in stream.metadata:
        # MP4 has no other place for it.
        target.metadata["handler_name"] = stream.metadata["title"]
    return target


def _copy_of(stream: Any, container: Any) -> Any:
    """A stream of the output that takes the source's packets."""
    target = container.add_stream_from_template(stream)
    if stream.type == "audio":
        # MP4 refuses sound without a layout, which AVI does not give.
        target.codec_context.layout = _layout_of(stream)
    return target


def _layout_of(stream: Any) -> str:
    named: str = stream.layout.name
    return LAYOUTS.get(stream.layout.nb_channels, named) if named.endswith(" channels") else named


def _layout_for(codec: str, stream: Any) -> str:
    """The source's channel layout in the form that an encoder takes."""
    if stream.layout.nb_channels > 8:
        warnings.warn(f"{stream.layout.nb_channels} channels of sound are mixed down to 7.1", stacklevel=2)
        return "7.1"
    # Opus knows the surround layouts of Vorbis only.
    renamed = {"5.1(side)": "5.1", "5.0(side)": "5.0", "7.1(wide)": "7.1"} if codec == "libopus" else {}
    name = _layout_of(stream)
    return renamed.get(name, name)


def _can_copy(source: Path, index: int, container_format: str) -> bool:
    """Whether a container takes this track of `source` as it is.

    A few packets of it are written in memory: FFmpeg's list of codecs for a format holds some that it then refuses, as
    PCM from Matroska in MP4.
    """
    try:
        with open_input(source) as origin, av.open(io.BytesIO(), "w", format=container_format) as trial:
            stream: Any = origin.streams[index]
            target = _copy_of(stream, trial)
            trial.start_encoding()
            # The next subtitle may be an hour away.
            for packet in islice(origin.demux(stream), 3 if stream.type == "audio" else 0):
                if packet.dts is not None:
                    packet.stream = target
                    trial.mux(packet)
    except (FFmpegError, ValueError):
        return False
    return True
