"""The training loop learns, resumes, and keeps small steps in half precision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from style_a_video.training.loop import Schedule, train


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
        train("line", model, loss, schedule, tmp_path / folder, mixed_precision=model if reduced else None)
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
    """A child whose gradient is huge in the first step does not shrink the other's, so that one's two equal steps of
    Adam are its rate each."""
    both = torch.nn.ModuleDict({name: torch.nn.Linear(1, 1, bias=False) for name in ("loud", "quiet")})
    before, steps = float(both["quiet"].weight), iter((1e3, 0.0))

    def loss(rng: np.random.Generator) -> dict[str, torch.Tensor]:
        return {"loud": next(steps) * both["loud"].weight.sum(), "quiet": 0.1 * both["quiet"].weight.sum()}

    schedule = Schedule(2, learning_rate=1e-2, warmup=1, decay=0.0, ema_decay=0.0, weight_decay=0.0)
    train("both", both, loss, schedule, tmp_path)
    assert before - float(both["quiet"].weight) == pytest.approx(0.02, rel=1e-3)


def test_a_bfloat16_model_learns_steps_smaller_than_its_own_grain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its weights are 1.0, whose neighbours in bfloat16 are 0.004 away. A hundred steps of 1e-4 must add up."""
    monkeypatch.setattr("style_a_video.training.loop.compute_dtype", lambda *_, **__: torch.bfloat16)
    model = torch.nn.Linear(3, 1, bias=False)
    torch.nn.init.ones_(model.weight)

    def loss(rng: np.random.Generator) -> torch.Tensor:
        assert model.weight.dtype == torch.bfloat16
        return -model(torch.ones(1, 3, dtype=torch.bfloat16)).float().sum()

    schedule = Schedule(steps=100, learning_rate=1e-4, warmup=1, decay=0.0, weight_decay=0.0)
    train("line", model, loss, schedule, tmp_path, mixed_precision=model)
    assert model.weight.dtype == torch.float32
    assert 1.004 < float(model.weight.detach().mean()) <= 1.0101
