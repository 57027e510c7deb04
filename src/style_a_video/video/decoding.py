"""Decoding: damaged pictures concealed, interlaced ones made whole, transparency kept."""

from __future__ import annotations

import warnings
from bisect import insort
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from .clock import without_jumps

Decoded = tuple[av.VideoFrame, int | None]
"""A frame, and its time stamp if it has one."""
FAILURES_BEFORE_THE_FIRST = 1000
"""Packets that may fail before a file counts as one without a picture."""


def decoded_frames(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    path: Path,
    shifts: Sequence[Fraction] = (Fraction(0),),
) -> Iterator[Decoded]:
    """Every frame of a stream in the order of its time stamps; one note tells what was wrong.

    In place of a picture that cannot be decoded comes the one before it, with the time stamp of the lost one.

    Args:
        shifts: of a clock that jumps (`clock.without_jumps`).

    Raises:
        FFmpegError: no picture can be decoded.
    """
    packets = without_jumps(container.demux(stream), container, list(shifts))
    yield from _deinterlaced(_concealed(packets, stream, path), stream)


def _concealed(packets: Iterator[Any], stream: av.VideoStream, path: Path) -> Iterator[Decoded]:
    time_base = stream.time_base or Fraction(1, 25)
    sent: list[int] = []  # time stamps of packets whose frames have not come out yet
    lost: list[int] = []
    failed = 0
    shown: av.VideoFrame | None = None
    for frames in _decoded_packets(packets, stream, sent):
        if isinstance(frames, FFmpegError):
            failed += 1
            if shown is None and failed > FAILURES_BEFORE_THE_FIRST:
                raise frames
            continue
        for frame in frames:
            while sent and frame.pts is not None and sent[0] <= frame.pts:
                pts = sent.pop(0)
                # Some packets never show anything, so no more are missed than failed.
                if pts < frame.pts and shown is not None and len(lost) < failed:
                    lost.append(pts)
                    yield shown, pts
            shown = frame
            yield frame, frame.pts
    for pts in sent[: failed - len(lost)]:
        if shown is None:
            break
        lost.append(pts)
        yield shown, pts
    if lost:
        times = ", ".join(f"{float(pts * time_base):.2f}" for pts in lost[:5]) + (" …" if len(lost) > 5 else "")
        pictures = "1 picture" if len(lost) == 1 else f"{len(lost)} pictures"
        warnings.warn(
            f"{path} is damaged: {pictures} (at {times} s) cannot be decoded, so the one before stays", stacklevel=2
        )


def _decoded_packets(
    packets: Iterator[Any], stream: av.VideoStream, sent: list[int]
) -> Iterator[list[Any] | FFmpegError]:
    """By packet, its frames or why there are none. The time stamps of shown packets are put into `sent`, in order."""
    decoder, shown = _decoder_of(stream), False
    while True:
        try:
            packet = next(packets)
            if packet.pts is not None and not packet.is_discard:
                insort(sent, packet.pts)
            try:
                frames: list[Any] = decoder.decode(packet if packet.size else None)
            except FFmpegError:
                if shown or decoder is stream.codec_context:
                    raise
                # Transparency that is damaged: the pictures may be sound.
                decoder = stream.codec_context
                frames = decoder.decode(packet)
            shown = shown or bool(frames)
        except (StopIteration, av.error.EOFError):
            return
        except FFmpegError as error:
            yield error
        else:
            yield frames


def _decoder_of(stream: av.VideoStream) -> Any:
    """The stream's decoder. FFmpeg's own for VP8 and VP9 leave transparency out; libvpx's do not."""
    context = stream.codec_context
    context.thread_type = "AUTO"
    if stream.metadata.get("alpha_mode") == "1" and context.name in ("vp8", "vp9"):
        context = av.CodecContext.create("libvpx" if context.name == "vp8" else "libvpx-vp9", "r")
    return context


def _deinterlaced(frames: Iterator[Decoded], stream: av.VideoStream) -> Iterator[Decoded]:
    """Interlaced frames made whole from their neighbours, as many as came. Others pass as they are."""
    graph: av.filter.Graph | None = None
    waiting: list[int | None] = []

    def come_out() -> Iterator[Decoded]:
        assert graph is not None
        while True:
            try:
                yield graph.vpull(), waiting.pop(0)
            except (av.error.BlockingIOError, av.error.EOFError):
                return

    form: tuple[int, int, str] | None = None
    for frame, pts in frames:
        if graph is not None and form != (frame.width, frame.height, frame.format.name):
            graph.vpush(None)
            yield from come_out()
            graph = None
        if graph is None and not frame.interlaced_frame:
            yield frame, pts
            continue
        if graph is None:
            graph, form = _deinterlacer(frame, stream), (frame.width, frame.height, frame.format.name)
        waiting.append(pts)
        graph.vpush(frame)
        yield from come_out()
    if graph is not None:
        graph.vpush(None)
        yield from come_out()


def _deinterlacer(frame: av.VideoFrame, stream: av.VideoStream) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=stream.time_base)
    graph.link_nodes(source, graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink"))
    graph.configure()
    return graph
