"""The measures of an output: they agree with the public functions, move the right way, and count nothing across a
cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.ndimage import gaussian_filter
from torch import Tensor

import style_a_video as sav
from style_a_video.evaluation.clips import Clip, clip_of
from style_a_video.evaluation.encoders import Encoder, bundled_encoder, clip_encoder
from style_a_video.evaluation.methods.classical import renderer
from style_a_video.evaluation.metrics import measure
from style_a_video.frames import pixels_to_tensor
from tests.conftest import moving_photograph, tiny_pipeline

PENCIL = "Make it a pencil drawing."


@pytest.fixture(scope="module")
def scene() -> Clip:
    return clip_of("scene", moving_photograph("rocket", 8, 160, 128))


@pytest.fixture(scope="module")
def judge() -> Encoder:
    return bundled_encoder(sav.load_pipeline("bundled", device="cpu", dtype=torch.float32))


@pytest.fixture(scope="module")
def drawn(scene: Clip) -> Tensor:
    return renderer().run(scene, PENCIL)


def means(scene: Clip, output: Tensor, judge: Encoder, prompt: str = PENCIL) -> dict[str, Any]:
    return measure(scene, output.clamp(0, 1), prompt, judge).means()


def test_the_input_itself_has_content_one(scene: Clip, judge: Encoder) -> None:
    found = means(scene, pixels_to_tensor(scene.pixels), judge)
    assert found["content"] == pytest.approx(1, abs=1e-5)
    assert found["warp_error"] == pytest.approx(
        found["warp_error_long"] + found["warp_error_short"], abs=1e-9
    )  # fmt: skip


def test_means_are_those_of_the_public_measures(scene: Clip, drawn: Tensor, judge: Encoder) -> None:
    """One shot: E_warp and temporal loss equal `warp_error` and `temporal_loss`, which the tests compare with loops."""
    found, pictures = means(scene, drawn, judge), pixels_to_tensor(scene.pixels)
    flow = sav.temporal.dis_flow()
    short, long = sav.evaluation.flows_at_distance(flow, pictures, 1), sav.evaluation.flows_to_first(flow, pictures)
    assert found["warp_error"] == pytest.approx(sav.evaluation.warp_error(drawn, *short, *long), abs=1e-6)
    assert found["temporal_loss_1"] == pytest.approx(sav.evaluation.temporal_loss(drawn, *short), abs=1e-6)
    five = sav.evaluation.flows_at_distance(flow, pictures, 5)
    assert found["temporal_loss_5"] == pytest.approx(sav.evaluation.temporal_loss(drawn, *five), abs=1e-6)
    assert found["trusted_short"] == pytest.approx(float(short[1].double().mean()), abs=1e-6)
    assert found["trusted_long"] == pytest.approx(float(long[1].double().mean()), abs=1e-6)
    assert 0 < found["trusted_long"] < found["trusted_short"] < 1


def test_every_measure_moves_the_right_way(scene: Clip, drawn: Tensor, judge: Encoder) -> None:
    rng, good = np.random.default_rng(0), means(scene, drawn, judge)
    gains = torch.from_numpy(rng.uniform(0.8, 1.2, (len(scene), 1, 1, 1)).astype(np.float32))
    flickering = means(scene, drawn * gains, judge)
    assert flickering["warp_error"] > 1.5 * good["warp_error"]
    assert flickering["temporal_loss_1"] > 1.5 * good["temporal_loss_1"]
    assert flickering["temporal_loss_5"] > 1.2 * good["temporal_loss_5"]
    assert flickering["style"] < good["style"]
    blurred = means(scene, torch.from_numpy(gaussian_filter(drawn.numpy(), (0, 0, 2, 2))), judge)
    assert blurred["sharpness"] < 0.2 * good["sharpness"]
    assert blurred["warp_error"] < good["warp_error"]
    assert blurred["style"] < good["style"]
    assert blurred["content"] < good["content"]
    # Of a drawing a blur takes the hatching first, which the input has not; of the input itself it takes what is
    # asked for.
    source = pixels_to_tensor(scene.pixels)
    assert means(scene, source, judge)["edges"] == pytest.approx(1)
    # A drawing is paler than its input, so half of the flicker brings it nearer; the input itself all of it takes away.
    assert means(scene, source * gains, judge)["content"] < 0.993
    assert means(scene, torch.from_numpy(gaussian_filter(source.numpy(), (0, 0, 2, 2))), judge)["edges"] < 0.97
    wrong = means(scene, renderer().run(scene, "a neon painting"), judge)
    assert wrong["style"] < good["style"]
    shuffled = means(scene, drawn[[3, 6, 0, 7, 1, 5, 2, 4]], judge)
    assert shuffled["warp_error"] > 1.5 * good["warp_error"]
    assert shuffled["temporal_loss_1"] > good["temporal_loss_1"]
    assert shuffled["temporal_loss_5"] > good["temporal_loss_5"]
    assert shuffled["edges"] < good["edges"]
    assert shuffled["content"] < good["content"]
    other = means(scene, drawn.flip(-1), judge)
    assert other["content"] < good["content"]
    assert other["edges"] < good["edges"]


def test_style_ranks_the_right_prompt_first(scene: Clip, judge: Encoder) -> None:
    prompts = (PENCIL, "a neon painting", "a cyanotype", "Make it a linocut.")
    for prompt in prompts:
        picture = renderer().run(clip_of("one", scene.pixels[:1]), prompt)
        scores = {
            other: float(torch.cosine_similarity(judge.images(picture), judge.text(other)[None])) for other in prompts
        }
        assert max(scores, key=lambda name: scores[name]) == prompt


def test_an_output_of_other_frames_is_refused(scene: Clip, drawn: Tensor, judge: Encoder) -> None:
    for other in (drawn[:-1], torch.cat([drawn, drawn[:1]]), drawn[..., :-2]):
        with pytest.raises(sav.InputError, match="where scene needs"):
            measure(scene, other, PENCIL, judge)


def test_nothing_is_compared_across_a_cut(scene: Clip, judge: Encoder) -> None:
    """Two shots: the first frame of the second has no pair, and the long term starts anew."""
    other = 255 - scene.pixels[::-1]
    cut = clip_of("cut", np.concatenate([scene.pixels[:4], other[:4]]))
    assert cut.shot_starts == [0] * 4 + [4] * 4
    found = measure(cut, pixels_to_tensor(cut.pixels), PENCIL, judge)
    assert [k for k, value in enumerate(found.warp_error_short) if value is None] == [0, 4]
    assert all(value is None for value in found.temporal_loss_5)
    assert found.means()["temporal_loss_5"] is None
    assert found.means()["warp_error"] is not None


def test_a_real_clip_by_folder(tmp_path: Path) -> None:
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    tokenizer = tiny_pipeline().tokenizer
    text = {
        "projection_dim": 12,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "vocab_size": len(tokenizer),
        "eos_token_id": tokenizer.eos_token_id,
    }
    vision = {
        "projection_dim": 12,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 16,
    }
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
    # A kept score belongs to what prepares the pictures, too.
    CLIPImageProcessorPil(crop_size=32, size={"shortest_edge": 32}, image_mean=[0.1] * 3).save_pretrained(tmp_path)
    assert clip_encoder(str(tmp_path)).digest != judge.digest
    with pytest.raises(sav.InputError, match="give a hub id or a folder"):
        clip_encoder("no-such-name")
    with pytest.raises(sav.InputError, match="there is no such folder"):
        clip_encoder(str(tmp_path / "nothing"))
    state = {name: value for name, value in real.state_dict().items() if name != "visual_projection.weight"}
    save_file(state, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(sav.InputError, match="lack visual_projection"):
        clip_encoder(str(tmp_path))


def test_pairs_without_a_trusted_pixel_count_nowhere(scene: Clip, judge: Encoder) -> None:
    blind = Clip(
        "blind", scene.pixels[:3], scene.rate, [0, 0, 0], lambda a, b: torch.full((len(a), 2, *a.shape[-2:]), 1e4)
    )
    found = measure(blind, pixels_to_tensor(blind.pixels), PENCIL, judge)
    assert found.warp_error_short == found.temporal_loss_1 == [None] * 3
    assert found.means()["warp_error"] is None
