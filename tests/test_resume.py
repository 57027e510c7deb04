"""A job that is stopped, killed or fails goes on where it was, to the same bytes."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import style_a_video as sav
from style_a_video import job
from style_a_video.journal import folder_of
from style_a_video.video import VideoReader
from tests.conftest import packets, times

QUICK: dict[str, Any] = {"num_inference_steps": 1, "size": 48, "batch_size": 4, "keyframe_interval": 4}


@pytest.fixture(autouse=True)
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("style_a_video.job.PART_FRAMES", 5)
    monkeypatch.setattr("style_a_video.job.LONGEST_PART", 5)


def run(source: Path, target: Path, pipeline: sav.StyleAVideoPipeline, stop: int = 0, **more: Any) -> list[int]:
    """Stylize, stopped after `stop` frames if that is not 0. Returns the numbers of frames that were told."""
    told: list[int] = []

    def tell(done: int, _total: int) -> None:
        told.append(done)
        if done == stop:
            raise KeyboardInterrupt

    given = {"prompt": "a cat"} | QUICK | more
    if not stop:
        sav.stylize(source, given.pop("prompt"), target, pipeline=pipeline, on_progress=tell, **given)
    else:
        with pytest.raises(KeyboardInterrupt):
            sav.stylize(source, given.pop("prompt"), target, pipeline=pipeline, on_progress=tell, **given)
    return told


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.webm", "out"])
@pytest.mark.parametrize("stop", [10, 13, 22])
def test_a_stopped_job_goes_on_to_the_same_bytes(
    clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline, name: str, stop: int
) -> None:
    source, target, whole = clip(count=23, audio="aac"), tmp_path / name, tmp_path / f"whole-{name}"
    run(source, whole, pipeline)
    with pytest.warns(UserWarning, match="frames are kept"):
        run(source, target, pipeline, stop)
    assert not target.exists()
    with pytest.warns(UserWarning, match="going on after"):
        told = run(source, target, pipeline)
    assert told[0] > stop - 5 - 4
    assert told[-1] == 23
    if target.is_dir():
        for one, other in zip(sorted(whole.iterdir()), sorted(target.iterdir()), strict=True):
            assert one.name == other.name
            assert one.read_bytes() == other.read_bytes()
    else:
        assert times(target) == times(whole)
        for kind in ("video", "audio"):
            assert packets(target, kind) == packets(whole, kind)
    made = {path.name for path in (target, whole)}
    assert {path.name for path in tmp_path.iterdir()} == {"in.mp4"} | made | {f"{name}.json" for name in made}


def test_a_changed_recipe_is_refused_and_fresh_starts_anew(
    clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline
) -> None:
    source, target = clip(count=12), tmp_path / "out.mp4"
    with pytest.warns(UserWarning, match="are kept"):
        run(source, target, pipeline, stop=11)
    with pytest.raises(sav.InputError, match=r"seed was 0, is 3.*--fresh"):
        run(source, target, pipeline, seed=3)
    with pytest.raises(sav.InputError, match="prompt was a cat, is a dog"):
        run(source, target, pipeline, prompt="a dog")
    assert run(source, target, pipeline, seed=3, fresh=True)[0] == 1
    assert json.loads((tmp_path / "out.mp4.json").read_text())["settings"]["seed"] == 3


def test_a_damaged_part_is_made_again(
    clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline
) -> None:
    source, target = clip(count=12), tmp_path / "out.mp4"
    with pytest.warns(UserWarning, match="are kept"):
        run(source, target, pipeline, stop=11)
    part = folder_of(target) / "00000.mp4"
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.warns(UserWarning, match="is damaged"):
        assert run(source, target, pipeline)[0] == 1


def test_what_is_finished_can_be_kept_as_a_playable_file(
    clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline
) -> None:
    source, target = clip(count=23, audio="aac"), tmp_path / "out.mp4"
    run(source, target, pipeline, stop=20, keep_partial=True)
    frames = len(list(VideoReader(target).frames()))
    assert 8 <= frames < 20
    assert times(target) == times(source)[:frames]
    assert VideoReader(target).info.audio_codecs == ("aac",)
    assert json.loads((tmp_path / "out.mp4.json").read_text())["frames"] == frames
    assert not folder_of(target).exists()


def test_a_full_disk_loses_nothing_that_is_finished(
    clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = clip(count=12), tmp_path / "out.mp4"

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("style_a_video.video.writer._VideoOutput.join", full)
        with pytest.warns(UserWarning, match="12 frames are kept"), pytest.raises(sav.InputError, match="free some"):
            run(source, target, pipeline)
    assert run(source, target, pipeline) == [12]
    assert len(times(target)) == 12


def test_what_appears_meanwhile_is_not_replaced(
    clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline
) -> None:
    source, target = clip(count=12), tmp_path / "out"

    def appear(done: int, _total: int) -> None:
        if done == 12 and not target.exists():
            target.mkdir()
            (target / "thesis.txt").write_text("years of work")

    with pytest.warns(UserWarning, match="are kept"), pytest.raises(sav.InputError, match="appeared meanwhile"):
        sav.stylize(source, "a cat", target, pipeline=pipeline, on_progress=appear, **QUICK)
    assert (target / "thesis.txt").read_text() == "years of work"
    (target / "thesis.txt").unlink()
    target.rmdir()
    assert run(source, target, pipeline) == [12]
    assert len(list(target.iterdir())) == 12


def test_two_runs_on_one_output(clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline) -> None:
    source, target = clip(count=6), tmp_path / "out.mp4"
    refused: list[str] = []

    def second(done: int, _total: int) -> None:
        if done == 1:
            with pytest.raises(sav.InputError) as caught:
                sav.stylize(source, "a cat", target, pipeline=pipeline, **QUICK)
            refused.append(str(caught.value))

    sav.stylize(source, "a cat", target, pipeline=pipeline, on_progress=second, **QUICK)
    assert "another run is making" in refused[0]


def _in_a_process(source: Path, target: Path, folder: Path, started: Any) -> None:
    job.PART_FRAMES = 5  # type: ignore[attr-defined]
    pipeline = sav.load_pipeline(folder)
    job.stylize(source, "a cat", target, pipeline=pipeline, on_progress=lambda done, _: started.set(), **QUICK)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_kill_9(clip: Callable[..., Path], tmp_path: Path, tiny_folder: Path) -> None:
    """Killed at three moments, it ends with the bytes of a run that never was."""
    source, target, whole = clip(count=60, audio="aac"), tmp_path / "out.mp4", tmp_path / "whole.mp4"
    pipeline = sav.load_pipeline(tiny_folder)
    run(source, whole, pipeline)
    context = multiprocessing.get_context("spawn")
    for delay in (0.1, 0.4, 0.2):
        started = context.Event()
        process = context.Process(target=_in_a_process, args=(source, target, tiny_folder, started))
        process.start()
        assert started.wait(120)
        time.sleep(delay)
        if process.is_alive() and process.pid is not None:
            os.kill(process.pid, signal.SIGKILL)
        process.join()
    if not target.exists():
        run(source, target, pipeline)
    assert target.read_bytes() == whole.read_bytes()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
