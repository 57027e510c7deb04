"""One training loop for every trained part: seeded, checkpointed, resumable, with an average of the weights."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from torch import Tensor, nn

from ..atomic import atomic_path, discard, write_atomically
from ..devices import compute_dtype
from ..errors import InputError

Loss = Callable[[np.random.Generator], Tensor | dict[str, Tensor]]
"""Draws one batch with the given generator and returns the scalar loss, or its terms by name."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train."""

    steps: int
    learning_rate: float
    warmup: int = 100
    decay: float = 0.25
    """Share of the steps, at the end, over which the rate falls to nothing. Before, a run can be extended."""
    ema_decay: float = 0.999
    beta1: float = 0.9
    """AdamW's decay of the mean gradient."""
    weight_decay: float = 1e-4
    checkpoint_every_s: float = 180.0
    rates: dict[str, float] = field(default_factory=dict)
    """By child of an nn.ModuleDict, how many times `learning_rate` it learns at, where that is not once."""

    def rate(self, step: int) -> float:
        """Learning rate at `step`: linear warm-up, constant, linear decay."""
        left = (self.steps - step) / max(1.0, self.decay * self.steps)
        return self.learning_rate * min(1.0, (step + 1) / self.warmup, max(left, 0.0))


def claim(folder: Path, run: dict[str, Any]) -> None:
    """Make a folder belong to `run`, which JSON can hold. Raises InputError where it belongs to another."""
    path = folder / "run.json"
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != run:
        raise InputError(
            f"{folder} holds a run of another start, model, seed or budget: give a new --work, or what it had"
        )
    if not path.exists():
        write_atomically(path, json.dumps(run))


