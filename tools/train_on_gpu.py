"""Train a bundled model's UNet further on one GPU, in minutes: what made the weights that ship.

    python tools/train_on_gpu.py START OUTPUT --windows-s 220 --critic-s 380

The objectives are those of the recipe (`style_a_video.training`): windows of 128², then whole pictures against a
critic. On a GPU the recipe's draws would take ten times as long as its steps. So here processes render contents while
the GPU trains, latents, noise and the states of captions stay in its memory, batches are drawn there, and a whole
step (draw, both passes, optimizer, average) is one CUDA graph. Batches depend on how fast contents arrive: a second
run makes other weights. Other than in the recipe, too: larger batches, rates as below, a wider critic that learns at
twice the UNet's rate; the stage against it starts from the last weights, not their average; no exercises and no whole
pictures before the critic; eight captions a picture, not one anew for every sample.
Writes OUTPUT, and its losses beside it, in OUTPUT.logs (for benchmarks/training_curves.py).
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
import torch.nn.functional as F
import typer
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor, nn

from gpu_store import SIDE, Store, make_content, start_renderer, states
from style_a_video.devices import compute_dtype
from style_a_video.errors import InputError
from style_a_video.optimization import predict_clean
from style_a_video.training import bundled
from style_a_video.training.sharpening import SHARES, TIMESTEPS, Critic, critic_loss
from style_a_video.training.teachers.chance import CHANNELS
from style_a_video.training.unet import FRESH_BELOW, FRESH_SHARE, Dropout, build_scheduler

FIRST_CONTENTS = 48
"""So many are waited for before the first step."""
CRITIC_WIDTHS = (128, 256, 320)
RATE, RATE_AGAINST_CRITIC, CRITIC_RATE = 1e-3, 3e-4, 6e-4
WARMUP, DECAY = 200, 0.3
"""Steps over which the rate rises, and the share of a stage's seconds, at its end, over which it falls to nothing."""
EMA_DECAY = 0.9995
TOLD_EVERY_S = 10
STEPS_AT_ONCE = 10
"""Between two looks at the clock and at what has arrived."""


@dataclass
class Learner:
    """The UNet in half precision, its weights in float32, and their average."""

    unet: UNet2DConditionModel
    weights: list[Tensor] = field(init=False)
    masters: list[Tensor] = field(init=False)
    average: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        self.masters = [p.detach().float().clone() for p in self.unet.parameters()]
        self.average = [p.clone() for p in self.masters]
        self.unet.to(compute_dtype(self.masters[0].device, training=True)).train()
        self.weights = list(self.unet.parameters())

    def velocity(self, noisy: Tensor, image: Tensor, timesteps: Tensor, text: Tensor) -> Tensor:
        return self.unet(torch.cat([noisy, image], dim=1).to(self.unet.dtype), timesteps, text).sample.float()


Terms = dict[str, Tensor]


