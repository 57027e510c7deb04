"""The job: video in, video and record out, on a tiny random model."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
import pytest

import style_a_video as sav
from style_a_video.job import Stopped, Watcher, run_job
from style_a_video.plan import plan_job
from style_a_video.settings import INSTRUCT_PIX2PIX_DEFAULTS, Settings
from style_a_video.video import VideoReader
from tests.conftest import packets, times

QUICK: dict[str, Any] = {"num_inference_steps": 1, "size": 32}


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_output_keeps_count_times_and_sound(
    clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline, batch_size: int
) -> None:
    source = clip(count=7, rate=Fraction(30000, 1001), time_base=Fraction(1, 30000), audio="aac")
    result = sav.stylize(
        source, "a pencil drawing", tmp_path / "out.mp4", pipeline=pipeline, batch_size=batch_size, **QUICK
    )
    assert result.frames == 7
    assert times(result.output) == times(source)
    assert packets(source, "audio") == packets(result.output, "audio")
    assert result.working_size == result.output_size == (42, 32)


def test_frames_are_the_pipelines(clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline) -> None:
    """A folder of PNGs loses nothing, so the job's frames can be compared to a direct call."""
    import torch

    source = clip(count=5)
    sav.stylize(
        source, "a cat", tmp_path / "frames", pipeline=pipeline, seed=3, batch_size=2, keyframe_interval=1,
        refine=False, **QUICK,
    )  # fmt: skip
    written = np.stack([np.asarray(PIL.Image.open(path)) for path in sorted((tmp_path / "frames").iterdir())])
    inputs = np.stack([frame.pixels for frame in VideoReader(source).frames((42, 32))])
    direct = pipeline("a cat", inputs, num_inference_steps=1, generator=torch.Generator().manual_seed(3)).frames
    assert np.abs(written.astype(float) - direct * 255).max() <= 1.0


def test_record_makes_it_again(clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline) -> None:
    source = clip(count=2)
    first = sav.stylize(source, "a cat", tmp_path / "a", pipeline=pipeline, seed=5, guidance_scale=2.5, **QUICK)
    record = json.loads(first.record.read_text())
    assert record["prompt"] == "a cat"
    assert record["settings"]["guidance_scale"] == 2.5
    assert record["settings"]["image_guidance_scale"] == pipeline.defaults()["image_guidance_scale"]
    assert set(record["versions"]) >= {"style-a-video", "torch", "diffusers", "python"}
    again = sav.stylize(record["input"], record["prompt"], tmp_path / "b", pipeline=pipeline, **record["settings"])
    for one, two in zip(sorted(first.output.iterdir()), sorted(again.output.iterdir()), strict=True):
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(("width", "height"), [(63, 47), (48, 101), (17, 16)])
def test_odd_sizes(
    clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline, width: int, height: int
) -> None:
    source = clip(width=width, height=height, pix_fmt="yuv444p", count=2)
    result = sav.stylize(source, "a cat", tmp_path / "out.mp4", pipeline=pipeline, output_size="source", **QUICK)
    info = VideoReader(result.output).info
    assert (info.width, info.height) == (width, height) == result.output_size


def test_span_and_preview(clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline) -> None:
    source = clip(count=25)
    cut = sav.stylize(source, "a cat", tmp_path / "cut.mp4", pipeline=pipeline, start_s=0.2, end_s=0.6, **QUICK)
    assert cut.frames == 10
    preview = sav.stylize(source, "a cat", tmp_path / "look.mp4", pipeline=pipeline, preview=True, **QUICK)
    assert preview.output == tmp_path / "look.png"
    assert PIL.Image.open(preview.output).size == (42, 32)
    assert not (tmp_path / "look.mp4").exists()


def test_single_image(tmp_path: Path, pipeline: sav.StyleAVideoPipeline) -> None:
    PIL.Image.new("RGB", (50, 40), "red").save(tmp_path / "one.png")
    for name in ("out.png", "out.jpg", "out.mp4"):
        assert sav.stylize(tmp_path / "one.png", "a cat", tmp_path / name, pipeline=pipeline, **QUICK).frames == 1


def test_gif_and_folder(tmp_path: Path, pipeline: sav.StyleAVideoPipeline) -> None:
    images = [PIL.Image.new("RGB", (50, 40), (40 * k, 90, 10)) for k in range(4)]
    images[0].save(tmp_path / "in.gif", save_all=True, append_images=images[1:], duration=80)
    (tmp_path / "frames").mkdir()
    for k, image in enumerate(images):
        image.save(tmp_path / "frames" / f"{k}.png")
    for source in ("in.gif", "frames"):
        result = sav.stylize(tmp_path / source, "a cat", tmp_path / f"{source}.mp4", pipeline=pipeline, **QUICK)
        assert result.frames == len(times(result.output)) == 4


def test_progress_is_told(clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline) -> None:
    told: list[tuple[int, int]] = []
    sav.stylize(
        clip(count=4),
        "a cat",
        tmp_path / "o.mp4",
        pipeline=pipeline,
        on_progress=lambda *done: told.append(done),
        **QUICK,
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4), (4, 4)]