def train(
    name: str,
    model: nn.Module,
    loss: Loss,
    schedule: Schedule,
    folder: Path,
    seed: int = 0,
    mixed_precision: nn.Module | None = None,
    on_checkpoint: Callable[[], None] | None = None,
) -> None:
    """Train `model` in place on `loss` and leave it holding the averaged (EMA) weights, in float32.

    `mixed_precision`, the model or a part of it, computes in the device's `compute_dtype`. Where that is not float32,
    it learns through float32 copies of its weights: small steps would be rounded away in its own. Of an nn.ModuleDict
    every child's gradient is clipped by itself.

    Writes `folder/NAME.pt` (weights, averages, optimizer, step) every few minutes and at the end, then calls
    `on_checkpoint`. Appends `folder/NAME.jsonl` (step, loss and its terms, rate, time). A run that finds a checkpoint
    goes on from it. Batches depend on (seed, step) alone, so a resumed run sees what an unbroken one would have seen.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.pt"
    weights = [p for p in model.parameters() if p.requires_grad]
    dtype = compute_dtype(weights[0].device, training=True)
    reduced = set(mixed_precision.parameters()) if mixed_precision and dtype != torch.float32 else set()
    parameters = [p.detach().clone() if p in reduced else p for p in weights]
    if mixed_precision:
        mixed_precision.to(dtype)
    parts = _by_child(model, dict(zip(weights, parameters, strict=True)))
    optimizer = torch.optim.AdamW(
        [{"params": some, "share": schedule.rates.get(name, 1.0)} for name, some in parts.items()],
        schedule.learning_rate,
        (schedule.beta1, 0.99),
        weight_decay=schedule.weight_decay,
        fused=True,
    )
    average = [p.detach().clone() for p in parameters]
    for left in folder.glob(f".{name}.*.partial.pt"):  # by a run that was killed while it wrote
        discard(left)
    step = _resume(path, parameters, average, optimizer, schedule)
    _copy(parameters, weights)
    model.train()
    saved = time.monotonic()
    recent: list[dict[str, float]] = []
    with Progress(*_columns()) as progress, (folder / f"{name}.jsonl").open("a") as log:
        task = progress.add_task(name, total=schedule.steps, completed=step, loss="")
        while step < schedule.steps:
            rate = schedule.rate(step)
            for group in optimizer.param_groups:
                group["lr"] = rate * group["share"]
            torch.manual_seed(seed * 1_000_003 + step)
            terms = _backward(loss(np.random.default_rng((seed, step))))
            _hand_gradients_over(weights, parameters)
            for clipped in parts.values():
                torch.nn.utils.clip_grad_norm_(clipped, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            _copy(parameters, weights)
            # A young average must forget its random start: the decay grows with the step.
            decay = min(schedule.ema_decay, (1 + step) / (10 + step))
            torch._foreach_lerp_(average, [p.detach() for p in parameters], 1 - decay)
            step += 1
            recent.append(terms)
            if step % 50 == 0:
                means = _means(recent)
                recent.clear()
                log.write(json.dumps({"step": step, **means, "rate": rate, "time": time.time()}) + "\n")
                log.flush()
                progress.update(task, loss=f"loss {means['loss']:.4f}")
            progress.update(task, completed=step)
            if time.monotonic() - saved > schedule.checkpoint_every_s or step == schedule.steps:
                _save(path, parameters, average, optimizer, step)
                if on_checkpoint:
                    on_checkpoint()
                saved = time.monotonic()
    # The finished model is a float32 one, whatever it computed in.
    model.float().eval()
    _copy(average, weights)


def _backward(drawn: Tensor | dict[str, Tensor]) -> dict[str, float]:
    """The terms' values; their sum's gradients are left at the weights."""
    terms = drawn if isinstance(drawn, dict) else {"loss": drawn}
    torch.stack(list(terms.values())).sum().backward()
    return {name: float(term.detach()) for name, term in terms.items()}


def _columns() -> tuple[ProgressColumn, ...]:
    return (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[loss]}"),
        TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip


def _means(recent: list[dict[str, float]]) -> dict[str, float]:
    """The mean of every term, and as "loss" that of their sum."""
    means = {name: float(np.mean([values[name] for values in recent])) for name in recent[0]}
    return {name: round(mean, 5) for name, mean in (means | {"loss": sum(means.values())}).items()}


def _by_child(model: nn.Module, parameter_of: dict[Tensor, Tensor]) -> dict[str, list[Tensor]]:
    """The parameters that are clipped together."""
    children = dict(model.items()) if isinstance(model, nn.ModuleDict) else {"": model}
    return {
        name: [parameter_of[weight] for weight in child.parameters() if weight in parameter_of]
        for name, child in children.items()
    }


@torch.no_grad()
def _copy(values: Sequence[Tensor], targets: Sequence[Tensor]) -> None:
    for value, target in zip(values, targets, strict=True):
        if value is not target:
            target.copy_(value)


def _hand_gradients_over(weights: Sequence[Tensor], parameters: Sequence[Tensor]) -> None:
    for weight, parameter in zip(weights, parameters, strict=True):
        if weight is not parameter and weight.grad is not None:
            parameter.grad, weight.grad = weight.grad.float(), None


def _resume(
    path: Path,
    parameters: Sequence[Tensor],
    average: Sequence[Tensor],
    optimizer: torch.optim.Optimizer,
    schedule: Schedule,
) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, map_location=parameters[0].device, weights_only=True)
    _copy(state["parameters"], parameters)
    _copy(state["average"], average)
    shares = [group["share"] for group in optimizer.param_groups]
    optimizer.load_state_dict(state["optimizer"])
    # The checkpoint's moments, this run's settings.
    for group, share in zip(optimizer.param_groups, shares, strict=True):
        group.update(betas=(schedule.beta1, 0.99), weight_decay=schedule.weight_decay, share=share)
    return int(state["step"])


def _save(
    path: Path, parameters: Sequence[Tensor], average: Sequence[Tensor], optimizer: torch.optim.Optimizer, step: int
) -> None:
    """A cut-off never leaves half a checkpoint."""
    state = {
        "parameters": [p.detach() for p in parameters],
        "average": average,
        "optimizer": optimizer.state_dict(),
        "step": step,
    }
    with atomic_path(path) as partial:
        torch.save(state, partial)