def windows_loss(learner: Learner, store: Store, batch: int) -> Callable[[], Terms]:
    """`training.unet.denoising_loss`."""
    signals = build_scheduler().alphas_cumprod.to(store.device)

    def loss() -> Terms:
        clean, noise, image, text = store.draw(batch, SIDE // 2, Dropout())
        late = 900 + store.integers(batch, 100)
        timesteps = torch.where(store.uniform(batch) < 0.5, late, store.integers(batch, 1000))
        fresh = (store.uniform(batch) < FRESH_SHARE) & (timesteps < FRESH_BELOW)
        noise = torch.where(fresh[:, None, None, None], torch.randn_like(noise), noise)
        alpha_cumprod = signals[timesteps][:, None, None, None]
        noisy = alpha_cumprod.sqrt() * clean + (1 - alpha_cumprod).sqrt() * noise
        wanted = alpha_cumprod.sqrt() * noise - (1 - alpha_cumprod).sqrt() * clean
        return {"squared": F.mse_loss(learner.velocity(noisy, image, timesteps, text), wanted)}

    return loss


def against_critic(learner: Learner, critic: Critic, store: Store, batch: int) -> Callable[[], Terms]:
    """`training.sharpening.adversarial_loss`."""
    signals = build_scheduler().alphas_cumprod.to(store.device)
    choices = torch.tensor(TIMESTEPS, device=store.device)
    edges = torch.tensor(np.cumsum(SHARES)[:-1], dtype=torch.float32, device=store.device)

    def loss() -> Terms:
        clean, noise, frame, text = store.draw(batch, SIDE, Dropout(0.04, 0.03, 0.02, 0.06))
        timesteps = choices[torch.bucketize(store.uniform(batch), edges)]
        alpha_cumprod = signals[timesteps][:, None, None, None]
        noisy = alpha_cumprod.sqrt() * clean + (1 - alpha_cumprod).sqrt() * noise
        velocity = learner.velocity(noisy, frame, timesteps, text)
        predicted = predict_clean(velocity, noisy, alpha_cumprod, "v_prediction")

        def score(latents: Tensor) -> Tensor:
            return critic(latents, frame, text.float(), alpha_cumprod)

        judged, real = critic_loss(score, clean, predicted.detach(), 0.1, 0.05, 1e-3)
        critic.requires_grad_(False)
        wish = F.softplus(real - score(predicted)).mean()
        critic.requires_grad_(True)
        squared = F.mse_loss(velocity, alpha_cumprod.sqrt() * noise - (1 - alpha_cumprod).sqrt() * clean)
        return {"squared": squared, "adversarial": 0.5 * wish, "critic": judged}

    return loss


def run_stage(
    name: str,
    learner: Learner,
    store: Store,
    loss: Callable[[], Terms],
    seconds: float,
    rate: float,
    logs: Path,
    critic: Critic | None = None,
) -> int:
    """Train for `seconds` and log to `logs`/NAME.jsonl. Returns the steps taken.

    Raises InputError when a loss is no number.
    """
    of_critic = list(critic.parameters()) if critic else []
    rates = [torch.tensor(0.0, device=store.device) for _ in range(2)]
    groups: list[dict[str, Any]] = [{"params": learner.masters, "lr": rates[0]}]
    if critic:
        groups.append({"params": of_critic, "lr": rates[1]})
    captured = store.device == "cuda"
    optimizer = torch.optim.AdamW(
        groups,
        betas=(0.5 if critic else 0.9, 0.99),
        weight_decay=1e-4 if critic else 1e-3,
        fused=True,
        capturable=captured,
    )
    sums: Terms = {}

    def step() -> None:
        terms = loss()
        torch.stack(list(terms.values())).sum().backward()
        for master, weight in zip(learner.masters, learner.weights, strict=True):
            assert weight.grad is not None  # every weight takes part in every branch
            master.grad = weight.grad.float()
        for clipped in (learner.masters, of_critic):
            nn.utils.clip_grad_norm_(clipped, 1.0)
        optimizer.step()
        torch._foreach_copy_([weight.detach() for weight in learner.weights], learner.masters)
        torch._foreach_lerp_(learner.average, learner.masters, 1 - EMA_DECAY)
        for term, value in terms.items():
            sums.setdefault(term, torch.zeros_like(value)).add_(value.detach())

    def forget() -> None:
        for parameter in (*learner.weights, *learner.masters, *of_critic):
            parameter.grad = None

    def step_and_forget() -> None:
        step()
        forget()

    forget()
    replay = _captured(step_and_forget, step) if captured else step_and_forget
    for value in sums.values():
        value.zero_()
    taken, told = 0, (time.monotonic(), 0)
    began = told[0]
    with (logs / f"{name}.jsonl").open("a") as log:
        while (spent := time.monotonic() - began) < seconds:
            factor = min(1.0, (taken + 1) / WARMUP, (seconds - spent) / (DECAY * seconds))
            rates[0].fill_(rate * factor)
            rates[1].fill_(CRITIC_RATE * factor)
            for _ in range(STEPS_AT_ONCE):
                replay()
            taken += STEPS_AT_ONCE
            store.take(1e-4)
            if time.monotonic() - told[0] > TOLD_EVERY_S:
                told = _tell(name, taken, taken - told[1], sums, store.rows, log)
    return taken


def _tell(name: str, taken: int, since: int, sums: Terms, rows: int, log: TextIO) -> tuple[float, int]:
    """Log the means of the last steps, and begin new ones. Returns when that was, and at which step."""
    means = {term: float(value) / since for term, value in sums.items()}
    for value in sums.values():
        value.zero_()
    if not all(np.isfinite(mean) for mean in means.values()):
        raise InputError(f"{name}: a loss is no number after {taken} steps, nothing was written")
    means = (means if len(means) > 1 else {}) | {"loss": sum(means.values())}
    record = json.dumps({"step": taken, "contents": rows, **{term: round(mean, 5) for term, mean in means.items()}})
    log.write(record + "\n")
    log.flush()
    print(name, record, flush=True)
    return time.monotonic(), taken


def _captured(warm_up: Callable[[], None], step: Callable[[], None]) -> Callable[[], None]:
    """The step as a CUDA graph, after a few at rate 0 to warm up."""
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(4):
            warm_up()
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


@contextmanager
def renderers(start: Path, seed: int, count: int, workers: int) -> Iterator[Any]:
    """An iterator of contents, whose processes end with the block."""
    with multiprocessing.get_context("spawn").Pool(workers, start_renderer, (start / "tokenizer",)) as pool:
        yield pool.imap_unordered(make_content, [(seed, number) for number in range(count)])


def main(
    start: Path,
    output: Path,
    windows_s: float = 220,
    critic_s: float = 380,
    capacity: int = 1500,
    seed: int = 7,
    workers: int = 14,
    device: str = "cuda",
    batch: int = 64,
) -> None:
    started_from = bundled.record_of(start)
    bundled.check_output(output)
    logs = output.with_name(output.name + ".logs")
    logs.mkdir(parents=True, exist_ok=True)
    with renderers(start, seed, capacity, workers) as arriving:
        torch.manual_seed(seed)
        # cuDNN's attention and its autotuning were on in the one run that gave NaN; which of them it was is not known.
        torch.backends.cuda.enable_cudnn_sdp(False)
        parts = bundled.parts_of(start, device)
        empty = parts.tokenizer([""], padding="max_length", truncation=True, return_tensors="pt").input_ids.to(device)
        store = Store(parts.vae, parts.text_encoder, arriving, capacity, device, states(parts.text_encoder, empty)[0])
        unet = UNet2DConditionModel.from_pretrained(start / "unet", use_safetensors=True).float().to(device)
        unet.set_attn_processor(AttnProcessor())
        learner = Learner(unet)
        while store.rows < min(FIRST_CONTENTS, capacity):
            store.take(5.0)
        taken = run_stage("unet", learner, store, windows_loss(learner, store, batch), windows_s, RATE, logs)
        critic = Critic(CHANNELS, store.nothing_said.shape[-1], CRITIC_WIDTHS).to(device)
        against = against_critic(learner, critic, store, batch // 4)
        sharpened = run_stage("sharpened", learner, store, against, critic_s, RATE_AGAINST_CRITIC, logs, critic)
    if not all(bool(weight.isfinite().all()) for weight in learner.average):
        raise InputError("some weights are no numbers, nothing was written")
    unet.float()
    torch._foreach_copy_([weight.detach() for weight in unet.parameters()], learner.average)
    unet.set_default_attn_processor()
    record = {
        "budget": {"contents": store.rows, "unet_steps": taken, "sharpen_steps": sharpened},
        "batches": {"unet": batch, "sharpened": batch // 4}, "rates": [RATE, RATE_AGAINST_CRITIC, CRITIC_RATE],
        "critic": CRITIC_WIDTHS, "seed": seed, "made_by": "tools/train_on_gpu.py", "started_from": started_from,
    }  # fmt: skip
    bundled.assemble(output, parts, unet, record)


if __name__ == "__main__":
    typer.run(main)
