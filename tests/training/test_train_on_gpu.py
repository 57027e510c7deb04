"""The program that trained the shipped UNet: its batches are windows of what it was given, and its step learns."""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel

import style_a_video as sav
from style_a_video.devices import compute_dtype
from style_a_video.training.pairs import ALIGNMENT, COLUMNS, to_model
from style_a_video.training.sharpening import Critic
from style_a_video.training.unet import Dropout, embed_captions

WIDTH, TOKENS, ROWS, SIZE = 16, 6, 2, 32
EVERYTHING = Dropout(0.0, 0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    path = Path(__file__).parents[2] / "tools" / "train_on_gpu.py"
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location("train_on_gpu", path)
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look their own module up.
    sys.modules["train_on_gpu"] = module
    spec.loader.exec_module(module)
    return module


class Nothing:
    """Renderers that have nothing yet."""

    def next(self, timeout: float) -> Any:
        raise multiprocessing.TimeoutError


@pytest.fixture
def store(tool: ModuleType) -> Any:
    torch.manual_seed(0)
    made = tool.Store(
        None, None, Nothing(), ROWS, "cpu", torch.full((TOKENS, WIDTH), 7.0, dtype=compute_dtype("cpu", training=True))
    )
    for part in (made.latents, made.noise, made.text):
        part.copy_(torch.randn(part.shape))
    made.says_scale[1, ::2] = True
    made.rows = ROWS
    made.count.fill_(ROWS)
    return made


def found(store: Any, part: torch.Tensor, window: torch.Tensor) -> tuple[int, int, int, int]:
    """Row, column and corner of a window, by looking for its first pixel."""
    places = (part[:, :, 0] == window[0, 0, 0].half()).nonzero().tolist()
    exact = [
        (row, column, y, x)
        for row, column, y, x in places
        if torch.equal(part[row, column, :, y : y + SIZE, x : x + SIZE].float(), window)
    ]
    (place,) = exact
    return place


def test_batches_are_windows_of_one_picture_its_noise_its_frame_and_a_wording(store: Any) -> None:
    clean, noise, image, text = store.draw(8, SIZE, EVERYTHING)
    for k in range(8):
        row, column, y, x = found(store, store.latents, clean[k])
        assert found(store, store.noise, noise[k]) == (row, column, y, x)
        assert found(store, store.latents, image[k]) == (row, 0, y, x)
        assert y % ALIGNMENT == x % ALIGNMENT == 0
        assert any(torch.equal(text[k], wording) for wording in store.text[row, column])


def test_pictures_that_name_a_scale_are_preferred_and_all_media_drawn(store: Any) -> None:
    store.latents.copy_(
        torch.arange(ROWS * COLUMNS, dtype=torch.float16).view(ROWS, COLUMNS, 1, 1, 1).expand_as(store.latents)
    )
    drawn = store.draw(3000, SIZE, EVERYTHING)[0][:, 0, 0, 0].long()
    assert set(drawn.tolist()) == set(range(ROWS * COLUMNS))
    # A quarter of the pictures say it (15 of 31 media in one of two rows); of two drawn at random one does in 1 − (1
    # − 15/62)² of cases.
    said = store.says_scale.flatten()[drawn].float().mean().item()
    assert said == pytest.approx(1 - (1 - 0.97 * 15 / 62 - 0.03 / 2) ** 2, abs=0.04)


def test_conditions_are_missing_as_often_as_asked(store: Any) -> None:
    _, _, image, text = store.draw(3000, 8, Dropout(text=0.2, image=0.1, both=0.05, mask=0.0))
    unsaid = (text == 7).flatten(1).all(dim=1)
    unseen = (image == 0).flatten(1).all(dim=1)
    assert unsaid.float().mean().item() == pytest.approx(0.25, abs=0.03)
    assert unseen.float().mean().item() == pytest.approx(0.15, abs=0.03)
    assert (unsaid & unseen).float().mean().item() == pytest.approx(0.05, abs=0.02)
    _, _, image, _ = store.draw(400, SIZE, Dropout(0.0, 0.0, 0.0, mask=1.0))
    kept = (image != 0).any(dim=1).float().mean(dim=(1, 2))
    assert 0.3 < kept.mean().item() < 0.7
    assert kept.std().item() > 0.1


def tiny_unet() -> UNet2DConditionModel:
    torch.manual_seed(1)
    return UNet2DConditionModel(
        sample_size=32,
        in_channels=24,
        out_channels=12,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=2,
        cross_attention_dim=WIDTH,
    )


@pytest.fixture
def thirty_steps(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> float:
    """Seconds of a stage in which three rounds of steps are taken, whatever the machine: by a clock that a look moves
    on."""
    seconds = iter(range(10**6))
    monkeypatch.setattr(tool, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))
    monkeypatch.setattr(tool, "TOLD_EVERY_S", 0)
    monkeypatch.setattr(tool, "WARMUP", 1)
    # The first spec is the beginning; each round looks twice, and once more when it has told.
    return 3 * 3 + 1.0


def test_a_stage_learns_and_leaves_averages_of_what_it_learnt(
    tool: ModuleType, store: Any, thirty_steps: float, tmp_path: Path
) -> None:
    # Pictures that are all one value: what is asked is easy.
    store.latents.fill_(0.5)
    learner = tool.Learner(tiny_unet())
    before = [weight.clone() for weight in learner.masters]
    loss = tool.windows_loss(learner, store, 2)

    def error() -> float:
        torch.manual_seed(2)
        with torch.no_grad():
            return float(np.mean([float(loss()["squared"]) for _ in range(8)]))

    first = error()
    assert tool.run_stage("unet", learner, store, loss, thirty_steps, 5e-3, tmp_path) == 30
    assert error() < 0.9 * first
    log = [json.loads(line) for line in (tmp_path / "unet.jsonl").read_text().splitlines()]
    assert [row["step"] for row in log] == [10, 20, 30]
    assert all(0 < row["loss"] < 2 for row in log)
    share = 1 - tool.EMA_DECAY**30
    for old, new, average, weight in zip(before, learner.masters, learner.average, learner.weights, strict=True):
        assert torch.equal(weight.detach(), new.to(weight.dtype))
        assert (average - old).norm() <= share * 1.5 * (new - old).norm() + 1e-5
    assert any(not torch.equal(old, average) for old, average in zip(before, learner.average, strict=True))


def test_a_stage_against_a_critic_teaches_both(
    tool: ModuleType, store: Any, thirty_steps: float, tmp_path: Path
) -> None:
    learner, critic = tool.Learner(tiny_unet()), Critic(12, WIDTH, (8, 8, 8))
    before = [weight.detach().clone() for weight in critic.parameters()]
    terms = tool.against_critic(learner, critic, store, 2)
    tool.run_stage("sharpened", learner, store, terms, thirty_steps, 1e-3, tmp_path, critic)
    row = json.loads((tmp_path / "sharpened.jsonl").read_text().splitlines()[-1])
    assert row["loss"] == pytest.approx(row["squared"] + row["adversarial"] + row["critic"], abs=1e-4)
    assert any(not torch.equal(old, new) for old, new in zip(before, critic.parameters(), strict=True))
    for weight in (*learner.weights, *critic.parameters()):
        weight.grad = None
    terms()["adversarial"].backward()
    assert all(parameter.grad is None for parameter in critic.parameters())
    assert any(weight.grad is not None for weight in learner.weights)


def test_a_loss_that_is_no_number_ends_the_run(
    tool: ModuleType, store: Any, thirty_steps: float, tmp_path: Path
) -> None:
    learner = tool.Learner(tiny_unet())
    store.latents.fill_(torch.nan)
    with pytest.raises(sav.InputError, match="no number"):
        tool.run_stage("unet", learner, store, tool.windows_loss(learner, store, 2), thirty_steps, 1e-3, tmp_path)


def test_what_arrives_is_encoded_as_the_recipe_encodes_it(tool: ModuleType) -> None:
    """Random pictures and two sentences, through the shipped first stage and text encoder."""
    pipeline = sav.load_pipeline("bundled", device="cpu", dtype=torch.float32)
    gpu_store: Any = sys.modules["gpu_store"]
    gpu_store.start_renderer(Path(sav.models.__file__).parent / "bundled" / "tokenizer")
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (COLUMNS, 256, 256, 3), dtype=np.uint8)
    words = ["a pencil drawing", "Make it a mosaic."] * (COLUMNS * gpu_store.WORDINGS // 2)
    tokens = np.array(gpu_store._tokenizer(words, padding="max_length", truncation=True)["input_ids"], np.int16)
    content = gpu_store.Content(
        pictures,
        rng.standard_normal((COLUMNS, 12, 64, 64)).astype(np.float16),
        tokens.reshape(COLUMNS, gpu_store.WORDINGS, -1),
        np.arange(COLUMNS) % 2 == 0,
    )
    nothing_said = torch.zeros(48, 192, dtype=compute_dtype("cpu", training=True))
    arrived = SimpleNamespace(next=lambda timeout: content)
    store = tool.Store(pipeline.vae, pipeline.text_encoder, arrived, 1, "cpu", nothing_said)
    store.take(1.0)
    assert store.rows == store.count.item() == 1
    with torch.no_grad():
        latents = pipeline.vae.encode(to_model(pictures[3:4])).latents[0]
    assert (store.latents[0, 3].float() - latents).abs().max() < 0.05 * latents.abs().max()
    text = embed_captions(pipeline.text_encoder, pipeline.tokenizer, words[:2])
    assert (store.text[0, 0, :2].float() - text.float()).abs().max() < 0.05 * text.abs().max()
    np.testing.assert_array_equal(store.noise[0].numpy(), content.noise)
    np.testing.assert_array_equal(store.says_scale[0].numpy(), content.says_scale)
