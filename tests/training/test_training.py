"""The recipe: captions, pairs, losses, the loop's resuming, and the whole of it at a thousandth of its budget."""

from __future__ import annotations

import json
import shutil
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import style_a_video as sav
from style_a_video.models.loading import bundled_folder
from style_a_video.models.looks import LINES, PALETTES, SCALES, SURFACES, TONES, Look
from style_a_video.models.styles import STYLE_NAMES, STYLES, named_styles
from style_a_video.models.vocabulary import Knowledge, advice, unknown_words
from style_a_video.training import clip, first_stage, unet
from style_a_video.training.bundled import Budget, train_bundled
from style_a_video.training.captions import caption, corpus, is_held_out, near_look, random_look
from style_a_video.training.loop import Schedule, train
from style_a_video.training.pairs import SHARD, Pairs, make_pairs, noise_of
from style_a_video.training.teachers import Chance, render

from ..conftest import moving_picture


def test_captions_name_their_medium_and_every_word_is_known() -> None:
    rng = np.random.default_rng(0)
    for style in STYLES:
        sentences = [caption(Look(style.name), rng) for _ in range(200)]
        assert len(set(sentences)) > 100
        named = [style in named_styles(sentence) for sentence in sentences]
        assert np.mean(named) > 0.95, [text for text, ok in zip(sentences, named, strict=True) if not ok][:5]
    strange = {word for sentence in corpus() for word in unknown_words(sentence)}
    assert not strange


def test_captions_say_the_whole_look() -> None:
    look = Look("mosaic", palette="candy", tone="misty", scale="huge", line="heavy", surface="wall", second="pencil")
    for k in range(50):
        sentence = caption(look, np.random.default_rng(k)).lower()
        for words in (
            PALETTES["candy"].phrases, TONES["misty"], SCALES["huge"][1], LINES["heavy"][1], SURFACES["wall"],
            [phrase for style in STYLES if style.name == "pencil" for phrase in style.phrases],
        ):  # fmt: skip
            assert any(word.lower() in sentence for word in words), (sentence, words)


def test_held_out_sentences_are_new_and_held_out_combinations_are_not_drawn() -> None:
    rng = np.random.default_rng(1)
    seen = {caption(Look(style.name), rng).lower() for style in STYLES for _ in range(300)}
    held_out = {caption(Look(style.name), rng, held_out=True).lower() for style in STYLES for _ in range(20)}
    assert not seen & held_out
    assert all(len({caption(Look(s.name), rng, held_out=True) for _ in range(60)}) >= 5 for s in STYLES)
    looks = [random_look(rng, style.name) for style in STYLES for _ in range(200)]
    assert not any(is_held_out(look) for look in looks)
    every = [Look(s.name, palette=p, scale=size) for s in STYLES for p in PALETTES for size in SCALES]
    assert 0.07 < np.mean([is_held_out(look) for look in every]) < 0.13


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_the_canonical_prompt_names_the_style_first(style: sav.models.Style) -> None:
    assert named_styles(style.prompt)[0] == style
    assert named_styles(style.name)[0] == style
    assert advice(style.prompt) == []
    assert all(named_styles(f"Make it {phrase}.")[0] == style for phrase in style.held_out)


@pytest.mark.parametrize("prompt", ["Make it blue.", "a cat", "Make it flurb", "boil the soil"])
def test_prompts_that_name_none(prompt: str) -> None:
    assert named_styles(prompt) == []
    assert any("names no style" in line for line in advice(prompt))


def test_strange_words_are_named_with_the_nearest_known() -> None:
    assert unknown_words("Make it a pensil drawing in teel and gold") == {
        "pensil": ["pencil", *unknown_words("pensil")["pensil"][1:]],
        "teel": unknown_words("teel")["teel"],
    }
    assert "teal" in unknown_words("teel")["teel"]
    assert unknown_words("xqzzk") == {"xqzzk": []}
    assert unknown_words("a paintng")["paintng"][0] == "painting"
    assert advice("a pencil drawing by Frida Kahlo") == ["'frida', 'kahlo' mean nothing to this model"]


def test_a_model_knows_what_its_record_says(tmp_path: Path) -> None:
    (tmp_path / "training.json").write_text('{"styles": ["pencil", "mosaic"]}')
    young = Knowledge.of(tmp_path)
    assert [style.name for style in young.styles] == ["pencil", "mosaic"]
    assert advice("Make it a pencil drawing.", young) == []
    assert "charcoal" in unknown_words("a pencil drawing crossed with charcoal", young)
    assert any("names no style" in line and "pencil, mosaic" in line for line in advice("a linocut", young))
    assert Knowledge.of(bundled_folder()).styles


