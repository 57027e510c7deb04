"""evaluate, compare and ablate: runs go on, kept cells belong to the model as it is, failures are rows, mismatches are said."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from torch import Tensor

import style_a_video as sav
from style_a_video.demo import demo_clip
from style_a_video.evaluation import methods, studies
from style_a_video.evaluation.ablation import groups
from style_a_video.evaluation.cells import Cell, cell_key, model_fingerprint
from style_a_video.evaluation.clips import Clip, read_clip, tensor_of
from style_a_video.evaluation.encoders import bundled_encoder
from style_a_video.evaluation.heatmaps import coloured
from style_a_video.evaluation.methods import Method, output_stem
from style_a_video.evaluation.plots import curves
from style_a_video.evaluation.tables import as_markdown, table
from style_a_video.models.loading import load_refiner

from ..conftest import moving_picture, tiny_pipeline, write_clip

PENCIL = "Make it a pencil drawing."


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny pipeline, saved with settings that suit a test."""
    folder = tmp_path_factory.mktemp("model")
    pipeline = tiny_pipeline()
    pipeline.register_to_config(
        sampling_defaults={"size": 32, "num_inference_steps": 1, "guidance_scale": 1.5, "image_guidance_scale": 1.0}
    )
    pipeline.save_pretrained(folder)
    return folder


def test_evaluate_writes_what_it_measured(tmp_path: Path, clip: Callable[..., Path], model: Path) -> None:
    source, output = clip("in.mp4", 4, 64, 48), clip("out.mp4", 4, 32, 24)
    found, written = studies.evaluate(source, output, PENCIL, str(model))
    record = json.loads(written[0].read_text())
    assert record["means"] == found.means()
    assert len(record["frames"]["warp_error_short"]) == 4
    assert record["encoder"].startswith("φ of")
    assert record["size"] == [32, 24]
    assert [path.name for path in written[1:]] == ["out.mp4.evaluation.csv", "out.mp4.heatmaps.png"]
    with written[1].open() as file:
        rows = list(csv.DictReader(file))
    assert [row["frame"] for row in rows] == ["0", "1", "2", "3"]
    assert rows[0]["warp_error_short"] == ""
    assert [float(row["style"]) for row in rows] == record["frames"]["style"]
    assert {row["encoder"] for row in rows} == {found.encoder}


MISMATCHES: dict[str, tuple[dict[str, Any], str]] = {
    "length": ({"count": 3}, "has 3 frames"),
    "shape": ({"width": 32, "height": 48}, "another shape"),
    "rate": ({"rate": 30}, "frames/s"),
}


@pytest.mark.parametrize("kind", MISMATCHES)
def test_videos_that_do_not_belong_together(clip: Callable[..., Path], model: Path, kind: str) -> None:
    changed, message = MISMATCHES[kind]
    source = clip("in.mp4", 4, 64, 48)
    output = clip("out.mp4", **({"count": 4, "width": 64, "height": 48} | changed))
    with pytest.raises(sav.InputError, match=message):
        studies.evaluate(source, output, PENCIL, str(model))
    assert not list(output.parent.glob("*.json"))


@pytest.fixture
def study(tmp_path: Path, model: Path) -> studies.Study:
    paths = [write_clip(tmp_path / f"{name}.mp4", moving_picture(4, 48, 32)) for name in ("first", "second")]
    return studies.prepare(paths, [PENCIL], tmp_path / "report", 3, str(model))


