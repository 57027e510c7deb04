"""A plan is made without a model, and says what would go wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import style_a_video as sav
from style_a_video.errors import InputError
from style_a_video.plan import plan_job


def test_a_plan_knows_the_files_and_the_frames(clip: Callable[..., Path], tmp_path: Path) -> None:
    plan = plan_job(clip(count=25), "a cat", tmp_path / "out.mp4", start_s=0.2, end_s=0.6, seed=3)
    assert (plan.output, plan.record) == (tmp_path / "out.mp4", tmp_path / "out.mp4.json")
    assert plan.frame_count == plan.frames_in_span == 10
    assert plan.settings.seed == 3
    preview = plan_job(clip(count=25), "a cat", tmp_path / "out.mp4", preview=True)
    assert (preview.output, preview.frame_count) == (tmp_path / "out.png", 1)


def test_a_record_in_the_way_is_told(clip: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "out.mp4.json").touch()
    with pytest.raises(sav.InputError, match="exists already"):
        plan_job(clip(), "a cat", tmp_path / "out.mp4")
    plan_job(clip(), "a cat", tmp_path / "out.mp4", overwrite=True)


def test_a_given_pipeline_needs_no_model_of_that_name(
    clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline
) -> None:
    result = sav.stylize(
        clip(count=1), "a cat", tmp_path / "o.png", pipeline=pipeline, model="./gone", size=32, num_inference_steps=1
    )
    assert result.frames == 1


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("nothere/../in.mp4", "exists already"),
        ("-", "cannot be a pipe"),
        ("夏" * 100 + ".mp4", "File name too long"),
        ("a\udcffb.mp4", "not UTF-8"),
    ],
)
def test_odd_output_names(
    clip: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, message: str
) -> None:
    source = clip()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        plan_job(source, "a sketch", output)


def test_a_long_name_that_the_disk_takes(clip: Callable[..., Path], tmp_path: Path) -> None:
    from style_a_video.atomic import atomic_path

    target = tmp_path / ("夏" * 80 + ".mp4")
    with atomic_path(target) as partial:
        partial.write_text("film")
    assert target.read_text() == "film"
