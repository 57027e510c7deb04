"""Recordings laid end to end: pictures and sound go on after the join, in step."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from style_a_video.video import VideoReader, open_writer
from tests.conftest import moving_picture


def recording(path: Path, start_s: int) -> bytes:
    """One second of a broadcast whose clock begins at `start_s`."""
    with av.open(str(path), "w", format="mpegts") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("mp2", rate=48000)
        packets = []
        for k, pixels in enumerate(moving_picture(25, 64, 48)):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts, frame.time_base = 25 * start_s + k, Fraction(1, 25)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        for start in range(0, 48000 - 1152, 1152):
            tone = (8000 * np.sin(np.arange(start, start + 1152) * 0.05)).astype(np.int16)
            piece = av.AudioFrame.from_ndarray(np.repeat(tone, 2)[None], "s16", "stereo")
            piece.sample_rate, piece.pts, piece.time_base = 48000, 48000 * start_s + start, Fraction(1, 48000)
            packets += sound.encode(piece)
        for packet in sorted(packets, key=lambda packet: float((packet.dts or 0) * packet.time_base)):
            container.mux(packet)
    return path.read_bytes()


@pytest.mark.parametrize("starts", [(5, 5), (5, 4000), (4000, 5), (5, 4000, 5)])
def test_a_joined_recording_has_no_jumps(tmp_path: Path, starts: tuple[int, ...]) -> None:
    path, output = tmp_path / "in.ts", tmp_path / "out.mkv"
    path.write_bytes(b"".join(recording(tmp_path / "one.ts", start) for start in starts))
    reader = VideoReader(path)
    assert reader.info.frame_count == 25 * len(starts)
    assert reader.info.duration_s == pytest.approx(len(starts), abs=0.1)
    with open_writer(output, (64, 48), reader.info) as writer:
        for frame in reader.frames():
            writer.write(frame.pixels, frame.pts)
    with av.open(str(output)) as container:
        times: dict[str, list[float]] = {"video": [], "audio": []}
        for packet in container.demux():
            if packet.pts is not None and packet.time_base is not None:
                times[packet.stream.type].append(float(packet.pts * packet.time_base))
    for kind, longest in (("video", 0.1), ("audio", 0.1)):
        found = np.sort(times[kind])
        assert np.diff(found).max() < longest
        assert np.diff(found).min() > 0.01
    assert abs(max(times["video"]) - max(times["audio"])) < 0.15
    assert len(times["video"]) == 25 * len(starts)


def test_a_pause_in_other_files_stays(tmp_path: Path) -> None:
    path = tmp_path / "in.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for k, second in enumerate((0, 1, 61)):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 60 * k, np.uint8))
            frame.pts, frame.time_base = 25 * second, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    times = [float(frame.pts * VideoReader(path).info.time_base) for frame in VideoReader(path).frames()]
    assert times == [0, 1, 61]