def test_compare_tells_of_a_broken_output_and_goes_on(study: studies.Study, tmp_path: Path) -> None:
    outputs = tmp_path / "theirs"
    outputs.mkdir()
    write_clip(outputs / f"{output_stem('first', PENCIL)}.mp4", moving_picture(4, 48, 32))
    (outputs / f"{output_stem('second', PENCIL)}.mp4").write_text("no video")
    page, cells = studies.compare(study, {"Theirs": outputs}, ["Style-A-Video", "SDEdit", "SDEdit + refiner"])
    assert [(cell.method, cell.clip) for cell in cells if cell.error] == [("Theirs", "second")]
    markdown = (page.parent / "report.md").read_text()
    assert "Theirs (failed in 1 of 2)" in markdown
    assert "is not a video" in markdown.lower()
    assert "**" in markdown
    with (page.parent / "cells.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    assert sum(bool(row["error"]) for row in rows) == 1

    # Again: what is there is taken; outputs from files are measured anew.
    def times() -> dict[Path, int]:
        kept = [path for path in study.work.glob("*.json") if json.loads(path.read_text())["method"] != "Theirs"]
        return {path: path.stat().st_mtime_ns for path in kept}

    before = times()
    assert len(before) == 6
    studies.compare(study, {"Theirs": outputs}, ["Style-A-Video", "SDEdit", "SDEdit + refiner"])
    assert times() == before


def test_the_page_of_a_comparison_plays(study: studies.Study, browser: Any) -> None:
    path, _ = studies.compare(study, only=["Style-A-Video", "SDEdit"])
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    videos = "[...document.querySelectorAll('video')]"
    page.wait_for_function(f"() => {videos}.length === 6 && {videos}.every(v => v.readyState >= 2)")
    page.locator("text=play").first.click()
    page.wait_for_function(f"() => {videos}.slice(0, 3).every(v => v.currentTime > 0)")
    assert page.evaluate("() => [...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert said == []
    page.close()


def test_every_built_in_method_runs_on_the_bundled_model(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", demo_clip(2, 64, 48).frames)
    pipeline = sav.load_pipeline("bundled", device="cpu", dtype=torch.float32)
    clips = [read_clip(path, 48, 2)]
    study = studies.Study(
        clips, [PENCIL], pipeline, studies.load_refiner(), bundled_encoder(pipeline), "bundled", tmp_path / "r"
    )
    page, cells = studies.compare(study)
    assert [cell.error for cell in cells] == [""] * 13
    # Every method that is not given the frame's pixels by definition changes it; none gives another's picture.
    assert len({round(cell.means["style"] or 0, 6) for cell in cells}) == 13
    assert page.stat().st_size > 50_000


def test_ablation_changes_one_thing_at_a_time(study: studies.Study) -> None:
    defaults = study.pipeline.defaults()
    for title, rows in groups(defaults).items():
        if title[:3] in ("s_T", "s_I", "s_M", "λ: "):
            names = {name for row in rows.values() for name in row} - {"keyframe_interval", "refine"}
            assert len(names) == 1
            assert len({json.dumps(row, sort_keys=True) for row in rows.values()}) == len(rows)
    assert len(groups(defaults)["conditions on and off (independent guidance)"]) == 8
    page, cells = studies.ablate(study)
    assert not any(cell.error for cell in cells)
    told = (page.parent / "report.md").read_text()
    assert "Changed: guidance_scale. Held fixed: " in told
    assert re.search(r"## s_T: guidance_scale\n\n[^#]*\bimage_guidance_scale 1\.0\b[^#]*\bkeyframe_interval 1\b", told)
    assert len(cells) == 2 * sum(map(len, groups(defaults).values()))
    # Equal settings are computed once, in however many groups and words: these rows are all the plain job's.
    plain = ["s_T = 1.5", "s_I = 1", "s_M = 0", "λ = 0", "joint", "neither", "shared noise"]
    same = {name: [cell for cell in cells if cell.method == name] for name in plain}
    assert len({json.dumps([found.means for found in row]) for row in same.values()}) == 1
    assert len({found.video for found in same["joint"]}) == 2
    assert len(list(study.work.glob("*.json"))) < len(cells) - 10
    assert "s_T = 1.5" in (page.parent / "report.md").read_text()


def test_a_sweep_is_drawn_over_its_values() -> None:
    rows = table([cell(f"s = {value}", "a", value) for value in (0.0, 1.0, 3.0)])
    drawn = {drop: curves(rows, {"s = 0.0": 0.0, "s = 1.0": 1.0, "s = 3.0": drop}) for drop in (3.0, 9.0)}
    sizes = {PIL.Image.open(io.BytesIO(found)).size for found in drawn.values()}
    assert len(sizes) == 1
    assert drawn[3.0] != drawn[9.0]


def test_a_clip_is_embedded_once(study: studies.Study) -> None:
    asked: list[int] = []

    def images(pictures: Tensor) -> Tensor:
        asked.append(len(pictures))
        return pictures.flatten(1)[:, :8]

    counting = replace(study.encoder, images=images)
    first, again = (study.clips[0].embedding(1, counting) for _ in range(2))
    assert torch.equal(first, again)
    assert asked == [1]


def cell(method: str, clip: str, value: float, encoder: str = "φ", error: str = "") -> Cell:
    return Cell(method, clip, PENCIL, encoder, {} if error else {"warp_error": value, "style": value}, error)


def test_tables_rank_and_give_confidence() -> None:
    values = {"one": (0.1, 0.2, 0.3), "two": (0.2, 0.3, 0.4), "three": (0.3, 0.4, 0.5)}
    rows = table([cell(name, f"clip {k}", v) for name, row in values.items() for k, v in enumerate(row)])
    assert [row.entries["warp_error"].rank for row in rows] == [1, 2, 0]
    assert [row.entries["style"].rank for row in rows] == [0, 2, 1]
    # Every method is 0.1 above the next on every clip: of their order there is no doubt.
    assert rows[0].entries["style"].half_width == pytest.approx(0, abs=1e-9)
    assert "**0.2000 ± 0.0000**" in as_markdown(rows)
    # One method alone: t(0.975, 2) = 4.3027; deviation 0.1.
    alone = table([cell("one", f"clip {k}", v) for k, v in enumerate(values["one"])])
    assert alone[0].entries["style"].half_width == pytest.approx(4.30265 * 0.1 / np.sqrt(3), rel=1e-4)
    with pytest.raises(sav.InputError, match="cannot stand in one table"):
        table([cell("one", "a", 0.1), cell("one", "b", 0.1, "CLIP x")])
    failed = table(
        [cell("one", "a", 0.1), cell("one", "b", 0, error="broken")]
        + [cell(name, where, value) for name, value in (("two", 0.2), ("three", 0.3)) for where in "ab"]
    )
    assert [row.entries["warp_error"].rank for row in failed] == [0, 1, 2]


def test_a_row_that_failed_somewhere_has_an_interval_of_its_own() -> None:
    """How clips differ was found from the rows that have them all: it is not taken out of one that was not among them."""
    values = {"two": (0.1, 0.5, 0.9), "three": (0.2, 0.7, 0.9)}
    cells = [cell(name, where, v) for name, row in values.items() for where, v in zip("abc", row, strict=True)]
    short = [cell("one", "a", 0.1), cell("one", "b", 0.3), cell("one", "c", 0, error="broken")]
    half = table(cells + short)[2].entries["style"].half_width
    assert half == pytest.approx(table(short)[0].entries["style"].half_width)
    assert half == pytest.approx(12.7062 * np.std([0.1, 0.3], ddof=1) / np.sqrt(2), rel=1e-4)


def test_intervals_within_clips_against_numpy() -> None:
    """Cousineau's, with Morey's correction, by a loop over a table of 4 methods x 5 clips."""
    values = np.random.default_rng(0).normal(size=(4, 5)) + np.array([0.0, 5, -3, 8, 1])
    rows = table([cell(f"m{i}", f"c{j}", float(values[i, j])) for i in range(4) for j in range(5)])
    for i, row in enumerate(rows):
        left = [values[i, j] - values[:, j].mean() + values.mean() for j in range(5)]
        deviation = np.std(left, ddof=1) * np.sqrt(4 / 3)
        assert row.entries["style"].half_width == pytest.approx(2.776445 * deviation / np.sqrt(5), rel=1e-5)
        assert row.entries["style"].mean == pytest.approx(values[i].mean())


def test_what_prints_alike_ranks_alike() -> None:
    values = {"one": 0.5001, "two": 0.5003, "three": 0.4, "four": 0.3}
    rows = table([cell(name, "clip", value) for name, value in values.items()])
    assert [row.entries["style"].rank for row in rows] == [1, 1, 0, 0]
    rows = table([cell(name, "clip", value) for name, value in {"a": 0.5, "b": 0.4001, "c": 0.4003}.items()])
    assert [row.entries["style"].rank for row in rows] == [1, 2, 2]


def test_what_cannot_be_studied(study: studies.Study, tmp_path: Path, model: Path) -> None:
    path = tmp_path / "first.mp4"
    for arguments, message in (
        (([], [PENCIL], tmp_path / "r", 3), "give one clip"),
        (([path], [" "], tmp_path / "r", 3), "prompt is empty"),
        (([path], [PENCIL], tmp_path / "r", 1), "--frames"),
        (([path, path], [PENCIL], tmp_path / "r", 3), "same file name"),
        (([path], [PENCIL], path, 3), "is a file"),
    ):
        with pytest.raises(sav.InputError, match=message):
            studies.prepare(*arguments, str(model))
    with pytest.raises(sav.InputError, match="choose from 'Style-A-Video', 'InstructPix2Pix'"):
        studies.compare(study, only=["Gen-1"])
    with pytest.raises(sav.InputError, match="no such folder"):
        studies.compare(study, {"Theirs": tmp_path / "nowhere"})


def test_a_method_that_fails_is_a_row(study: studies.Study) -> None:
    def fail(_clip: Clip, _prompt: str) -> Tensor:
        raise sav.InputError("it has no legs")

    cells = studies.fill_cells(
        study.work,
        [Method("lame", fail, {"x": 1})],
        study.clips,
        study.prompts,
        study.encoder,
        study.pipeline,
        study.refiner,
    )
    assert [cell.error for cell in cells] == ["it has no legs"] * 2
    assert not list(study.work.glob("*.json"))


def fill(study: studies.Study, *methods: Method) -> list[Cell]:
    return studies.fill_cells(
        study.work, methods, study.clips, study.prompts, study.encoder, study.pipeline, study.refiner
    )


def test_a_kept_cell_belongs_to_the_model_as_it_is(study: studies.Study) -> None:
    """Same settings, other weights of the first stage, other defaults of the model: nothing old is shown."""
    method = methods.ours(study.pipeline, study.refiner)
    first = fill(study, method)
    assert fill(study, method) == first
    kept = len(list(study.work.glob("*.json")))
    study.pipeline.register_to_config(
        sampling_defaults=study.pipeline.config.sampling_defaults | {"guidance_scale": 6.0}
    )
    changed = fill(study, method)
    assert len(list(study.work.glob("*.json"))) == 2 * kept
    assert [cell.means["style"] for cell in changed] != [cell.means["style"] for cell in first]
    with torch.no_grad():
        study.pipeline.vae.decoder.conv_out.bias += 0.3
    fill(study, method)
    assert len(list(study.work.glob("*.json"))) == 3 * kept
    # The scale of a first stage is no weight, yet changes pictures.
    study.pipeline.vae.register_to_config(scaling_factor=0.5)
    fill(study, method)
    assert len(list(study.work.glob("*.json"))) == 4 * kept
    # What is not whole is made again.
    for path in study.work.glob("*.mp4"):
        path.unlink()
    next(study.work.glob("*.json")).write_text("{")
    assert all(cell.means for cell in fill(study, method))


def test_a_model_that_was_moved_is_the_same_model(model: Path, tmp_path: Path) -> None:
    folders = model, Path(shutil.copytree(model, tmp_path / "moved"))
    clip = Clip("clip", np.zeros((2, 8, 8, 3), np.uint8), Fraction(10), [0, 0])
    keys = []
    for folder in folders:
        pipeline = sav.load_pipeline(folder, device="cpu")
        judge = bundled_encoder(pipeline, str(folder))
        fingerprint = model_fingerprint(pipeline, load_refiner())
        keys.append(cell_key(Method("copy", lambda clip, prompt: clip, {"x": 1}), clip, PENCIL, judge, fingerprint))
    assert keys[0] == keys[1]


def test_a_stopped_study_goes_on(study: studies.Study) -> None:
    calls: list[str] = []

    def run(clip: Clip, _prompt: str) -> Tensor:
        calls.append(clip.name)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return tensor_of(clip.pixels)

    method = Method("copy", run, {"x": 1})
    with pytest.raises(KeyboardInterrupt):
        fill(study, method)
    cells = fill(study, method)
    assert calls == ["first", "second", "second"]
    assert not any(cell.error for cell in cells)


def test_an_unforeseen_failure_is_a_row_too(study: studies.Study) -> None:
    cells = fill(study, Method("wrong shape", lambda clip, _: tensor_of(clip.pixels)[:, :, :8], {"x": 2}))
    assert all("is wanted" in cell.error for cell in cells)
    cells = fill(study, Method("broken", lambda *_: {}["legs"], {"x": 3}))
    assert all("KeyError" in cell.error for cell in cells)


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"count": 6}, "has 6 frames"), ({"rate": 30}, "frames/s"), ({"width": 32, "height": 48}, "another shape")],
)
def test_outputs_that_do_not_belong_to_the_clip(
    study: studies.Study, clip: Callable[..., Path], changed: dict[str, int], message: str
) -> None:
    stem = output_stem("first", PENCIL)
    path = clip(f"{stem}.mp4", **({"count": 4, "width": 48, "height": 32} | changed))
    with pytest.raises(sav.InputError, match=message):
        methods.from_outputs("Theirs", path.parent).run(study.clips[0], PENCIL)