def test_a_full_disk_is_one_line_and_leaves_nothing(
    clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = clip(count=4)
    before = set(tmp_path.iterdir())

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("style_a_video.video.writer._VideoWriter.write", full)
    with pytest.raises(sav.InputError, match="No space left"):
        sav.stylize(source, "a cat", tmp_path / "o.mp4", pipeline=pipeline, **QUICK)
    assert set(tmp_path.iterdir()) == before


def test_record_of_a_given_pipeline_names_its_model(
    clip: Callable[..., Path], tmp_path: Path, tiny_folder: Path
) -> None:
    pipeline = sav.load_pipeline(tiny_folder)
    result = sav.stylize(clip(), "a cat", tmp_path / "o.mp4", pipeline=pipeline, preview=True, **QUICK)
    record = json.loads(result.record.read_text())
    assert record["settings"]["model"] == str(tiny_folder)
    assert record["preview"] is True
    again = sav.stylize(
        record["input"], record["prompt"], tmp_path / "p.mp4", preview=record["preview"], **record["settings"]
    )
    assert again.output.read_bytes() == result.output.read_bytes()


def test_ctrl_c_leaves_nothing(clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline) -> None:
    source = clip(count=6, audio="aac")
    before = set(tmp_path.iterdir())

    def interrupt(done: int, _total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sav.stylize(
            source, "a cat", tmp_path / "out.mp4", pipeline=pipeline, on_progress=interrupt, batch_size=2, **QUICK
        )
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 8}, "32 or more"),
        ({"batch_size": 0}, "1 or more"),
        ({"seed": 10**25}, "seed is"),
        ({"num_inference_steps": 2000}, "at the most"),
        ({"output_size": "huge"}, "choose 'working' or 'source'"),
        ({"noise": "pink"}, "choose 'shared', 'warped' or 'independent'"),
        ({"flow": "guess"}, "choose from dis"),
        ({"refine": "yes"}, "refine is 'yes'"),
        ({"start_s": 99.0}, "past the end"),
        ({"start_s": 0.1, "end_s": 0.05}, "later end"),
        ({"start_s": float("nan")}, "finite"),
        ({"colour": 3}, "unknown setting 'colour'"),
        ({"guidance_scale": float("inf")}, "guidance_scale is inf"),
        ({"guidance_scale": np.float32("nan")}, "guidance_scale is"),
        ({"guidance_scale": "7"}, "finite number"),
        ({"num_inference_steps": 1.5}, "whole number"),
        ({"seed": 1.5}, "whole number"),
        ({"size": "96"}, "whole number"),
        ({"mask_refresh": "never"}, "'exact' or 'lagged'"),
    ],
)
def test_bad_settings(
    clip: Callable[..., Path],
    tmp_path: Path,
    pipeline: sav.StyleAVideoPipeline,
    settings: dict[str, Any],
    message: str,
) -> None:
    source = clip()
    before = set(tmp_path.iterdir())
    with pytest.raises(sav.InputError, match=message):
        sav.stylize(source, "a cat", tmp_path / "new" / "out.mp4", pipeline=pipeline, **QUICK | settings)
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "settings",
    [
        {"noise": "shared", "keyframe_interval": 1},
        {"noise": "independent", "keyframe_interval": 1},
        {"noise": "warped", "keyframe_interval": 3},
        {"anchor": True, "keyframe_interval": 2},
        {"anchor": True, "keyframe_interval": 1, "refine": False},
    ],
)
def test_the_batch_size_does_not_matter(
    clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline, settings: dict[str, Any]
) -> None:
    source = clip(count=11)
    pictures = []
    for batch_size in (1, 9):
        folder = tmp_path / str(batch_size)
        sav.stylize(source, "a cat", folder, pipeline=pipeline, batch_size=batch_size, **QUICK, **settings)
        pictures.append([np.asarray(PIL.Image.open(path)).astype(int) for path in sorted(folder.iterdir())])
    assert np.abs(np.stack(pictures[0]) - np.stack(pictures[1])).max() <= 1


def test_raft_without_torchvision_is_refused_before_anything_is_made(
    clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("style_a_video.dependencies.find_spec", lambda _: None)
    with pytest.raises(sav.InputError, match="torchvision"):
        sav.stylize(clip(), "a cat", tmp_path / "new" / "out.mp4", pipeline=pipeline, flow="raft", **QUICK)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("given", "interval"),
    [({}, 8), ({"fast": True}, 1), ({"fast": True, "keyframe_interval": 4}, 4), ({"keyframe_interval": 2}, 2)],
)
def test_the_fast_mode_leaves_keyframes_out_unless_asked_for(given: dict[str, Any], interval: int) -> None:
    assert Settings(**given).resolve(INSTRUCT_PIX2PIX_DEFAULTS).keyframe_interval == interval


def test_a_job_that_is_asked_to_stop_keeps_what_is_finished_and_goes_on(
    tmp_path: Path, clip: Callable[..., Path], pipeline: sav.StyleAVideoPipeline
) -> None:
    """A playable part at once, and later the frames of a job that was never stopped."""
    source = clip(count=40, width=64, height=48, audio="aac")
    undisturbed, output = tmp_path / "undisturbed.mp4", tmp_path / "out.mp4"
    settings: dict[str, Any] = QUICK | {"seed": 3, "size": 48}
    expected: list[Any] = []
    run_job(plan_job(source, "a pencil drawing", undisturbed, **settings), pipeline, Watcher(on_frame=expected.append))
    seen: list[Any] = []
    plan = plan_job(source, "a pencil drawing", output, **settings)
    with pytest.raises(Stopped) as caught:
        run_job(plan, pipeline, Watcher(on_frame=seen.append, wants_stop=lambda: len(seen) >= 10))
    partial = caught.value.partial
    assert partial == tmp_path / "out.partial.mp4"
    assert not output.exists()
    with av.open(str(partial)) as container:
        shown = sum(1 for _ in container.decode(video=0))
        assert container.streams.audio
    assert 10 <= shown < 40
    assert shown == len(seen)
    assert seen[0].shape == (48, 64, 3)
    run_job(plan, pipeline, Watcher(on_frame=seen.append))
    np.testing.assert_array_equal(seen, expected)
    assert times(output) == times(undisturbed)
