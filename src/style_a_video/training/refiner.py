"""The refiner's loss and its training (docs/method.md, section 2.5)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..atomic import atomic_path
from ..errors import InputError
from ..models import bundled_folder, load_pipeline
from ..temporal import backward_warp, detail_strength, dis_flow, motion_between
from ..temporal.refiner import Form, Refined, Refiner, refine
from .budgets import RefinerBudget
from .loop import Schedule, claim, train
from .sequences import Sequence, load_sequences, make_sequences

TEMPORAL_WEIGHT = 4.0
DETAIL_WEIGHT = 1.0
BATCH = 4
RECIPE = 4
"""Of the clips; one more whenever `sequences` or what it runs changes what they show."""


def temporal_term(refined: Tensor, refined_before: Tensor, flow: Tensor, visible: Tensor) -> Tensor:
    """Mean of M ⊙ |R^f − W(R^{f−1})| over pixels and channels. W is bicubic, as the refiner itself warps.

    Args:
        refined, refined_before: (B, 3, H, W).
        flow, visible: true flow (B, 2, H, W) from f to f − 1, and where it holds (B, 1, H, W).
    """
    return (visible * (refined - backward_warp(refined_before, flow, "bicubic")).abs()).mean()


def detail_term(refined: Tensor, stylized: Tensor) -> Tensor:
    """Mean of |s(R^f) − s(P^f)|, s the `detail_strength`. Without this term a blur would be learnt."""
    return (detail_strength(refined) - detail_strength(stylized)).abs().mean()


def refining_loss(
    refiner: Refiner, draw: Callable[[np.random.Generator], Sequence]
) -> Callable[[np.random.Generator], Tensor]:
    """TEMPORAL_WEIGHT·‖M ⊙ (R^f − W(R^{f−1}))‖₁ + ‖R^f − P^f‖₁ + DETAIL_WEIGHT·detail (section 2.5).

    All are means over pixels, then over the frames of a clip. Gradients flow through all frames. The network sees
    motion as it will be estimated; the loss knows the true one.
    """
    estimate = dis_flow()

    def loss(rng: np.random.Generator) -> Tensor:
        clip = draw(rng)
        before = Refined(clip.styled[:, 0], clip.styled[:, 0])
        terms = []
        for f in range(1, clip.frames.shape[1]):
            now = refine(
                refiner, clip.styled[:, f], before, motion_between(estimate, clip.frames[:, f - 1], clip.frames[:, f])
            )
            temporal = temporal_term(now.refined, before.refined, clip.flows[:, f - 1], clip.visible[:, f - 1])
            fidelity = (now.refined - now.stylized).abs().mean()
            terms.append(TEMPORAL_WEIGHT * temporal + fidelity + DETAIL_WEIGHT * detail_term(now.refined, now.stylized))
            before = now
        return torch.stack(terms).mean()

    return loss


def random_batches(
    folder: Path, batch: int = BATCH, count: int | None = None
) -> Callable[[np.random.Generator], Sequence]:
    """A drawer of random clips of `make_sequences`, of the first `count` of them (all by default)."""
    paths = sorted(folder.glob("[0-9]*.npz"))[:count]

    def draw(rng: np.random.Generator) -> Sequence:
        return load_sequences([paths[k] for k in rng.integers(0, len(paths), batch)])

    return draw


def check_output(output: Path) -> None:
    """Raise InputError where something is that must not be replaced."""
    expected = {"config.json", "diffusion_pytorch_model.safetensors"}
    if output.is_file() or (output.is_dir() and not {path.name for path in output.iterdir()} <= expected):
        raise InputError(f"{output} is no refiner, so it is not replaced: give another --output")


def train_refiner(
    work: Path, output: Path, model: str | Path, budget: RefinerBudget, seed: int, form: Form = "warped"
) -> None:
    """Make clips with `model` under `work`, train on them, and write the refiner to the folder `output` in float16.

    Run again after a cut-off, it goes on where it was; finished, it writes the same weights again.

    Raises:
        InputError: when `model` cannot be loaded, `work` holds the clips of another model or recipe, or `output` is a
            folder with anything but a refiner in it.
    """
    check_output(output)
    clips = work / f"clips_{seed}"
    record = (bundled_folder() if model == "bundled" else Path(model)) / "training.json"
    # Clips of one model are not those of another, nor those of another recipe.
    claim(clips, {"model": json.loads(record.read_text()) if record.is_file() else str(model), "recipe": RECIPE})
    make_sequences(clips, load_pipeline(model), budget.clips, seed)
    torch.manual_seed(seed)
    refiner = Refiner(form)
    schedule = Schedule(budget.steps, learning_rate=1e-3, ema_decay=0.998)
    loss = refining_loss(refiner, random_batches(clips, count=budget.clips))
    # Beside the clips, which belong to one seed and model, as the checkpoint then does.
    train(f"refiner_{form}", refiner, loss, schedule, clips, seed)
    with atomic_path(output) as partial:
        refiner.half().save_pretrained(partial, safe_serialization=True)