def test_tokenizer_knows_captions_and_survives_anything() -> None:
    captions = corpus()
    tokenizer = clip.build_tokenizer(captions)
    assert len(tokenizer.tokenize("Make it an Ukiyo-e painting.")) <= 8
    assert max(len(ids) for ids in tokenizer(captions).input_ids) <= tokenizer.model_max_length
    for text in ("", "zebra", "ÿ ß 漢字 🎨", "a\nb\tc", "😀" * 5):
        ids = tokenizer(text).input_ids
        assert ids[0] == tokenizer.bos_token_id
        # The end token ends, and stands for nothing else: no character is unknown.
        assert ids.count(tokenizer.eos_token_id) == 1


def test_a_near_look_differs_in_one_word_and_is_never_held_out() -> None:
    rng = np.random.default_rng(0)
    for number in range(600):
        look = random_look(rng, STYLE_NAMES[number % len(STYLE_NAMES)])
        near = near_look(rng, look)
        assert sum(getattr(look, field.name) != getattr(near, field.name) for field in fields(Look)) == 1
        assert not is_held_out(near)
        assert near.second != near.medium


def test_first_stage_learns_and_its_latents_come_to_unit_scale() -> None:
    torch.manual_seed(0)
    vae = first_stage.build()
    pictures = torch.from_numpy(moving_picture(8, 32, 32)).permute(0, 3, 1, 2).float() / 127.5 - 1
    loss = first_stage.reconstruction_loss(vae, lambda _: pictures, statistics_weight=1.0)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=2e-3)
    rng = np.random.default_rng(0)
    first = float(loss(rng).detach())
    for _ in range(60):
        optimizer.zero_grad()
        loss(rng).backward()
        optimizer.step()
    with torch.no_grad():
        latents = vae.encode(pictures).latents
    assert latents.shape == (8, 12, 8, 8)
    assert float(loss(rng).detach()) < 0.5 * first
    assert 0.5 < float(latents.std((0, 2, 3)).mean()) < 1.5


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
        return (model(x.to(model.weight.dtype)).float() - x.sum(dim=1, keepdim=True)).square().mean()

    return model, loss


@pytest.mark.parametrize("reduced", [False, True])
def test_a_resumed_run_ends_where_an_unbroken_one_does(tmp_path: Path, reduced: bool) -> None:
    def run(seed: int, steps: int, folder: str) -> torch.nn.Linear:
        model, loss = _line(seed)
        schedule = Schedule(steps, learning_rate=1e-2, decay=0.0)
        train("line", model, loss, schedule, tmp_path / folder, in_bfloat16=model if reduced else None)
        return model

    whole = run(0, 60, "a")
    run(0, 25, "b")
    second = run(1, 60, "b")
    torch.testing.assert_close(second.weight, whole.weight)


def test_the_loop_learns(tmp_path: Path) -> None:
    model, loss = _line(0)
    train("line", model, loss, Schedule(steps=400, learning_rate=5e-2, warmup=10), tmp_path)
    torch.testing.assert_close(model.weight, torch.ones(1, 3), atol=0.05, rtol=0)


def test_children_are_clipped_by_themselves(tmp_path: Path) -> None:
    """A child whose gradient is huge in the first step does not shrink the other's, so that one's two equal steps of Adam are its rate each."""
    both = torch.nn.ModuleDict({name: torch.nn.Linear(1, 1, bias=False) for name in ("loud", "quiet")})
    before, steps = float(both["quiet"].weight), iter((1e3, 0.0))

    def loss(rng: np.random.Generator) -> dict[str, torch.Tensor]:
        return {"loud": next(steps) * both["loud"].weight.sum(), "quiet": 0.1 * both["quiet"].weight.sum()}

    schedule = Schedule(2, learning_rate=1e-2, warmup=1, decay=0.0, ema_decay=0.0, weight_decay=0.0)
    train("both", both, loss, schedule, tmp_path)
    assert before - float(both["quiet"].weight) == pytest.approx(0.02, rel=1e-3)


