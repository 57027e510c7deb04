"""One training loop for every trained part: seeded, checkpointed, resumable, with an average of the weights."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor, nn

Loss = Callable[[np.random.Generator], Tensor]
"""Draws one batch with the given generator and returns the scalar loss."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train."""

    steps: int
    learning_rate: float
    warmup: int = 100
    decay: float = 0.25
    """Share of the steps, at the end, over which the rate falls to nothing; constant before, so a run can be extended."""
    ema_decay: float = 0.999
    weight_decay: float = 1e-4
    checkpoint_every_s: float = 180.0

    def rate(self, step: int) -> float:
        """Learning rate at `step`: linear warm-up, constant, linear decay."""
        left = (self.steps - step) / max(1.0, self.decay * self.steps)
        return self.learning_rate * min(1.0, (step + 1) / self.warmup, max(left, 0.0))


def train(name: str, model: nn.Module, loss: Loss, schedule: Schedule, folder: Path, seed: int = 0) -> None:
    """Train `model` in place on `loss` and leave it holding the averaged (EMA) weights.

    Writes `folder/NAME.pt` (weights, averages, optimizer, step) every few minutes and at the end, and appends
    `folder/NAME.jsonl` (step, loss, rate, samples). A run that finds a checkpoint goes on from it. Batches depend on
    (seed, step) alone, so a resumed run sees what an unbroken one would have seen.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.pt"
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters, lr=schedule.learning_rate, weight_decay=schedule.weight_decay, betas=(0.9, 0.99), fused=True
    )
    average = [p.detach().clone() for p in parameters]
    step = _resume(path, parameters, average, optimizer)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[loss]}"),
               TimeElapsedColumn(), TimeRemainingColumn())  # fmt: skip
    model.train()
    saved, recent = time.monotonic(), []
    with Progress(*columns) as progress, (folder / f"{name}.jsonl").open("a") as log:
        task = progress.add_task(name, total=schedule.steps, completed=step, loss="")
        while step < schedule.steps:
            rate = schedule.rate(step)
            for group in optimizer.param_groups:
                group["lr"] = rate
            torch.manual_seed(seed * 1_000_003 + step)
            value = loss(np.random.default_rng((seed, step)))
            value.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            # A young average must forget its random start: the decay grows with the step.
            decay = min(schedule.ema_decay, (1 + step) / (10 + step))
            torch._foreach_lerp_(average, [p.detach() for p in parameters], 1 - decay)
            step += 1
            recent.append(float(value.detach()))
            if step % 50 == 0:
                mean = float(np.mean(recent))
                recent.clear()
                log.write(json.dumps({"step": step, "loss": round(mean, 5), "rate": rate, "time": time.time()}) + "\n")
                log.flush()
                progress.update(task, loss=f"loss {mean:.4f}")
            progress.update(task, completed=step)
            if time.monotonic() - saved > schedule.checkpoint_every_s or step == schedule.steps:
                _save(path, parameters, average, optimizer, step)
                saved = time.monotonic()
    with torch.no_grad():
        for parameter, value in zip(parameters, average, strict=True):
            parameter.copy_(value)
    model.eval()


def load_average(path: Path, model: nn.Module) -> int:
    """Copy the averaged weights of a checkpoint into `model`; return its step.

    Raises FileNotFoundError when there is none, RuntimeError when the shapes differ.
    """
    state = torch.load(path, map_location="cpu", weights_only=True)
    parameters = [p for p in model.parameters() if p.requires_grad]
    with torch.no_grad():
        for parameter, value in zip(parameters, state["average"], strict=True):
            parameter.copy_(value)
    return int(state["step"])


def _resume(
    path: Path, parameters: Sequence[Tensor], average: Sequence[Tensor], optimizer: torch.optim.Optimizer
) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, map_location=parameters[0].device, weights_only=True)
    with torch.no_grad():
        for target, values in ((parameters, state["parameters"]), (average, state["average"])):
            for parameter, value in zip(target, values, strict=True):
                parameter.copy_(value)
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])


def _save(
    path: Path, parameters: Sequence[Tensor], average: Sequence[Tensor], optimizer: torch.optim.Optimizer, step: int
) -> None:
    """Write beside, then rename: a cut-off never leaves half a checkpoint."""
    partial = path.with_suffix(".partial")
    torch.save(
        {
            "parameters": [p.detach() for p in parameters],
            "average": average,
            "optimizer": optimizer.state_dict(),
            "step": step,
        },
        partial,
    )
    os.replace(partial, path)
