"""Reading: kinds of input, timing, rotation, and every broken file that people have."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from style_a_video.errors import InputError
from style_a_video.video import VideoReader
from tests.conftest import moving_picture, times, write_clip


def test_info_and_frames(clip: Callable[..., Path]) -> None:
    reader = VideoReader(clip(count=7, rate=Fraction(30000, 1001), time_base=Fraction(1, 30000)))
    assert (reader.info.width, reader.info.height, reader.info.frame_count) == (64, 48, 7)
    assert reader.info.rate == Fraction(30000, 1001)
    assert reader.info.time_base == Fraction(1, 30000)
    frames = list(reader.frames())
    assert [frame.pts for frame in frames] == [1001 * k for k in range(7)]
    difference = np.abs(np.stack([frame.pixels for frame in frames]).astype(float) - moving_picture(7, 64, 48))
    assert difference.mean() < 6


def test_can_be_read_again(clip: Callable[..., Path]) -> None:
    reader = VideoReader(clip())
    assert np.array_equal(*[np.stack([frame.pixels for frame in reader.frames()]) for _ in range(2)])


def test_span(clip: Callable[..., Path]) -> None:
    reader = VideoReader(clip(count=10))
    assert [frame.pts // 512 for frame in reader.frames(start_s=0.08, end_s=0.2)] == [2, 3, 4]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_applied(tmp_path: Path, degrees: int) -> None:
    """The display matrix of the file says how to turn the coded picture counter-clockwise."""
    upright = moving_picture(2, 64, 32)
    coded = np.rot90(upright, k=-(degrees // 90), axes=(1, 2))
    path = write_clip(tmp_path / "turned.mp4", coded, rotation=degrees)
    reader = VideoReader(path)
    assert (reader.info.width, reader.info.height) == (64, 32)
    shown = next(reader.frames()).pixels
    assert shown.shape == (32, 64, 3)
    assert np.abs(shown.astype(float) - upright[0]).mean() < 6
    assert next(reader.frames(size=(32, 16))).pixels.shape == (16, 32, 3)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.mkv", "libx264", "yuv420p"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.mov", "prores_ks", "yuv422p10le"),
    ],
)
def test_other_containers(clip: Callable[..., Path], name: str, codec: str, pix_fmt: str) -> None:
    time_base = {"a.mkv": Fraction(1, 1000), "a.webm": Fraction(1, 1000), "a.avi": Fraction(1, 25)}.get(
        name, Fraction(1, 12800)
    )
    reader = VideoReader(clip(name, codec=codec, pix_fmt=pix_fmt, time_base=time_base))
    frames = list(reader.frames())
    assert len(frames) == reader.info.frame_count == 5
    assert np.abs(frames[0].pixels.astype(float) - moving_picture(1, 64, 48)[0]).mean() < 8


def test_variable_rate(clip: Callable[..., Path]) -> None:
    pts = [0, 512, 700, 2000, 5000]
    path = clip(pts=pts)
    assert [frame.pts for frame in VideoReader(path).frames()] == pts
    assert times(path) == [Fraction(p, 12800) for p in pts]


def test_gif(tmp_path: Path) -> None:
    images = [PIL.Image.fromarray(frame) for frame in moving_picture(4, 40, 30)]
    images[0].save(tmp_path / "a.gif", save_all=True, append_images=images[1:], duration=100, loop=0)
    reader = VideoReader(tmp_path / "a.gif")
    frames = list(reader.frames())
    assert len(frames) == reader.info.frame_count == 4
    assert float((frames[1].pts - frames[0].pts) * reader.info.time_base) == pytest.approx(0.1)


def test_folder_in_natural_order(tmp_path: Path) -> None:
    for k in (10, 2, 1):
        PIL.Image.new("RGB", (20, 18), (k, 0, 0)).save(tmp_path / f"frame{k}.png")
    (tmp_path / "notes.txt").write_text("not a frame")
    frames = list(VideoReader(tmp_path).frames())
    assert [int(frame.pixels[0, 0, 0]) for frame in frames] == [1, 2, 10]


def test_single_image_and_8k(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (7680, 4320), (10, 200, 30)).save(tmp_path / "8k.png")
    reader = VideoReader(tmp_path / "8k.png")
    assert (reader.info.width, reader.info.height, reader.info.frame_count) == (7680, 4320, 1)
    pixels = next(reader.frames(size=(456, 256))).pixels
    assert pixels.shape == (256, 456, 3)
    assert np.abs(pixels.astype(int) - (10, 200, 30)).max() <= 1


def remuxed(source: Path, target: Path, shift: int = 0, **options: str) -> Path:
    """The packets of `source` in a new file, their time stamps moved by `shift`."""
    import av

    with av.open(str(source)) as old, av.open(str(target), "w", options=options) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            if packet.dts is not None and packet.pts is not None:
                packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                new.mux(packet)
    return target


def test_what_an_edit_list_cuts_away_is_neither_counted_nor_missed(tmp_path: Path) -> None:
    """A phone's trimmed clip: the header holds 30 frames, 20 of them are shown."""
    whole = write_clip(tmp_path / "whole.mp4", moving_picture(30, 64, 48))
    trimmed = remuxed(whole, tmp_path / "trimmed.mp4", shift=-10 * 512, avoid_negative_ts="disabled")
    reader = VideoReader(trimmed)
    frames = list(reader.frames())
    assert reader.info.frame_count == len(frames) == 20
    expected = moving_picture(30, 64, 48)[10:]
    assert np.abs(np.stack([frame.pixels for frame in frames]).astype(float) - expected).mean() < 6


