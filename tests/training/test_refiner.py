"""Clips with true flow, the refiner's loss term by term against loops, and a training that lowers it."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import style_a_video as sav
from style_a_video.temporal import Refiner
from style_a_video.training.budgets import RefinerBudget
from style_a_video.training.refiner import (
    detail_term,
    random_batches,
    refining_loss,
    temporal_term,
    train_refiner,
)
from style_a_video.training.sequences import Sequence, disturbed_renderer, load_sequences, make_sequences, moving_scene
from tests.temporal.test_warp import warp_loop


@pytest.fixture(scope="module")
def scenes():
    return [moving_scene(np.random.default_rng(k), length=4, side=64) for k in range(6)]


def test_the_scenes_flow_is_true(scenes):
    """Warping the frame before by the flow gives the frame, where it was visible; far better than not warping."""
    followed, stayed = [], []
    for scene in scenes:
        frames = scene.frames.transpose(0, 3, 1, 2).astype(float)
        for t in range(1, 4):
            seen = scene.visible[t - 1]
            # The edge of what is in front is half of each.
            warped = warp_loop(frames[t - 1], scene.flows[t - 1].astype(float))
            followed.append(np.median(np.abs(frames[t] - warped).mean(axis=0)[seen]))
            stayed.append(np.median(np.abs(frames[t] - frames[t - 1]).mean(axis=0)[seen]))
    assert np.mean(followed) < 0.5 * np.mean(stayed)
    assert max(followed) < 0.03


def test_disturbed_frames_differ_where_the_scene_does_not():
    still = np.repeat(moving_scene(np.random.default_rng(1), length=2, side=64).frames[:1], 3, axis=0)
    styled = disturbed_renderer(np.random.default_rng(2), still)
    assert styled.shape == still.shape
    assert np.abs(styled[0] - styled[1]).mean() > 0.005


def test_the_temporal_term_equals_a_loop():
    rng = np.random.default_rng(0)
    now, before = rng.random((2, 2, 3, 12, 14))
    flow = np.zeros((2, 2, 12, 14))
    flow[:, 0], flow[:, 1] = 2.0, -1.0  # whole pixels, where bicubic and bilinear agree
    visible = (rng.random((2, 1, 12, 14)) < 0.6).astype(float)
    visible[..., :4], visible[..., -4:], visible[..., :3, :], visible[..., -3:, :] = 0, 0, 0, 0
    wanted = np.mean([v * np.abs(n - warp_loop(b, f)) for n, b, f, v in zip(now, before, flow, visible, strict=True)])
    found = temporal_term(*(torch.from_numpy(a) for a in (now, before, flow, visible)))
    assert float(found) == pytest.approx(wanted, abs=1e-9)


def test_the_detail_term_misses_what_blur_takes_and_no_shift():
    frames = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    blurred = torch.nn.functional.avg_pool2d(frames, 3, stride=1, padding=1)
    assert detail_term(frames, frames) == 0
    assert detail_term(blurred, frames) > 10 * detail_term(frames.roll(4, -1), frames)


def test_training_steadies(tmp_path):
    """On one flickering still clip: a few steps lower the loss, and the gradient reaches every parameter."""
    torch.manual_seed(0)
    content = torch.from_numpy(moving_scene(np.random.default_rng(3), length=2, side=32).frames[:1]).permute(0, 3, 1, 2)
    frames = content[None].expand(2, 4, -1, -1, -1)
    styled = (frames + 0.1 * torch.randn(2, 4, 3, 1, 1)).clamp(0, 1)
    clip = Sequence(frames, styled, torch.zeros(2, 3, 2, 32, 32), torch.ones(2, 3, 1, 32, 32))
    refiner = Refiner("warped", width=8, blocks=1)
    loss = refining_loss(refiner, lambda _: clip)
    optimizer = torch.optim.Adam(refiner.parameters(), 1e-2)
    values = []
    reached: set[str] = set()
    for _ in range(100):
        value = loss(np.random.default_rng(0))
        value.backward()
        reached |= {name for name, p in refiner.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
        optimizer.step()
        optimizer.zero_grad()
        values.append(float(value.detach()))
    assert reached == dict(refiner.named_parameters()).keys()
    assert values[-1] < 0.7 * values[0]


def test_another_seed_is_another_training(tmp_path):
    for seed in (0, 1, 0):
        train_refiner(tmp_path / "work", tmp_path / f"out{seed}", "bundled", RefinerBudget(clips=1, steps=1), seed)
    weights = [
        load_file(tmp_path / f"out{seed}" / "diffusion_pytorch_model.safetensors")["body.0.first.weight"]
        for seed in (0, 1)
    ]
    assert not torch.equal(*weights)
    assert not list(tmp_path.glob("*.partial"))


def test_sequences_on_disk_are_kept_and_load_as_batches(tmp_path, bundled):
    make_sequences(tmp_path, bundled, 3, seed=0)
    stamps = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    (tmp_path / "00001.npz").unlink()
    make_sequences(tmp_path, bundled, 3, seed=0)
    assert sorted(stamps) == ["00000.npz", "00001.npz", "00002.npz"]
    assert (tmp_path / "00000.npz").stat().st_mtime_ns == stamps["00000.npz"]
    batch = load_sequences(sorted(tmp_path.iterdir())[:2])
    assert batch.frames.shape == batch.styled.shape == (2, 8, 3, 128, 128)
    assert batch.flows.shape == (2, 7, 2, 128, 128)
    assert batch.visible.shape == (2, 7, 1, 128, 128)
    drawn = random_batches(tmp_path, batch=2)(np.random.default_rng(0))
    assert drawn.styled.max() <= 1


def test_a_folder_of_other_things_is_not_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(sav.InputError, match="no refiner"):
        train_refiner(tmp_path / "work", tmp_path / "mine", "bundled", RefinerBudget(clips=1, steps=1), 0)
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_clips_that_a_killed_run_left_half_written_are_not_read(tmp_path):
    (tmp_path / ".00000.abc.partial.npz").write_bytes(b"half")
    np.savez(
        tmp_path / "00000.npz", frames=np.zeros((2, 8, 8, 3), np.uint8), styled=np.zeros((2, 8, 8, 3), np.uint8),
        flows=np.zeros((1, 2, 8, 8), np.float16), visible=np.ones((1, 8, 8), bool),
    )  # fmt: skip
    assert random_batches(tmp_path, batch=2)(np.random.default_rng(0)).frames.shape == (2, 2, 3, 8, 8)
