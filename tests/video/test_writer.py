"""Writing: time stamps, sound, sizes, and that an interruption leaves nothing."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import PIL.Image
import pytest

from style_a_video.errors import InputError
from style_a_video.video import VideoReader, check_output, open_writer
from tests.conftest import moving_picture, packets, times


def copy(source: Path, target: Path, size: tuple[int, int] | None = None, **span: float) -> VideoReader:
    """Read and write back unchanged."""
    reader = VideoReader(source)
    size = size or (reader.info.width, reader.info.height)
    with open_writer(target, size, reader.info, **span) as writer:
        for frame in reader.frames(size, **span):
            writer.write(frame.pixels, frame.pts)
    return reader


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001), Fraction(8)])
def test_time_stamps_survive(clip: Callable[..., Path], tmp_path: Path, suffix: str, rate: Fraction) -> None:
    source = clip(count=12, rate=rate, time_base=1 / rate / 512)
    copy(source, tmp_path / f"out{suffix}")
    exact = suffix in (".mp4", ".mov")
    for before, after in zip(times(source), times(tmp_path / f"out{suffix}"), strict=True):
        assert before == after if exact else abs(before - after) <= Fraction(1, 1000)  # Matroska counts milliseconds
    info = VideoReader(tmp_path / f"out{suffix}").info
    if exact:
        assert info.rate == rate
        assert info.time_base == VideoReader(source).info.time_base


def test_variable_rate_stays_variable(clip: Callable[..., Path], tmp_path: Path) -> None:
    source = clip(pts=[0, 512, 700, 2000, 5000])
    copy(source, tmp_path / "out.mp4")
    assert times(tmp_path / "out.mp4") == times(source)


def test_a_late_first_frame_stays_late(clip: Callable[..., Path], tmp_path: Path) -> None:
    source = clip("in.mkv", pts=[400, 440, 480, 520, 560], time_base=Fraction(1, 1000), audio="aac")
    copy(source, tmp_path / "out.mkv")
    assert times(tmp_path / "out.mkv") == times(source)


@pytest.mark.parametrize(
    ("source_name", "codec", "target"),
    [
        ("in.mp4", "aac", "out.mp4"),
        ("in.mp4", "aac", "out.mkv"),
        ("in.mkv", "flac", "out.mkv"),
        ("in.mp4", "aac", "out.mov"),
    ],
)
def test_sound_is_copied_bit_by_bit(
    clip: Callable[..., Path], tmp_path: Path, source_name: str, codec: str, target: str
) -> None:
    base = Fraction(1, 1000) if source_name.endswith("mkv") else Fraction(1, 12800)
    source = clip(source_name, count=30, audio=codec, time_base=base)
    copy(source, tmp_path / target)
    before, after = packets(source, "audio"), packets(tmp_path / target, "audio")
    assert len(before) > 10
    assert [payload for _, payload in before] == [payload for _, payload in after]


def test_two_sound_tracks(clip: Callable[..., Path], tmp_path: Path) -> None:
    single = clip(count=20, audio="aac")
    with av.open(str(single)) as source, av.open(str(tmp_path / "two.mp4"), "w") as target:
        video = target.add_stream_from_template(source.streams.video[0])
        tracks = [target.add_stream_from_template(source.streams.audio[0]) for _ in range(2)]
        for packet in source.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == "video":
                packet.stream = video
                target.mux(packet)
            else:
                for track in tracks:
                    with av.open(str(single)) as _:
                        packet.stream = track
                        target.mux(packet)
    copy(tmp_path / "two.mp4", tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert len(container.streams.audio) == 2
    assert len(packets(tmp_path / "out.mp4", "audio")) == len(packets(tmp_path / "two.mp4", "audio"))


def test_sound_that_the_container_cannot_hold_is_encoded(clip: Callable[..., Path], tmp_path: Path) -> None:
    source = clip(count=50, audio="aac")
    copy(source, tmp_path / "out.webm")
    with av.open(str(tmp_path / "out.webm")) as container:
        assert container.streams.audio[0].codec_context.name in ("opus", "libopus", "vorbis")
        seconds = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
    assert seconds == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize(("codec", "target"), [("pcm_s16le", "out.mp4"), ("flac", "out.mov"), ("pcm_s16le", "out.mov")])
def test_sound_that_the_container_only_seems_to_hold_loses_no_work(
    clip: Callable[..., Path], tmp_path: Path, codec: str, target: str
) -> None:
    """FFmpeg lists PCM among MP4's codecs and refuses it at the end."""
    source = clip("in.mkv", count=25, audio=codec, time_base=Fraction(1, 1000))
    copy(source, tmp_path / target)
    with av.open(str(tmp_path / target)) as container:
        seconds = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
    assert seconds == pytest.approx(1.0, abs=0.06)


