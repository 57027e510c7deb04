"""The recipe: captions, pairs, losses, the loop's resuming, and the whole of it at a thousandth of its budget."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import style_a_video as sav
from style_a_video.models.styles import STYLES, named_styles
from style_a_video.training import clip, first_stage, unet
from style_a_video.training.bundled import Budget, train_bundled
from style_a_video.training.captions import all_captions, captions_of
from style_a_video.training.loop import Schedule, load_average, train
from style_a_video.training.pairs import STYLES as COLUMNS
from style_a_video.training.pairs import Pairs, make_pairs

from ..conftest import moving_picture


def test_captions_name_their_style() -> None:
    for style in STYLES:
        captions = captions_of(style)
        assert len(set(captions)) > 200
        named = [style in named_styles(caption) for caption in captions]
        assert np.mean(named) > 0.95, [caption for caption, ok in zip(captions, named, strict=True) if not ok][:5]


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_the_canonical_prompt_names_the_style_first(style: sav.models.Style) -> None:
    assert named_styles(style.prompt)[0] == style
    assert named_styles(style.name)[0] == style


@pytest.mark.parametrize("prompt", ["Make it blue.", "a cat", "Make it flurb", "boil the soil"])
def test_prompts_that_name_none(prompt: str) -> None:
    assert named_styles(prompt) == []


def test_tokenizer_knows_captions_and_survives_anything() -> None:
    captions = [caption for group in all_captions() for caption in group]
    tokenizer = clip.build_tokenizer(captions)
    assert len(tokenizer.tokenize("Make it an Ukiyo-e painting.")) <= 8
    assert max(len(ids) for ids in tokenizer(captions).input_ids) <= tokenizer.model_max_length
    for text in ("", "zebra", "ÿ ß 漢字 🎨", "a\nb\tc", "😀" * 5):
        ids = tokenizer(text).input_ids
        assert ids[0] == tokenizer.bos_token_id
        # The end token ends, and stands for nothing else: no character is unknown.
        assert ids.count(tokenizer.eos_token_id) == 1


def test_first_stage_normalisation_changes_scale_but_no_picture() -> None:
    torch.manual_seed(0)
    vae = first_stage.build().eval()
    pictures = torch.rand(6, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        before = vae.decode(vae.encode(pictures).latent_dist.mode()).sample
        deviation = vae.encode(pictures).latent_dist.std
        scale = vae.encode(pictures).latent_dist.mode().std((0, 2, 3))
        first_stage.normalise_latents(vae, pictures)
        posterior = vae.encode(pictures).latent_dist
        after = vae.decode(posterior.mode()).sample
    torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(posterior.mode().mean((0, 2, 3)), torch.zeros(16), atol=1e-4, rtol=0)
    torch.testing.assert_close(posterior.mode().std((0, 2, 3)), torch.ones(16), atol=1e-3, rtol=0)
    torch.testing.assert_close(posterior.std, deviation / scale.view(1, -1, 1, 1), atol=1e-3, rtol=1e-3)


def test_random_masks_are_blobs() -> None:
    masks = np.stack([unet.random_mask(np.random.default_rng(k), 16) for k in range(40)])
    assert set(np.unique(masks)) == {0.0, 1.0}
    assert 0.3 < masks.mean() < 0.7
    assert (masks[:, :, 1:] != masks[:, :, :-1]).mean() < 0.25


def test_timesteps_are_biased_to_the_start_of_sampling() -> None:
    timesteps = unet.biased_timesteps(np.random.default_rng(0), 20_000)
    assert timesteps.min() >= 0
    assert timesteps.max() == 999
    assert (timesteps >= 900).mean() == pytest.approx(0.55, abs=0.02)


def test_zero_terminal_signal() -> None:
    scheduler = unet.build_scheduler()
    assert float(scheduler.alphas_cumprod[-1]) < 1e-7
    scheduler.set_timesteps(4)
    assert scheduler.timesteps.tolist() == [999, 749, 499, 249]


def _line(seed: int) -> tuple[torch.nn.Linear, Any]:
    torch.manual_seed(seed)
    model = torch.nn.Linear(3, 1)

    def loss(rng: np.random.Generator) -> torch.Tensor:
        x = torch.from_numpy(rng.standard_normal((8, 3)).astype(np.float32))
        return (model(x) - x.sum(dim=1, keepdim=True)).square().mean()

    return model, loss


def test_a_resumed_run_ends_where_an_unbroken_one_does(tmp_path: Path) -> None:
    whole, loss = _line(0)
    train("line", whole, loss, Schedule(steps=60, learning_rate=1e-2, decay=0.0), tmp_path / "a")
    first, loss = _line(0)
    train("line", first, loss, Schedule(steps=25, learning_rate=1e-2, decay=0.0), tmp_path / "b")
    second, loss = _line(1)
    train("line", second, loss, Schedule(steps=60, learning_rate=1e-2, decay=0.0), tmp_path / "b")
    torch.testing.assert_close(second.weight, whole.weight)
    again, _ = _line(2)
    assert load_average(tmp_path / "b" / "line.pt", again) == 60
    torch.testing.assert_close(again.weight, whole.weight)


def test_the_loop_learns(tmp_path: Path) -> None:
    model, loss = _line(0)
    train("line", model, loss, Schedule(steps=400, learning_rate=5e-2, warmup=10), tmp_path)
    torch.testing.assert_close(model.weight, torch.ones(1, 3), atol=0.05, rtol=0)


def test_pairs_are_seeded_and_resumed(tmp_path: Path) -> None:
    make_pairs(tmp_path / "a", 1, seed=3, workers=1)
    stamp = (tmp_path / "a" / "00000.npy").stat().st_mtime_ns
    make_pairs(tmp_path / "a", 20, seed=3, workers=1)
    assert (tmp_path / "a" / "00000.npy").stat().st_mtime_ns == stamp
    pairs = Pairs.open(tmp_path / "a")
    assert len(pairs) == 20
    assert pairs.picture(4, len(COLUMNS)).shape == (256, 256, 3)
    crops = pairs.crops(5, 32)(np.random.default_rng(0))
    assert crops.shape == (5, 3, 32, 32)
    assert -1 <= crops.min() < crops.max() <= 1
    with pytest.raises(FileNotFoundError):
        Pairs.open(tmp_path)


def test_the_whole_recipe_in_small(tmp_path: Path) -> None:
    """Two steps of everything: the folder that comes out is a model that `load_pipeline` and `stylize` take."""
    budget = Budget(contents=20, first_stage_steps=2, clip_steps=2, unet_steps=2, unet_full_steps=2)
    train_bundled(tmp_path / "work", tmp_path / "model", budget, "cpu", seed=0, workers=2)
    pipeline = sav.load_pipeline(tmp_path / "model", device="cpu", dtype=torch.float32)
    assert pipeline.defaults["size"] == 256
    for settings in ({}, {"mask_guidance_scale": 0.5, "content_weight": 1.0}):
        frames = pipeline("Make it an Ukiyo-e painting.", moving_picture(2, 40, 32), **settings).frames
        assert frames.shape == (2, 32, 40, 3)
        assert np.isfinite(frames).all()
