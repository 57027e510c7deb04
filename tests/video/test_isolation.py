"""Reading in a process of its own: the same frames, and its death is one line."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import style_a_video as sav
from style_a_video.video import IsolatedReader, VideoInfo, VideoReader, open_writer, run_isolated


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "in.mp4"
    info = VideoInfo(path, 64, 48, 5, Fraction(25), Fraction(1, 12800), (), 0.2)
    with open_writer(path, (64, 48), info) as writer:
        for k in range(5):
            writer.write(np.full((48, 64, 3), 40 * k, np.uint8), 512 * k)
    return path


def frames_of(reader: VideoReader, **span: Any) -> Iterator[tuple[int, bytes]]:
    return ((frame.pts, frame.pixels.tobytes()) for frame in reader.frames((32, 24), **span))


def test_what_is_read_is_the_same(clip: Path) -> None:
    isolated, plain = IsolatedReader(clip), VideoReader(clip)
    assert isolated.info == plain.info
    assert list(frames_of(isolated)) == list(frames_of(plain))
    assert list(frames_of(isolated, start_s=0.08, skip=1)) == list(frames_of(plain, start_s=0.08, skip=1))


def test_refusals_and_notes_are_told(clip: Path) -> None:
    with pytest.raises(sav.InputError, match="does not exist"):
        IsolatedReader(clip.with_name("gone.mp4"))
    clip.write_bytes(clip.read_bytes()[:-400])
    with pytest.raises(sav.InputError, match="is not a video that FFmpeg can read"):
        IsolatedReader(clip)


def die(number: int) -> None:
    os.kill(os.getpid(), number)


def fill(size: int) -> int:
    return len(bytearray(size))


def sleep(seconds: float) -> None:
    import time

    time.sleep(seconds)


def test_a_crash_there_is_one_line_here() -> None:
    with pytest.raises(sav.InputError, match=r"in\.mp4 makes its reader fail"):
        run_isolated(die, signal.SIGSEGV, path=Path("in.mp4"), longest_s=30)


@pytest.mark.skipif(not hasattr(os, "posix_spawn"), reason="Windows has no limits of memory")
def test_memory_is_limited() -> None:
    with pytest.raises(sav.InputError, match="too much memory"):
        run_isolated(fill, 4 * 2**30, path=Path("in.mp4"), longest_s=60)


def test_time_is_limited() -> None:
    with pytest.raises(sav.InputError, match=r"in\.mp4 takes more than 1 s"):
        run_isolated(sleep, 30, path=Path("in.mp4"), longest_s=1)


def test_a_job_whose_input_is_isolated_has_the_same_bytes(clip: Path, tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"size": 64, "fast": True}
    for name, isolate in (("a.mp4", False), ("b.mp4", True)):
        sav.stylize(clip, "a pencil drawing", tmp_path / name, isolate=isolate, **arguments)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
