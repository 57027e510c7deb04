"""What the page does, without a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
import pytest

import style_a_video as sav
from style_a_video.web.limits import Limits
from style_a_video.web.sessions import Sessions
from style_a_video.web.studio import Studio

ME = "a" * 32
QUICK: dict[str, Any] = {"num_inference_steps": 1, "size": 32, "fast": False}


@pytest.fixture
def studio(pipeline: sav.StyleAVideoPipeline, tmp_path: Path) -> Studio:
    pipeline.register_to_config(fast_defaults={"num_inference_steps": 1})
    (tmp_path / "shared").mkdir()
    return Studio(pipeline, Sessions(tmp_path, tmp_path / "shared"), Limits(megabytes=1, seconds=5, side=64))


@pytest.fixture
def mine(studio: Studio, clip: Callable[..., Path]) -> str:
    path = str(clip(count=40))
    studio.sessions.note_upload(path, ME)
    return path


def decoded(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_one_frame_before_and_after(studio: Studio, mine: str) -> None:
    before, after = studio.preview(ME, mine, "a cat", QUICK)
    assert before.shape == after.shape == (32, 42, 3)
    assert not np.array_equal(before, after)
    kept, same = studio.preview(ME, mine, "a cat", QUICK | {"preserve_color": True, "strength": 0.0})
    assert np.abs(kept.astype(int) - same).mean() < np.abs(before.astype(int) - after).mean()


def test_a_job_from_its_start_to_its_end(studio: Studio, mine: str) -> None:
    steps = list(studio.start(ME, mine, "a cat", QUICK))
    last = steps[-1]
    assert last.output is not None
    assert decoded(last.output) == 40
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert any(step.picture is not None and step.rate > 0 for step in steps[:-1])
    job = studio.last(ME)
    assert job is not None
    assert job.finished
    assert job.playable == str(last.output)
    record = Path(f"{job.playable}.json").read_text(encoding="utf-8")
    assert f'"input": "{Path(mine).name}"' in record
    assert ME not in record  # whoever knows it may see all its files


def test_stopped_it_is_playable_and_goes_on(studio: Studio, mine: str) -> None:
    steps = studio.start(ME, mine, "a cat", QUICK | {"batch_size": 1, "keyframe_interval": 1, "num_inference_steps": 9})
    next(steps)
    studio.stop(ME)
    last = list(steps)[-1]
    assert last.stopped
    assert last.output is not None
    finished = decoded(last.output)
    assert 1 <= finished < 40
    job = studio.last(ME)
    assert job is not None
    assert not job.finished
    more = list(studio.go_on(ME))
    assert more[0].done >= finished
    assert more[-1].output is not None
    assert decoded(more[-1].output) == 40
    with pytest.raises(sav.InputError, match="nothing to go on"):
        list(studio.go_on(ME))


def test_a_style_picture(studio: Studio, mine: str) -> None:
    """The tests' model cannot take one, and says so."""
    picture = PIL.Image.fromarray(np.full((20, 30, 3), 200, np.uint8))
    with pytest.raises(sav.InputError, match="picture"):
        studio.preview(ME, mine, "", QUICK | {"style_image": picture})
    assert [path.suffix for path in studio.sessions.folder(ME).iterdir()] == [".png"]


def test_what_is_refused_is_told_in_words(studio: Studio, mine: str, clip: Callable[..., Path], tmp_path: Path) -> None:
    text, large = tmp_path / "notes.mp4", tmp_path / "large.mp4"
    text.write_text("no film\n" * 9)
    large.write_bytes(b"\0" * 2_000_000)
    long = clip("long.mp4", count=8, rate=1)
    for path, settings, words in [
        (None, {}, "no clip yet"),
        (mine, {"size": 128}, "64 is the most"),
        (mine, {"strength": 3.0}, "strength is 3.0"),
        (str(text), {}, "notes.mp4"),
        (str(large), {}, "2 MB: give one of 1 MB"),
        (str(long), {}, "lasts 8 seconds: cut it to 5"),
    ]:
        if path:
            studio.sessions.note_upload(path, ME)
        for ask in (studio.preview, lambda *given: list(studio.start(*given))):
            with pytest.raises(sav.InputError, match=words) as caught:
                ask(ME, path, "a cat", QUICK | settings)
            assert str(tmp_path) not in str(caught.value)
    with pytest.raises(sav.InputError, match="drop it again"):
        studio.preview("b" * 32, mine, "a cat", QUICK)
