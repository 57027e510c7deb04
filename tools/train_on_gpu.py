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
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
import torch
import torch.nn.functional as F
import typer
from diffusers import AutoencoderTiny, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from style_a_video.devices import autocast, compute_dtype
from style_a_video.errors import InputError
from style_a_video.optimization import predict_clean
from style_a_video.styles.media import STYLE_NAMES
from style_a_video.styles.spec import StyleSpec
from style_a_video.training import bundled, contents
from style_a_video.training.captions import caption, random_spec
from style_a_video.training.pairs import ALIGNMENT, COLUMNS, SIZE, noise_of, to_model
from style_a_video.training.sharpening import SHARES, TIMESTEPS, Critic, critic_loss
from style_a_video.training.teachers import Chance, render
from style_a_video.training.teachers.chance import CELL, CHANNELS
from style_a_video.training.unet import FRESH_BELOW, FRESH_SHARE, Dropout, build_scheduler

SIDE = SIZE // CELL
WORDINGS = 8
"""Captions of a picture."""
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


class Content(NamedTuple):
    """A content in every medium, as a renderer hands it over."""

    pictures: NDArray[np.uint8]
    """(COLUMNS, 256, 256, 3); column 0 is the content."""
    noise: NDArray[np.float16]
    """(COLUMNS, C, 64, 64), that the marks of each hang on."""
    tokens: NDArray[np.int16]
    """(COLUMNS, WORDINGS, 48)."""
    says_scale: NDArray[np.bool_]
    """(COLUMNS,)."""


_tokenizer: CLIPTokenizer


def start_renderer(tokenizer: Path) -> None:
    import cv2

    global _tokenizer
    _tokenizer = CLIPTokenizer.from_pretrained(tokenizer)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    os.nice(5)


def make_content(job: tuple[int, int]) -> Content:
    """Content number `job[1]` of seed `job[0]`."""
    seed, number = job
    rng = np.random.default_rng((seed, number))
    content = contents.random_content(rng, SIZE)
    looks: list[StyleSpec | None] = [None, *(random_spec(rng, medium) for medium in STYLE_NAMES)]
    noise = [noise_of(seed, number, column) for column in range(COLUMNS)]
    pictures = [
        render(content, look, Chance(own, SIZE, SIZE)) if look else content
        for look, own in zip(looks, noise, strict=True)
    ]
    words = [caption(look, rng) for look in looks for _ in range(WORDINGS)]
    tokens = _tokenizer(words, padding="max_length", truncation=True)["input_ids"]
    return Content(
        np.round(np.stack(pictures) * 255).astype(np.uint8),
        np.stack(noise).astype(np.float16),
        np.array(tokens, np.int16).reshape(COLUMNS, WORDINGS, -1),
        np.array([bool(look and look.scale) for look in looks]),
    )