def test_a_bfloat16_model_learns_steps_smaller_than_its_own_grain(tmp_path: Path) -> None:
    """Its weights are 1.0, whose neighbours in bfloat16 are 0.004 away; a hundred steps of 1e-4 must add up all the same."""
    model = torch.nn.Linear(3, 1, bias=False)
    torch.nn.init.ones_(model.weight)

    def loss(rng: np.random.Generator) -> torch.Tensor:
        assert model.weight.dtype == torch.bfloat16
        return -model(torch.ones(1, 3, dtype=torch.bfloat16)).float().sum()

    schedule = Schedule(steps=100, learning_rate=1e-4, warmup=1, decay=0.0, weight_decay=0.0)
    train("line", model, loss, schedule, tmp_path, in_bfloat16=model)
    assert model.weight.dtype == torch.float32
    assert 1.004 < float(model.weight.detach().mean()) <= 1.0101


def test_two_sentences_of_one_look_come_together() -> None:
    """The text-text term alone, for 80 steps: the nearest canonical sentence is the right medium's more often than not."""
    torch.manual_seed(0)
    tokenizer = clip.build_tokenizer(corpus())
    model = clip.build(tokenizer)
    rng = np.random.default_rng(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def embed(sentences: list[str]) -> torch.Tensor:
        tokens = tokenizer(sentences, padding=True, return_tensors="pt")
        return torch.nn.functional.normalize(model.get_text_features(**tokens).pooler_output, dim=-1)

    for _ in range(80):
        looks = [Look(name) for name in STYLE_NAMES]
        first, second = (embed([caption(look, rng) for look in looks]) for _ in range(2))
        optimizer.zero_grad()
        clip._same_look(first, second, looks, torch.tensor(20.0)).backward()
        optimizer.step()
    with torch.no_grad():
        canonical = embed([style.prompt for style in STYLES])
        asked = embed([caption(Look(name), rng) for name in STYLE_NAMES])
    right = (asked @ canonical.T).argmax(1) == torch.arange(len(STYLES))
    assert float(right.float().mean()) > 0.5


def test_the_encoders_of_a_finished_model_are_where_clip_goes_on() -> None:
    tokenizer = clip.build_tokenizer(corpus())
    torch.manual_seed(0)
    finished = clip.build(tokenizer)
    again = clip.build(tokenizer)
    clip.start_from(again, clip.text_encoder_of(finished), clip.image_encoder_of(finished))
    pictures, tokens = (
        torch.randn(2, 3, 128, 128),
        tokenizer(["a cat", "an oil painting"], padding=True, return_tensors="pt"),
    )
    with torch.no_grad():
        for one, other in zip(
            *([m.get_image_features(pictures), m.get_text_features(**tokens)] for m in (finished, again)), strict=True
        ):
            torch.testing.assert_close(one.pooler_output, other.pooler_output)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training folder with one shard of pairs."""
    folder = tmp_path_factory.mktemp("work")
    make_pairs(folder / "pairs", 1, seed=3, workers=1)
    return folder


def test_pairs_are_kept_and_carry_their_looks(work: Path, tmp_path: Path) -> None:
    stamp = (work / "pairs" / "00000.npy").stat().st_mtime_ns
    make_pairs(work / "pairs", SHARD, seed=3, workers=1)
    assert (work / "pairs" / "00000.npy").stat().st_mtime_ns == stamp
    pairs = Pairs.open(work / "pairs")
    assert len(pairs) == SHARD
    assert pairs.look(4, 0) is None
    for column, medium in enumerate(STYLE_NAMES, start=1):
        look = pairs.look(4, column)
        assert look is not None
        assert look.medium == medium
    again = render(
        (pairs.picture(4, 0) / 255).astype(np.float32), pairs.look(4, 8), Chance(pairs.noise(4, 8), 256, 256)
    )
    assert np.abs(again * 255 - pairs.picture(4, 8)).mean() < 3
    # A row's noise is that of the number it was made under, whatever lies beside it.
    shutil.copytree(work / "pairs", tmp_path / "later")
    record = json.loads((tmp_path / "later" / "00000.json").read_text())
    (tmp_path / "later" / "00000.json").write_text(json.dumps(record | {"first": 40}))
    np.testing.assert_array_equal(Pairs.open(tmp_path / "later").noise(2, 3), noise_of(3, 42, 3))
    (tmp_path / "later" / "00000.json").write_text(json.dumps({"looks": record["looks"], "seed": 3}))
    with pytest.raises(ValueError, match="older recipe"):
        Pairs.open(tmp_path / "later")
    crops = pairs.crops(5, 32)(np.random.default_rng(0))
    assert crops.shape == (5, 3, 32, 32)
    assert -1 <= crops.min() < crops.max() <= 1
    with pytest.raises(FileNotFoundError):
        Pairs.open(tmp_path / "nothing")


def test_windows_carry_the_noise_that_their_marks_hang_on(work: Path) -> None:
    """The noise of every window is that of its picture, cut at the same place; corners lie on the UNet's coarsest cells."""
    pairs = Pairs.open(work / "pairs")
    # Latents that say where they were cut.
    rows, columns, y, x = np.meshgrid(
        np.arange(SHARD), np.arange(1 + len(STYLE_NAMES)), np.arange(64), np.arange(64), indexing="ij"
    )
    latents = np.repeat(np.stack([rows, columns, y, x], axis=2), 3, axis=2).astype(np.float16)
    windows = unet.random_windows(latents, pairs, batch=6, size=16)(np.random.default_rng(0))
    assert windows.clean.shape == windows.noise.shape == windows.image.shape == (6, 12, 16, 16)
    for clean, noise in zip(windows.clean.numpy(), windows.noise.numpy(), strict=True):
        row, column, top, left = (int(clean[3 * k, 0, 0]) for k in range(4))
        assert top % unet.ALIGNMENT == left % unet.ALIGNMENT == 0
        np.testing.assert_array_equal(noise, pairs.noise(row, column)[:, top : top + 16, left : left + 16])


def test_the_whole_recipe_in_small(work: Path, tmp_path: Path) -> None:
    """Two steps of everything: the folder that comes out is a model that `load_pipeline` and `stylize` take, and that a
    further run starts from."""
    budget = Budget(
        contents=SHARD,
        first_stage_steps=2,
        decoder_steps=2,
        clip_steps=2,
        unet_steps=2,
        unet_full_steps=1,
        sharpen_steps=1,
    )
    train_bundled(work, tmp_path / "model", budget, "cpu", seed=3, workers=1)
    pipeline = sav.load_pipeline(tmp_path / "model", device="cpu", dtype=torch.float32)
    assert pipeline.defaults()["size"] == 256
    for settings in ({}, {"fast": True}, {"mask_guidance_scale": 0.5, "content_weight": 1.0}):
        frames = pipeline("Make it an Ukiyo-e painting.", moving_picture(2, 40, 32), **settings).frames
        assert frames.shape == (2, 32, 40, 3)
        assert np.isfinite(frames).all()
    for other in ({"start": tmp_path / "model"}, {"seed": 4}, {"budget": replace(budget, clip_steps=3)}):
        settings = {"budget": budget, "seed": 3, "start": None} | other
        with pytest.raises(sav.InputError, match="a run of another"):
            train_bundled(work, tmp_path / "further", device="cpu", workers=1, **settings)
    # A stage that a later one started from is not trained further unseen: its new steps would be lost.
    for more in ("unet_steps", "unet_full_steps"):
        with pytest.raises(sav.InputError, match=f"fewer {more}"):
            train_bundled(work, tmp_path / "model", replace(budget, **{more: 4}), "cpu", seed=3, workers=1)
    shutil.copytree(work / "pairs", tmp_path / "again" / "pairs")
    train_bundled(tmp_path / "again", tmp_path / "further", budget, "cpu", seed=3, workers=1, start=tmp_path / "model")
    further = sav.load_pipeline(tmp_path / "further", device="cpu", dtype=torch.float32)
    # Latents of a start hold in what is trained from it; what is made of them may get better.
    for name, value in pipeline.vae.encoder.state_dict().items():
        torch.testing.assert_close(further.vae.encoder.state_dict()[name], value)
    decoders = (pipeline.vae.decoder.state_dict(), further.vae.decoder.state_dict())
    assert any(not torch.equal(value, decoders[1][name]) for name, value in decoders[0].items())
    assert any(
        not torch.equal(value, further.unet.state_dict()[name]) for name, value in pipeline.unet.state_dict().items()
    )
    # Two steps at CLIP's rate leave its encoder near where it started; one begun anew would be far.
    for one, other in zip(pipeline.text_encoder.parameters(), further.text_encoder.parameters(), strict=True):
        assert float((one - other).abs().max()) < 0.01
    record = json.loads((tmp_path / "further" / "training.json").read_text())
    assert record["started_from"] == json.loads((tmp_path / "model" / "training.json").read_text())
    assert not any(str(tmp_path) in path.read_text() for path in (tmp_path / "further").rglob("*.json"))
    with pytest.raises(sav.InputError, match="not a model that this recipe made"):
        train_bundled(tmp_path / "new", tmp_path / "other", budget, "cpu", seed=3, workers=1, start=tmp_path)
