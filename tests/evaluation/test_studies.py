"""evaluate, compare and ablate: measures move the right way, runs go on, failures are rows, mismatches are said."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

import style_a_video as sav
from style_a_video.demo import demo_clip
from style_a_video.evaluation import studies
from style_a_video.evaluation.ablation import groups
from style_a_video.evaluation.cells import Cell
from style_a_video.evaluation.classical import adain, gram, teacher
from style_a_video.evaluation.clips import Clip, clip_of, read_clip, tensor_of
from style_a_video.evaluation.encoders import Encoder, bundled_encoder, clip_encoder
from style_a_video.evaluation.measures import measure
from style_a_video.evaluation.methods import Method, output_stem
from style_a_video.evaluation.tables import as_markdown, table

from ..conftest import moving_picture, tiny_pipeline, write_clip

PENCIL = "Make it a pencil drawing."


@pytest.fixture(scope="module")
def scene() -> Clip:
    return clip_of("scene", demo_clip(8, 192, 128).frames)


@pytest.fixture(scope="module")
def judge() -> Encoder:
    return bundled_encoder(sav.load_pipeline("bundled", device="cpu", dtype=torch.float32))


@pytest.fixture(scope="module")
def drawn(scene: Clip) -> Tensor:
    return teacher().run(scene, PENCIL)


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


def means(scene: Clip, output: Tensor, judge: Encoder, prompt: str = PENCIL) -> dict[str, Any]:
    return measure(scene, output.clamp(0, 1), prompt, judge).means()


def test_the_input_itself_has_content_one(scene: Clip, judge: Encoder) -> None:
    found = means(scene, tensor_of(scene.pixels), judge)
    assert found["content"] == pytest.approx(1, abs=1e-5)
    assert found["warp_error"] == pytest.approx(
        found["warp_error_long"] + found["warp_error_short"], abs=1e-9
    )  # fmt: skip


def test_means_are_those_of_the_public_measures(scene: Clip, drawn: Tensor, judge: Encoder) -> None:
    """One shot: E_warp and temporal loss equal `warp_error` and `temporal_loss`, which the tests compare with loops."""
    found, pictures = means(scene, drawn, judge), tensor_of(scene.pixels)
    flow = sav.temporal.dis_flow()
    short, long = sav.evaluation.flows_at_distance(flow, pictures, 1), sav.evaluation.flows_to_first(flow, pictures)
    assert found["warp_error"] == pytest.approx(sav.evaluation.warp_error(drawn, *short, *long), abs=1e-6)
    assert found["temporal_loss_1"] == pytest.approx(sav.evaluation.temporal_loss(drawn, *short), abs=1e-6)
    five = sav.evaluation.flows_at_distance(flow, pictures, 5)
    assert found["temporal_loss_5"] == pytest.approx(sav.evaluation.temporal_loss(drawn, *five), abs=1e-6)


def test_every_measure_moves_the_right_way(scene: Clip, drawn: Tensor, judge: Encoder) -> None:
    rng, good = np.random.default_rng(0), means(scene, drawn, judge)
    gains = torch.from_numpy(rng.uniform(0.8, 1.2, (len(scene), 1, 1, 1)).astype(np.float32))
    flickering = means(scene, drawn * gains, judge)
    assert flickering["warp_error"] > 1.5 * good["warp_error"]
    assert flickering["temporal_loss_1"] > 1.5 * good["temporal_loss_1"]
    blurred = means(scene, torch.from_numpy(gaussian_filter(drawn.numpy(), (0, 0, 2, 2))), judge)
    assert blurred["sharpness"] < 0.2 * good["sharpness"]
    assert blurred["warp_error"] < good["warp_error"]
    wrong = means(scene, teacher().run(scene, "a neon painting"), judge)
    assert wrong["style"] < good["style"]
    shuffled = means(scene, drawn[[3, 6, 0, 7, 1, 5, 2, 4]], judge)
    assert shuffled["warp_error"] > 1.5 * good["warp_error"]
    assert shuffled["temporal_loss_5"] > good["temporal_loss_5"]
    other = means(scene, drawn.flip(-1), judge)
    assert other["content"] < good["content"]


def test_style_ranks_the_right_prompt_first(scene: Clip, judge: Encoder) -> None:
    prompts = (PENCIL, "a neon painting", "a cyanotype", "Make it a linocut.")
    for prompt in prompts:
        picture = teacher().run(clip_of("one", scene.pixels[:1]), prompt)
        scores = {
            other: float(torch.cosine_similarity(judge.images(picture), judge.text(other)[None])) for other in prompts
        }
        assert max(scores, key=lambda name: scores[name]) == prompt


def test_nothing_is_compared_across_a_cut(scene: Clip, judge: Encoder) -> None:
    """Two shots: the first frame of the second has no pair, and the long term starts anew."""
    other = 255 - scene.pixels[::-1]
    cut = clip_of("cut", np.concatenate([scene.pixels[:4], other[:4]]))
    assert cut.shot_starts == [0] * 4 + [4] * 4
    found = measure(cut, tensor_of(cut.pixels), PENCIL, judge)
    assert [k for k, value in enumerate(found.warp_error_short) if value is None] == [0, 4]
    assert all(value is None for value in found.temporal_loss_5)
    assert found.means()["temporal_loss_5"] is None
    assert found.means()["warp_error"] is not None


def test_statistics_transfer_against_numpy() -> None:
    rng = np.random.default_rng(0)
    content, style = rng.normal(2, 3, (2, 4, 5, 6)), rng.normal(-1, 0.5, (1, 4, 7, 8))
    found = adain(torch.from_numpy(content), torch.from_numpy(style)).numpy()
    np.testing.assert_allclose(found.mean((2, 3)), style.mean((2, 3)).repeat(2, 0), atol=1e-6)
    np.testing.assert_allclose(found.std((2, 3), ddof=1), style.std((2, 3), ddof=1).repeat(2, 0), atol=1e-5)
    for one, other in zip(found.reshape(8, -1), content.reshape(8, -1), strict=True):
        assert np.corrcoef(one, other)[0, 1] == pytest.approx(1)
    expected = np.einsum("bchw,bdhw->bcd", content, content) / 30
    np.testing.assert_allclose(gram(torch.from_numpy(content)).numpy(), expected, atol=1e-9)


def test_evaluate_writes_what_it_measured(tmp_path: Path, clip: Callable[..., Path], model: Path) -> None:
    source, output = clip("in.mp4", 4, 64, 48), clip("out.mp4", 4, 32, 24)
    found, written = studies.evaluate(source, output, PENCIL, str(model))
    record = json.loads(written[0].read_text())
    assert record["means"] == found.means()
    assert len(record["frames"]["warp_error_short"]) == 4
    assert record["encoder"].startswith("φ of")
    assert written[1].name == "out.mp4.heatmaps.png"


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


def test_a_real_clip_by_folder(tmp_path: Path) -> None:
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    tokenizer = tiny_pipeline().tokenizer
    text = {"projection_dim": 12, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
            "vocab_size": len(tokenizer), "eos_token_id": tokenizer.eos_token_id}  # fmt: skip
    vision = {"projection_dim": 12, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 32,
              "patch_size": 16}  # fmt: skip
    real = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=12)).eval()
    for part in (real, tokenizer, CLIPImageProcessorPil(crop_size=32, size={"shortest_edge": 32})):
        part.save_pretrained(tmp_path)
    judge = clip_encoder(str(tmp_path))
    pictures = torch.rand(2, 3, 32, 32)
    found = judge.images(pictures)
    mean, std = (
        torch.tensor(v).view(1, 3, 1, 1)
        for v in (CLIPImageProcessorPil().image_mean, CLIPImageProcessorPil().image_std)
    )
    with torch.no_grad():
        expected = real.visual_projection(real.vision_model((pictures - mean) / std).pooler_output)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)
    assert judge.text("a cat").shape == (12,)
    assert str(tmp_path) in judge.name
    with pytest.raises(sav.InputError, match="give a hub id or a folder"):
        clip_encoder(str(tmp_path / "nothing"))


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
    # Again: what is there is taken, what failed is tried anew.
    times = {path: path.stat().st_mtime_ns for path in study.work.glob("*.json")}
    assert len(times) == 7
    studies.compare(study, {"Theirs": outputs}, ["Style-A-Video", "SDEdit", "SDEdit + refiner"])
    assert times == {path: path.stat().st_mtime_ns for path in study.work.glob("*.json")}


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
    assert len(cells) == 2 * sum(map(len, groups(defaults).values()))
    # Equal settings in two groups are computed once.
    assert len(list(study.work.glob("*.json"))) < len(cells)
    assert "s_T = 1.5" in (page.parent / "report.md").read_text()


def cell(method: str, clip: str, value: float, encoder: str = "φ", error: str = "") -> Cell:
    return Cell(method, clip, PENCIL, encoder, {} if error else {"warp_error": value, "style": value}, error)


def test_tables_rank_and_give_confidence() -> None:
    values = {"one": (0.1, 0.2, 0.3), "two": (0.2, 0.3, 0.4), "three": (0.3, 0.4, 0.5)}
    rows = table([cell(name, f"clip {k}", v) for name, row in values.items() for k, v in enumerate(row)])
    assert [row.entries["warp_error"].rank for row in rows] == [1, 2, 0]
    assert [row.entries["style"].rank for row in rows] == [0, 2, 1]
    # t(0.975, 2) = 4.3027; deviation 0.1.
    assert rows[0].entries["style"].half_width == pytest.approx(4.30265 * 0.1 / np.sqrt(3), rel=1e-4)
    assert "**0.2000 ± 0.2484**" in as_markdown(rows)
    with pytest.raises(sav.InputError, match="cannot stand in one table"):
        table([cell("one", "a", 0.1), cell("one", "b", 0.1, "CLIP x")])
    failed = table(
        [cell("one", "a", 0.1), cell("one", "b", 0, error="broken"), cell("two", "a", 0.2), cell("two", "b", 0.2)]
    )
    assert failed[0].entries["warp_error"].rank == 0
    assert failed[1].entries["warp_error"].rank == 1


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
    with pytest.raises(sav.InputError, match="choose from Style-A-Video"):
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
