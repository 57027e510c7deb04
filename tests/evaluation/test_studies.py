"""evaluate, compare and ablate: what they write, and what they refuse."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import style_a_video as sav
from style_a_video.cli.compare import METHODS
from style_a_video.evaluation import studies
from style_a_video.evaluation.clips import read_clip
from style_a_video.evaluation.encoders import bundled_encoder
from style_a_video.evaluation.methods import output_stem
from style_a_video.models.loading import load_refiner
from tests.conftest import moving_photograph, moving_picture, write_clip

PENCIL = "Make it a pencil drawing."


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


@pytest.mark.slow
def test_every_built_in_method_runs_on_the_bundled_model(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", moving_photograph("rocket", 2, 64, 48))
    pipeline = sav.load_pipeline("bundled", device="cpu", dtype=torch.float32)
    clips = [read_clip(path, 48, 2)]
    study = studies.Study(
        clips, [PENCIL], pipeline, load_refiner(), bundled_encoder(pipeline), "bundled", tmp_path / "r"
    )
    page, cells = studies.compare(study)
    assert [cell.error for cell in cells] == [""] * 13
    # Every method that is not given the frame's pixels by definition changes it; none gives another's picture.
    assert len({round(cell.means["style"] or 0, 6) for cell in cells}) == 13
    assert page.stat().st_size > 50_000


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


def test_the_command_line_offers_every_method(study: studies.Study) -> None:
    assert [method.name for method in studies.built_in_methods(study)] == list(METHODS)