def test_a_cut_between_frames_keeps_its_sound_in_step(clip: Callable[..., Path], tmp_path: Path) -> None:
    """At 4 frames a second a cut at 0.3 s begins with the frame of 0.5 s; so must its sound."""
    source = clip(
        "in.mkv", count=12, pts=[250 * k for k in range(12)], time_base=Fraction(1, 1000), rate=Fraction(4), audio="aac"
    )
    copy(source, tmp_path / "out.mkv", start_s=0.3)
    whole = packets(source, "audio")
    shift = {payload: time for time, payload in whole}
    moved = [shift[payload] - time for time, payload in packets(tmp_path / "out.mkv", "audio")]
    assert len(moved) > 50
    assert max(abs(value - 500) for value in moved) <= 25  # AAC's priming is 23 ms


def test_a_clock_that_starts_late_is_not_hours_of_nothing(clip: Callable[..., Path], tmp_path: Path) -> None:
    source = clip("in.ts", count=10, pts=[324_000_000 + 3600 * k for k in range(10)], time_base=Fraction(1, 90000))
    copy(source, tmp_path / "out.mp4")
    assert [float(time) for time in times(tmp_path / "out.mp4")] == pytest.approx([k / 25 for k in range(10)], abs=1e-3)


def test_names_with_a_colon(clip: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip("12:30.mp4", audio="aac")
    monkeypatch.chdir(tmp_path)
    copy(Path("12:30.mp4"), Path("13:45.mp4"))
    assert len(times(tmp_path / "13:45.mp4")) == 5


def test_span_cuts_sound_and_starts_at_zero(clip: Callable[..., Path], tmp_path: Path) -> None:
    source = clip(count=50, audio="aac")
    copy(source, tmp_path / "out.mp4", start_s=0.8, end_s=1.2)
    assert times(tmp_path / "out.mp4") == [Fraction(k, 25) for k in range(10)]
    with av.open(str(tmp_path / "out.mp4")) as container:
        seconds = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
    assert seconds == pytest.approx(0.4, abs=0.06)


def test_span_of_a_late_stream_keeps_its_sound_in_step(clip: Callable[..., Path], tmp_path: Path) -> None:
    """The picture begins at 0.4 s, the sound at 0: second 0.8 of the picture is second 1.2 of the sound."""
    pts = [400 + 40 * k for k in range(50)]
    source = clip("in.mkv", count=50, pts=pts, audio="aac", time_base=Fraction(1, 1000))
    copy(source, tmp_path / "out.mkv", start_s=0.8, end_s=1.2)
    assert times(tmp_path / "out.mkv") == [Fraction(k, 25) for k in range(10)]
    wanted = [payload for time, payload in packets(source, "audio") if 1200 - 23 < time < 1600]
    copied = [payload for _, payload in packets(tmp_path / "out.mkv", "audio")]
    assert len(wanted) > 15
    assert len([payload for payload in copied if payload in wanted]) >= len(wanted) - 1
    assert len(copied) <= len(wanted) + 2


def test_raw_stream_without_time_stamps(clip: Callable[..., Path], tmp_path: Path) -> None:
    source = clip("in.h264", count=10)
    copy(source, tmp_path / "out.mp4")
    shown = times(tmp_path / "out.mp4")
    assert len(shown) == 10
    assert float(shown[-1]) == pytest.approx(9 / 25, abs=0.01)


def test_nothing_is_made_when_only_asked(clip: Callable[..., Path], tmp_path: Path) -> None:
    info = VideoReader(clip()).info
    before = set(tmp_path.rglob("*"))
    check_output(tmp_path / "new" / "deep" / "out.mp4", info, overwrite=False)
    assert set(tmp_path.rglob("*")) == before


def test_a_folder_of_other_pictures_is_not_replaced(clip: Callable[..., Path], tmp_path: Path) -> None:
    info = VideoReader(clip()).info
    (tmp_path / "holiday" / "more").mkdir(parents=True)
    (tmp_path / "holiday" / "beach.png").touch()
    (tmp_path / "plain").touch()
    for name in ("holiday", "plain"):
        with pytest.raises(InputError, match=r"other things|another name"):
            check_output(tmp_path / name, info, overwrite=True)


def test_odd_size_is_kept(clip: Callable[..., Path], tmp_path: Path) -> None:
    copy(clip(), tmp_path / "out.mp4", size=(63, 47))
    info = VideoReader(tmp_path / "out.mp4").info
    assert (info.width, info.height) == (63, 47)


def test_colours_survive(clip: Callable[..., Path], tmp_path: Path) -> None:
    reader = VideoReader(clip())
    flat = np.full((48, 64, 3), (200, 60, 30), np.uint8)
    with open_writer(tmp_path / "out.mp4", (64, 48), reader.info) as writer:
        writer.write(flat, 0)
    shown = next(VideoReader(tmp_path / "out.mp4").frames()).pixels
    assert np.abs(shown.astype(int) - flat).max() <= 4


def test_folder_of_images(clip: Callable[..., Path], tmp_path: Path) -> None:
    copy(clip(), tmp_path / "frames")
    assert sorted(path.name for path in (tmp_path / "frames").iterdir()) == [f"{k:05d}.png" for k in range(5)]
    copy(clip(count=3), tmp_path / "frames")
    assert len(list((tmp_path / "frames").iterdir())) == 3


@pytest.mark.parametrize("name", ["out.mp4", "out.webm", "frames"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_interruption_leaves_nothing(
    clip: Callable[..., Path], tmp_path: Path, name: str, error: type[BaseException]
) -> None:
    reader = VideoReader(clip(audio="aac"))
    before = set(tmp_path.iterdir())

    def interrupted() -> None:
        with open_writer(tmp_path / name, (64, 48), reader.info) as writer:
            writer.write(moving_picture(1, 64, 48)[0], 0)
            raise error

    with pytest.raises(error):
        interrupted()
    assert set(tmp_path.iterdir()) == before


def test_interruption_keeps_what_was_there(clip: Callable[..., Path], tmp_path: Path) -> None:
    reader = VideoReader(clip())
    (tmp_path / "out.mp4").write_bytes(b"precious")

    def interrupted() -> None:
        with open_writer(tmp_path / "out.mp4", (64, 48), reader.info):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (tmp_path / "out.mp4").read_bytes() == b"precious"


def test_the_inputs_own_images_are_safe(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    PIL.Image.new("RGB", (32, 32)).save(tmp_path / "frames" / "0.png")
    info = VideoReader(tmp_path / "frames").info
    with pytest.raises(InputError, match="among the input's own images"):
        check_output(tmp_path / "frames" / "0.png", info, overwrite=True)


def test_bad_outputs(clip: Callable[..., Path], tmp_path: Path) -> None:
    source = clip()
    info = VideoReader(source).info
    (tmp_path / "there.mp4").touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").touch()
    (tmp_path / "file").touch()
    for path, overwrite, message in (
        ("out.xyz", False, "cannot write"),
        ("out.png", False, "one image"),
        ("there.mp4", False, "--overwrite"),
        ("in.mp4", True, "the input itself"),
        ("other", True, "other things"),
        ("file/out.mp4", False, "cannot write in"),
    ):
        with pytest.raises(InputError, match=message):
            check_output(tmp_path / path, info, overwrite)
    check_output(tmp_path / "there.mp4", info, overwrite=True)