def test_outputs_are_read_anew_and_cost_nothing_that_is_told(study: studies.Study, clip: Callable[..., Path]) -> None:
    stem = output_stem("first", PENCIL)
    path = clip(f"{stem}.mp4", count=3, width=48, height=32)
    (path.parent / f"{stem}.json").write_text("no video, and first in the alphabet")
    method = methods.from_outputs("Theirs", path.parent)
    one = fill(study, method)[0]
    assert one.means["seconds"] is None
    assert one.means["content"] == pytest.approx(1, abs=1e-3)
    write_clip(path, 255 - moving_picture(3, 48, 32))
    assert fill(study, method)[0].means["content"] != one.means["content"]


def test_heat_maps_are_the_mean_of_the_differences(study: studies.Study) -> None:
    """A picture that is black and 0.2 grey in turn: everywhere trusted, to the frame before it differs by 0.2."""
    pixels = np.zeros((3, 32, 48, 3), np.uint8)
    pixels[1] = 51
    still = Clip("still", np.full_like(pixels, 90), study.clips[0].rate, [0, 0, 0])
    cells = studies.fill_cells(
        study.work,
        [Method("blink", lambda *_: tensor_of(pixels), {})],
        [still],
        [PENCIL],
        study.encoder,
        study.pipeline,
        study.refiner,
    )
    assert cells[0].means["warp_error_short"] == pytest.approx(0.2)
    assert cells[0].means["warp_error_long"] == pytest.approx(0.1)
    picture = np.asarray(PIL.Image.open(study.work / cells[0].heat_map))
    np.testing.assert_array_equal(picture[16, 20], coloured(np.array([[0.2]]))[0, 0])
    np.testing.assert_array_equal(picture[16, 70], coloured(np.array([[0.1]]))[0, 0])
    rows = np.asarray(PIL.Image.open(study.work / cells[0].time_slice))
    assert rows[:, 10, 0].tolist() == [0] * 8 + [51] * 8 + [0] * 8


def test_values_that_are_no_numbers_are_a_row_that_failed(study: studies.Study) -> None:
    """And leave the other rows as they are without it."""
    good = Method("good", lambda clip, _: tensor_of(clip.pixels), {"good": 1})
    bad = Method("bad", lambda clip, _: torch.full_like(tensor_of(clip.pixels), torch.nan), {"bad": 1})
    arguments = (study.clips, [PENCIL], study.encoder, study.pipeline, study.refiner)
    alone, both = (table(studies.fill_cells(study.work, some, *arguments)) for some in ([good], [good, bad]))
    assert both[1].errors == ("it made values that are no numbers",)
    assert both[0].entries == alone[0].entries


def test_cross_frame_attention_sees_the_first_frame(study: studies.Study) -> None:
    """Peers differ after the first frame alone."""
    study.pipeline.register_to_config(
        sampling_defaults=study.pipeline.config.sampling_defaults | {"guidance_scale": 4.0}
    )
    plain, across = (
        methods.instruct_pix2pix(study.pipeline, cross).run(study.clips[0], PENCIL) for cross in (False, True)
    )
    first, later = ((plain[k] - across[k]).abs().mean() for k in (0, 2))
    assert first < 1e-5
    assert later > 100 * first
    assert later > 1e-4
