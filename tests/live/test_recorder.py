"""What is shown, in a file."""

from __future__ import annotations

import time
from pathlib import Path

import av
import numpy as np
import pytest

import style_a_video as sav
from style_a_video.live.recorder import Recorder


def record(path: Path, sound: str | None = None, seconds: float = 0.6) -> None:
    recorder = Recorder(path, (64, 48), sound)
    for k in range(12):
        recorder.write(np.full((48, 64, 3), 20 * k, np.uint8), seconds * k / 12)
    if sound:
        time.sleep(seconds)
    recorder.close()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_frames_and_their_times(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    record(path)
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    np.testing.assert_allclose([frame.time for frame in frames], 0.6 * np.arange(12) / 12, atol=0.002)
    greys = [frame.to_ndarray(format="gray").mean() for frame in frames]
    np.testing.assert_allclose(np.diff(greys), 20, atol=4)


def test_sound_beside_it(tmp_path: Path) -> None:
    """FFmpeg's tone generator is the microphone, in real time."""
    path = tmp_path / "out.mp4"
    record(path, "lavfi:sine=frequency=440,arealtime", seconds=1.0)
    with av.open(str(path)) as container:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
        rate = container.streams.audio[0].rate
    assert len(heard) > 0.3 * rate
    spectrum = np.abs(np.fft.rfft(heard))
    assert abs(spectrum.argmax() * rate / len(heard) - 440) < 10


def test_what_cannot_be_recorded_is_told(tmp_path: Path) -> None:
    (tmp_path / "there.mp4").write_bytes(b"mine")
    for path, sound, why in [
        (tmp_path / "there.mp4", None, "exists already"),
        (tmp_path / "out.avi", None, "record to"),
        (tmp_path / "there.mp4" / "out.mp4", None, "there.mp4"),
        (tmp_path / "out.mp4", "nonsense:none", "no sound"),
    ]:
        with pytest.raises(sav.InputError, match=why):
            Recorder(path, (64, 48), sound)
    assert (tmp_path / "there.mp4").read_bytes() == b"mine"
    assert not (tmp_path / "out.mp4").exists()
