"""Damage is concealed and told; interlaced pictures are made whole."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from style_a_video.errors import InputError
from style_a_video.video import VideoReader
from tests.conftest import moving_picture, write_clip


def damaged(source: Path, target: Path, number: int) -> Path:
    """`source` with picture `number`, counted in the order of the file, overwritten."""
    with av.open(str(source)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        place, size = packets[number].pos, packets[number].size
    data = bytearray(source.read_bytes())
    assert place is not None
    data[place : place + size] = bytes(size)
    target.write_bytes(data)
    return target


@pytest.mark.parametrize(("name", "codec", "pix_fmt"), [("a.mov", "mjpeg", "yuvj420p"), ("a.mov", "png", "rgb24")])
def test_a_damaged_picture_is_the_one_before(tmp_path: Path, name: str, codec: str, pix_fmt: str) -> None:
    whole = write_clip(tmp_path / name, moving_picture(8, 64, 48), codec=codec, pix_fmt=pix_fmt)
    path = damaged(whole, tmp_path / "damaged.mov", 5)
    with pytest.warns(UserWarning, match=r"1 picture \(at 0\.20 s\)"):
        frames = list(VideoReader(path).frames())
    expected = list(VideoReader(whole).frames())
    assert [frame.pts for frame in frames] == [frame.pts for frame in expected]
    for k, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.pixels, expected[4 if k == 5 else k].pixels)


def test_without_any_picture_it_is_refused(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mov", moving_picture(2, 64, 48), codec="png", pix_fmt="rgb24")
    damaged(path, path, 0)
    with pytest.raises(InputError, match="no frame that can be decoded"):
        VideoReader(damaged(path, path, 1))


def test_fields_are_made_whole(tmp_path: Path) -> None:
    """Of a moving edge that was shot in fields, lines of both fields agree again."""
    path = tmp_path / "a.mpg"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25, options={"flags": "+ildct+ilme", "q": "1"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.codec_context.qmin = stream.codec_context.qmax = 1
        for k in range(6):
            picture = np.zeros((96, 128, 3), np.uint8)
            for field in (0, 1):
                picture[field::2, : 20 + 16 * k + 8 * field] = 255
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            graph = av.filter.Graph()
            ends = [
                graph.add_buffer(width=128, height=96, format=frame.format, time_base=Fraction(1, 25)),
                graph.add("setfield", "tff"),
                graph.add("format", "yuv420p"),
                graph.add("buffersink"),
            ]
            graph.link_nodes(*ends).configure()
            graph.vpush(frame)
            flagged = graph.vpull()
            flagged.pts, flagged.time_base = k, Fraction(1, 25)
            container.mux(stream.encode(flagged))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        assert any(frame.interlaced_frame for frame in container.decode(video=0))
    frames = list(VideoReader(path).frames())
    assert len(frames) == 6
    shown = frames[3].pixels[8:88].astype(float)
    assert np.abs(shown[0::2] - shown[1::2]).mean() < 3


def test_other_sizes_get_bars(tmp_path: Path) -> None:
    """A stream whose pictures turn from 64x32 to 32x64: the later ones stand upright between bars."""
    path = tmp_path / "a.ivf"
    parts = []
    for k, size in enumerate(((64, 32), (32, 64))):
        part = tmp_path / f"{k}.ivf"
        with av.open(str(part), "w") as container:
            stream = container.add_stream("libvpx", rate=25, options={"crf": "4", "b": "1M"})
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            picture = np.full((size[1], size[0], 3), 255, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
        parts.append(part.read_bytes())
    second = bytearray(parts[1][32:])
    second[4:12] = (1).to_bytes(8, "little")  # its time stamp
    path.write_bytes(parts[0] + bytes(second))
    frames = list(VideoReader(path).frames())
    assert [frame.pixels.shape for frame in frames] == [(32, 64, 3)] * 2
    bright = frames[1].pixels.mean(axis=(0, 2)) > 128
    assert bright.nonzero()[0].tolist() == list(range(24, 40))


def test_raw_streams_play_at_the_rate_they_name(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.h264"), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for picture in moving_picture(12, 64, 48):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    reader = VideoReader(tmp_path / "a.h264")
    assert reader.info.rate == 30
    assert reader.info.duration_s == pytest.approx(0.4)
    times = [float(frame.pts * reader.info.time_base) for frame in reader.frames()]
    np.testing.assert_allclose(times, np.arange(12) / 30, atol=1e-5)
