"""What goes along: names, roles, chapters, layouts, subtitles; clocks that run backwards; durations to the last one."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from style_a_video.video import VideoReader
from tests.conftest import moving_picture, packets, times
from tests.video.test_writer import copy


def with_tracks(
    path: Path, tracks: list[tuple[str, str, Disposition]], layout: str = "stereo", codec: str = "aac"
) -> Path:
    """Ten pictures and sound tracks of (language, title, role), with a title and two chapters."""
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "My holiday"
        base = Fraction(1, 1000)
        container.set_chapters([
            {"id": k, "start": 200 * k, "end": 200 * (k + 1), "time_base": base, "metadata": {"title": name}}
            for k, name in enumerate(("One", "Two"))
        ])  # fmt: skip
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sounds = []
        for language, title, role in tracks:
            sound = container.add_stream(codec, rate=48000, layout=layout)
            sound.metadata.update({"language": language, "title": title})
            sound.disposition = role
            sounds.append(sound)
        for picture in moving_picture(10, 64, 48):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        for sound in sounds:
            channels = sound.layout.nb_channels
            for start in range(0, 19200, 960):
                wave = np.zeros((1, 960 * channels), np.int16)
                chunk = av.AudioFrame.from_ndarray(wave, format="s16", layout=layout)
                chunk.sample_rate, chunk.pts, chunk.time_base = 48000, start, Fraction(1, 48000)
                container.mux(sound.encode(chunk))
            container.mux(sound.encode(None))
    return path


TRACKS = [
    ("ger", "Deutsch", Disposition(0)),
    ("eng", "English", Disposition.default),
    ("eng", "Director", Disposition.comment),
]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_names_roles_and_chapters_stay(tmp_path: Path, suffix: str) -> None:
    source = with_tracks(tmp_path / "in.mkv", TRACKS)
    copy(source, tmp_path / f"out{suffix}")
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        assert container.metadata["title"] == "My holiday"
        assert [chapter["metadata"]["title"] for chapter in container.chapters()] == ["One", "Two"]
        found = container.streams.audio
        assert [track.metadata["language"] for track in found] == [language for language, _, _ in TRACKS]
        name = "title" if suffix == ".mkv" else "handler_name"
        assert [track.metadata[name] for track in found] == [title for _, title, _ in TRACKS]
        assert [bool(track.disposition & Disposition.default) for track in found] == [False, True, False]
        assert found[2].disposition & Disposition.comment


@pytest.mark.parametrize(("layout", "codec", "suffix"), [("5.1", "ac3", ".webm"), ("mono", "aac", ".webm")])
def test_layouts_stay_where_sound_is_encoded_again(tmp_path: Path, layout: str, codec: str, suffix: str) -> None:
    source = with_tracks(tmp_path / "in.mkv", [("eng", "", Disposition.default)], layout, codec)
    copy(source, tmp_path / f"out{suffix}")
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        assert container.streams.audio[0].layout.name == layout


def test_sound_of_a_clock_that_steps_back_is_kept(tmp_path: Path) -> None:
    """No muxer writes such a file, so the time stamps of a sound one are changed in its bytes."""
    whole = with_tracks(tmp_path / "whole.flv", TRACKS[1:2])
    data = bytearray(whole.read_bytes())
    at, moved = 13, 0  # behind the header and the size of nothing
    while at < len(data):
        size = int.from_bytes(data[at + 1 : at + 4], "big")
        milliseconds = int.from_bytes(data[at + 4 : at + 7], "big")
        if data[at] == 8 and milliseconds > 200:  # sound
            data[at + 4 : at + 7] = (milliseconds - 60).to_bytes(3, "big")
            moved += 1
        at += 11 + size + 4
    assert moved > 3
    (tmp_path / "in.flv").write_bytes(data)
    expected = [payload for _, payload in packets(tmp_path / "in.flv", "audio")]
    for suffix in (".mp4", ".mkv"):
        copy(tmp_path / "in.flv", tmp_path / f"out{suffix}")
        assert [payload for _, payload in packets(tmp_path / f"out{suffix}", "audio")] == expected


def test_subtitles_are_copied_where_they_fit(tmp_path: Path, clip: Callable[..., Path]) -> None:
    text = tmp_path / "a.srt"
    text.write_text("1\n00:00:00,000 --> 00:00:00,200\nHello\n\n")
    video = clip(count=10)
    with av.open(str(text)) as words, av.open(str(video)) as old, av.open(str(tmp_path / "in.mkv"), "w") as new:
        for source in (*old.streams.video, *words.streams.subtitles):
            target = new.add_stream_from_template(source)
            target.metadata["language"] = "eng"
        for container, stream in ((old, new.streams[0]), (words, new.streams[1])):
            for packet in container.demux():
                if packet.dts is not None:
                    packet.stream = stream
                    new.mux(packet)
    copy(tmp_path / "in.mkv", tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        (track,) = container.streams.subtitles
        assert track.metadata["language"] == "eng"
        assert b"Hello" in b"".join(bytes(packet) for packet in container.demux(track))
    with pytest.warns(UserWarning, match="subtitle track 1 cannot go into webm"):
        copy(tmp_path / "in.mkv", tmp_path / "out.webm")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_every_picture_stays_as_long_as_it_did(clip: Callable[..., Path], tmp_path: Path, suffix: str) -> None:
    source = tmp_path / "long.mp4"
    with av.open(str(clip(pts=[0, 12800, 32 * 12800, 33 * 12800], count=4))) as old, av.open(str(source), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream, packet.duration = stream, 12800
                new.mux(packet)
    reader = copy(source, tmp_path / f"out{suffix}")
    assert reader.info.duration_s == pytest.approx(34.0, abs=0.01)
    assert VideoReader(tmp_path / f"out{suffix}").info.duration_s == pytest.approx(34.0, abs=0.01)


def test_a_clock_that_wraps_is_shifted(clip: Callable[..., Path], tmp_path: Path) -> None:
    """Transport streams count 33 bits: here they begin anew in the middle of a clip."""
    with av.open(str(clip(count=20))) as old, av.open(str(tmp_path / "in.ts"), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.pts is not None and packet.dts is not None:
                shift = round((Fraction(2**33, 90_000) - Fraction(4, 10)) / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                new.mux(packet)
    reader = copy(tmp_path / "in.ts", tmp_path / "out.mp4")
    assert reader.info.first_s < 0
    found = times(tmp_path / "out.mp4")
    assert len(found) == 20
    assert min(found) == 0
    assert max(found) == pytest.approx(19 / 25, abs=0.01)