@dataclass
class Store:
    """What has been rendered so far, on the device, and batches drawn there."""

    vae: AutoencoderTiny
    text_encoder: CLIPTextModel
    arriving: Any
    """multiprocessing's iterator of Content."""
    capacity: int
    device: str
    nothing_said: Tensor
    """States of the empty caption, (48, width)."""
    rows: int = 0
    latents: Tensor = field(init=False)
    noise: Tensor = field(init=False)
    text: Tensor = field(init=False)
    says_scale: Tensor = field(init=False)
    count: Tensor = field(init=False)
    """`rows`, on the device, where a captured step reads it."""

    def __post_init__(self) -> None:
        shape = (self.capacity, COLUMNS, CHANNELS, SIDE, SIDE)
        self.latents = torch.zeros(shape, dtype=torch.float16, device=self.device)
        self.noise = torch.zeros_like(self.latents)
        self.text = torch.zeros(
            (self.capacity, COLUMNS, WORDINGS, *self.nothing_said.shape),
            dtype=self.nothing_said.dtype,
            device=self.device,
        )
        self.says_scale = torch.zeros((self.capacity, COLUMNS), dtype=torch.bool, device=self.device)
        self.count = torch.zeros((), device=self.device)

    @torch.no_grad()
    def take(self, wait: float) -> None:
        """Whatever has arrived; waits up to `wait` seconds for the first."""
        while self.rows < self.capacity:
            try:
                content: Content = self.arriving.next(timeout=wait)
            except multiprocessing.TimeoutError:
                return
            with autocast(self.device):
                self.latents[self.rows] = self.vae.encode(to_model(content.pictures).to(self.device)).latents.half()
            self.noise[self.rows] = torch.from_numpy(content.noise)
            tokens = torch.from_numpy(content.tokens.astype(np.int64)).to(self.device)
            self.text[self.rows] = states(self.text_encoder, tokens.flatten(0, 1)).unflatten(0, (COLUMNS, WORDINGS))
            self.says_scale[self.rows] = torch.from_numpy(content.says_scale)
            self.rows += 1
            self.count.fill_(self.rows)
            wait = 1e-4

    def draw(self, batch: int, size: int, dropout: Dropout) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """`training.unet.random_windows` on the device: clean latents, noise and image slot (B, C, size, size), text
        states."""
        (first, column), (second, other) = self._picked(batch), self._picked(batch)
        better = self.says_scale[second, other] & ~self.says_scale[first, column]
        row, column = torch.where(better, second, first), torch.where(better, other, column)
        corner = ALIGNMENT * self.integers(2 * batch, (SIDE - size) // ALIGNMENT + 1).view(2, batch, 1)
        y, x = corner + torch.arange(size, device=self.device)
        channel = torch.arange(CHANNELS, device=self.device)[None, :, None, None]
        window = (channel, y[:, None, :, None], x[:, None, None, :])
        rows, columns = row[:, None, None, None], column[:, None, None, None]
        clean, noise = (part[(rows, columns, *window)].float() for part in (self.latents, self.noise))
        image = self.latents[(rows, torch.zeros_like(columns), *window)].float()
        text = self.text[row, column, self.integers(batch, WORDINGS)]
        fate = self.uniform(batch)
        unsaid = fate < dropout.text + dropout.both
        unseen = (fate >= dropout.text) & (fate < dropout.text + dropout.both + dropout.image)
        masked = ~unseen & (self.uniform(batch) < dropout.mask)
        unsaid = unsaid | masked & (self.uniform(batch) < 0.5)
        image = torch.where(masked[:, None, None, None], image * self._masks(batch, size), image)
        image = torch.where(unseen[:, None, None, None], torch.zeros_like(image), image)
        return clean, noise, image, torch.where(unsaid[:, None, None], self.nothing_said, text)

    def _picked(self, batch: int) -> tuple[Tensor, Tensor]:
        column = 1 + self.integers(batch, COLUMNS - 1)
        plain = self.uniform(batch) < 0.03
        return (self.uniform(batch) * self.count).long(), torch.where(plain, torch.zeros_like(column), column)

    def _masks(self, batch: int, size: int) -> Tensor:
        """Blobs that keep a random half or so, (B, 1, size, size)."""
        coarse = torch.randn(batch, 1, max(2, size // 4), max(2, size // 4), device=self.device)
        smooth = F.interpolate(coarse, size=(size // 2, size // 2), mode="bicubic")
        kept = smooth > self.uniform(batch)[:, None, None, None] * 1.2 - 0.6
        return F.interpolate(kept.float(), size=(size, size), mode="nearest")

    def uniform(self, count: int) -> Tensor:
        return torch.rand(count, device=self.device)

    def integers(self, count: int, below: int) -> Tensor:
        return (self.uniform(count) * below).long().clamp(max=below - 1)


@torch.no_grad()
def states(encoder: CLIPTextModel, tokens: Tensor) -> Tensor:
    """(N, tokens, width) in the dtype that the device trains in."""
    with autocast(encoder.device):
        return encoder(tokens)[0].to(compute_dtype(encoder.device, training=True))


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
        signal = signals[timesteps][:, None, None, None]
        noisy = signal.sqrt() * clean + (1 - signal).sqrt() * noise
        wanted = signal.sqrt() * noise - (1 - signal).sqrt() * clean
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
        signal = signals[timesteps][:, None, None, None]
        noisy = signal.sqrt() * clean + (1 - signal).sqrt() * noise
        velocity = learner.velocity(noisy, frame, timesteps, text)
        predicted = predict_clean(velocity, noisy, signal, "v_prediction")

        def score(latents: Tensor) -> Tensor:
            return critic(latents, frame, text.float(), signal)

        judged, real = critic_loss(score, clean, predicted.detach(), 0.1, 0.05, 1e-3)
        critic.requires_grad_(False)
        wish = F.softplus(real - score(predicted)).mean()
        critic.requires_grad_(True)
        squared = F.mse_loss(velocity, signal.sqrt() * noise - (1 - signal).sqrt() * clean)
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