def test_pixels_that_are_not_square(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "wide.mkv"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 96, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2, 1)
        for pixels in moving_picture(3, 96, 96):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    reader = VideoReader(tmp_path / "wide.mkv")
    assert (reader.info.width, reader.info.height) == (192, 96)
    assert next(reader.frames()).pixels.shape == (96, 192, 3)


def test_length_of_a_variable_rate_is_its_last_frames(clip: Callable[..., Path]) -> None:
    reader = VideoReader(clip(pts=[0, 512, 700, 2000, 51200]))
    assert reader.info.duration_s == pytest.approx(4.0, abs=0.1)
    assert len(list(reader.frames(start_s=3.0))) == 1


def test_hidden_files_are_no_frames(tmp_path: Path) -> None:
    for name in ("0.png", "1.png", "._0.png", ".x.partial.png"):
        PIL.Image.new("RGB", (20, 20)).save(tmp_path / name)
    assert VideoReader(tmp_path).info.frame_count == 2


def _truncated_matroska(folder: Path) -> Path:
    noise = np.random.default_rng(0).integers(0, 255, (75, 96, 96, 3), dtype=np.uint8)
    data = write_clip(folder / "whole.mkv", noise, time_base=Fraction(1, 1000)).read_bytes()
    (folder / "short.mkv").write_bytes(data[: len(data) // 3])
    return folder / "short.mkv"


def _missing(folder: Path) -> Path:
    return folder / "nothing.mp4"


def _empty_folder(folder: Path) -> Path:
    (folder / "frames").mkdir()
    return folder / "frames"


def _empty_file(folder: Path) -> Path:
    (folder / "empty.mp4").touch()
    return folder / "empty.mp4"


def _text(folder: Path) -> Path:
    (folder / "text.mp4").write_text("this is not a film\n" * 50)
    return folder / "text.mp4"


def _truncated(folder: Path) -> Path:
    """With its index at the front, as films for the web have it, so that it opens."""
    whole = write_clip(folder / "whole.mp4", np.random.default_rng(0).integers(0, 255, (30, 96, 96, 3), dtype=np.uint8))
    data = remuxed(whole, folder / "front.mp4", movflags="faststart").read_bytes()
    (folder / "short.mp4").write_bytes(data[: len(data) // 2])
    return folder / "short.mp4"


def _without_index(folder: Path) -> Path:
    whole = write_clip(folder / "whole.mp4", moving_picture(20, 64, 48))
    data = whole.read_bytes()
    (folder / "noindex.mp4").write_bytes(data[: len(data) // 2])
    return folder / "noindex.mp4"


def _audio_only(folder: Path) -> Path:
    import wave

    with wave.open(str(folder / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16000))
    return folder / "sound.wav"


def _one_pixel(folder: Path) -> Path:
    PIL.Image.new("RGB", (1, 1)).save(folder / "dot.png")
    return folder / "dot.png"


def _mixed_sizes(folder: Path) -> Path:
    for k, size in enumerate([(20, 20), (20, 22)]):
        PIL.Image.new("RGB", size).save(folder / f"{k}.png")
    return folder


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_missing, "does not exist"),
        (_empty_folder, "no images"),
        (_empty_file, "empty"),
        (_text, "not a video"),
        (_without_index, "not a video"),
        (_audio_only, "no video in it"),
        (_one_pixel, "1x1"),
        (_mixed_sizes, "one size"),
    ],
)
def test_bad_input_gets_one_line(tmp_path: Path, make: Callable[[Path], Path], message: str) -> None:
    path = make(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        list(VideoReader(path).frames())
    assert "\n" not in str(caught.value)
    assert str(path.name) in str(caught.value)


@pytest.mark.parametrize("make", [_truncated, _truncated_matroska])
def test_what_is_left_of_a_file_that_is_cut_short_is_read(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path)
    with pytest.warns(UserWarning, match="cut short"):
        reader = VideoReader(path)
    whole = VideoReader(tmp_path / f"whole{path.suffix}").info.frame_count
    assert 0.2 * whole < len(list(reader.frames())) <= reader.info.frame_count < 0.7 * whole


def test_a_folder_of_videos_with_a_picture_is_not_that_picture(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (64, 48)).save(tmp_path / "cover.jpg")
    (tmp_path / "film.MOV").touch()
    with pytest.raises(InputError, match=r"holds videos \(film\.MOV\).*batch"):
        VideoReader(tmp_path)
