"""The job: video in, video and record out, on a tiny random model."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import style_a_video as sav
from style_a_video.job import Settings, stylized_frames, with_noise, working_size
from style_a_video.temporal import Refiner, dis_flow, with_motion
from style_a_video.video import ShotDetector, VideoFrame, VideoReader

from .conftest import packets, times

QUICK = {"num_inference_steps": 1, "size": 32}


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
    sav.stylize(source, "a cat", tmp_path / "frames", pipeline=pipeline, seed=3, batch_size=2, **QUICK)
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


def test_working_size() -> None:
    def info(width: int, height: int) -> sav.video.VideoInfo:
        return sav.video.VideoInfo(Path(), width, height, 1, Fraction(25), Fraction(1, 25), (), 0.04)

    assert working_size(info(960, 506), 256) == (486, 256)
    assert working_size(info(288, 512), 256) == (256, 456)
    assert working_size(info(640, 360), 360) == (640, 360)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 8}, "between 32"),
        ({"batch_size": 0}, "1 or more"),
        ({"seed": 10**25}, "seed is"),
        ({"num_inference_steps": 2000}, "at the most"),
        ({"output_size": "huge"}, "working or source"),
        ({"start_s": 99.0}, "past the end"),
        ({"start_s": 0.1, "end_s": 0.05}, "span"),
        ({"start_s": float("nan")}, "span"),
        ({"colour": 3}, "unknown setting 'colour'"),
        ({"guidance_scale": float("inf")}, "guidance_scale is inf"),
        ({"guidance_scale": np.float32("nan")}, "guidance_scale is"),
        ({"guidance_scale": "7"}, "finite number"),
        ({"num_inference_steps": 1.5}, "whole number"),
        ({"seed": 1.5}, "whole number"),
        ({"size": "96"}, "whole number"),
        ({"mask_refresh": "never"}, "exact, lagged"),
    ],
)
def test_bad_settings(
    clip: Callable[..., Path],
    tmp_path: Path,
    pipeline: sav.StyleAVideoPipeline,
    settings: dict[str, object],
    message: str,
) -> None:
    source = clip()
    before = set(tmp_path.iterdir())
    with pytest.raises(sav.InputError, match=message):
        sav.stylize(source, "a cat", tmp_path / "new" / "out.mp4", pipeline=pipeline, **QUICK | settings)
    assert set(tmp_path.iterdir()) == before


def noise_fields(pipeline: sav.StyleAVideoPipeline, pictures: np.ndarray, noise: str) -> np.ndarray:
    frames = [VideoFrame(pixels, k) for k, pixels in enumerate(pictures)]
    stream = with_motion(frames, dis_flow(), ShotDetector().begins_shot)
    settings = Settings(noise=noise, seed=4)
    return np.stack([field[0].numpy() for _, _, field in with_noise(pipeline, stream, settings)])


def test_warped_noise_moves_with_the_picture_and_starts_anew_at_a_cut(pipeline: sav.StyleAVideoPipeline) -> None:
    """4 pixels to the right in every frame: two of the tiny model's latent cells."""
    grain = np.random.default_rng(0).integers(60, 110, (24, 60, 3), dtype=np.uint8)
    texture = np.asarray(PIL.Image.fromarray(grain).resize((480, 96), PIL.Image.Resampling.BICUBIC))
    shot = np.stack([texture[:, 200 - 4 * t : 328 - 4 * t] for t in range(4)])
    fields = noise_fields(pipeline, np.concatenate([shot, 255 - shot[:, ::-1]]), "warped")
    cells = 4 // pipeline.vae_scale_factor
    inner = np.s_[:, 8:-8, 16:-16]
    followed = np.corrcoef(fields[3][inner].ravel(), np.roll(fields[0], 3 * cells, axis=2)[inner].ravel())[0, 1]
    stayed = np.corrcoef(fields[3][inner].ravel(), fields[0][inner].ravel())[0, 1]
    assert followed > 0.7
    assert abs(stayed) < 0.15
    np.testing.assert_allclose(fields[4], fields[0], atol=1e-5)
    assert np.abs(fields[5] - fields[4]).max() > 0.1


def test_shared_and_independent_noise(pipeline: sav.StyleAVideoPipeline) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (3, 32, 32, 3), dtype=np.uint8)
    shared, independent = (noise_fields(pipeline, pictures, noise) for noise in ("shared", "independent"))
    assert np.array_equal(shared[0], shared[2])
    assert abs(np.corrcoef(independent[0].ravel(), independent[1].ravel())[0, 1]) < 0.15
    assert np.array_equal(shared[0], independent[0])


@pytest.mark.parametrize("noise", ["shared", "warped", "independent"])
def test_the_batch_size_does_not_matter(
    clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline, noise: str
) -> None:
    source = clip(count=5)
    pictures = []
    for batch_size in (1, 4):
        folder = tmp_path / str(batch_size)
        sav.stylize(source, "a cat", folder, pipeline=pipeline, noise=noise, batch_size=batch_size, **QUICK)
        pictures.append([np.asarray(PIL.Image.open(path)).astype(int) for path in sorted(folder.iterdir())])
    assert np.abs(np.stack(pictures[0]) - np.stack(pictures[1])).max() <= 1


def test_unknown_noise(clip: Callable[..., Path], tmp_path: Path, pipeline: sav.StyleAVideoPipeline) -> None:
    with pytest.raises(sav.InputError, match="choose one of shared, warped, independent"):
        sav.stylize(clip(), "a cat", tmp_path / "out.mp4", pipeline=pipeline, noise="pink", **QUICK)


def test_the_refiner_follows_the_shot_and_stops_at_its_end(pipeline: sav.StyleAVideoPipeline) -> None:
    """An untrained refiner goes half-way back to the frame before: not at the first frame of a shot."""
    import torch

    torch.manual_seed(0)
    refiner = Refiner("warped")
    grain = np.random.default_rng(0).integers(60, 110, (12, 16, 3), dtype=np.uint8)
    picture = np.asarray(PIL.Image.fromarray(grain).resize((64, 48), PIL.Image.Resampling.BICUBIC))
    frames = [
        VideoFrame(pixels, k) for k, pixels in enumerate((picture, picture, picture, 255 - picture, 255 - picture))
    ]
    settings = Settings(noise="independent", num_inference_steps=1, batch_size=2)
    plain, steady = (
        [frame.pixels.astype(float) for frame in stylized_frames(pipeline, frames, "a cat", settings, r)]
        for r in (None, refiner)
    )
    changed = [np.abs(one - other).mean() for one, other in zip(plain, steady, strict=True)]
    assert changed[0] == changed[3] == 0
    assert min(changed[1], changed[2], changed[4]) > 1
    np.testing.assert_allclose(steady[1], (plain[1] + plain[0]) / 2, atol=6)
