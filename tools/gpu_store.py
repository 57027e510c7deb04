"""Training contents for `train_on_gpu.py`: rendered by processes, kept on the GPU, and drawn from there."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderTiny
from numpy.typing import NDArray
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from style_a_video.devices import autocast, compute_dtype
from style_a_video.styles.media import STYLE_NAMES
from style_a_video.styles.spec import StyleSpec
from style_a_video.training import contents
from style_a_video.training.captions import caption, random_spec
from style_a_video.training.pairs import ALIGNMENT, COLUMNS, SIZE, noise_of, to_model
from style_a_video.training.teachers import Chance, render
from style_a_video.training.teachers.chance import CELL, CHANNELS
from style_a_video.training.unet import Dropout

SIDE = SIZE // CELL
WORDINGS = 8
"""Captions of a picture."""


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
    specs: list[StyleSpec | None] = [None, *(random_spec(rng, medium) for medium in STYLE_NAMES)]
    noise = [noise_of(seed, number, column) for column in range(COLUMNS)]
    pictures = [
        render(content, spec, Chance(own, SIZE, SIZE)) if spec else content
        for spec, own in zip(specs, noise, strict=True)
    ]
    words = [caption(spec, rng) for spec in specs for _ in range(WORDINGS)]
    tokens = _tokenizer(words, padding="max_length", truncation=True)["input_ids"]
    return Content(
        np.round(np.stack(pictures) * 255).astype(np.uint8),
        np.stack(noise).astype(np.float16),
        np.array(tokens, np.int16).reshape(COLUMNS, WORDINGS, -1),
        np.array([bool(spec and spec.scale) for spec in specs]),
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
        """`training.unet.random_windows` on the device: latents, noise, image slot (B, C, size, size), text states."""
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
