"""Training pairs on disk: every content rendered into every style, and their latents once the first stage is trained."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor

from .contents import random_content
from .teachers import TEACHERS

SIZE = 256
SHARD = 20
STYLES = tuple(TEACHERS)
"""Column 0 of a pair is the content; column 1 + k is style k."""


def make_pairs(folder: Path, count: int, seed: int, workers: int) -> None:
    """Render `count` contents (rounded up to whole shards) into every style under `folder`; shards that exist are kept.

    Each shard is `NNNNN.npy`, (SHARD, 1 + styles, 256, 256, 3) uint8, and depends on (seed, its number) alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shards = [k for k in range(-(-count // SHARD)) if not (folder / f"{k:05d}.npy").exists()]
    # Fresh processes: a fork of one whose torch threads are running can hang in OpenMP.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(_render_shard, folder, seed, k) for k in shards]
        for job in track(as_completed(jobs), "rendering pairs", total=len(jobs)):
            job.result()


def _render_shard(folder: Path, seed: int, shard: int) -> None:
    import cv2

    cv2.setNumThreads(1)
    rng = np.random.default_rng((seed, shard))
    pictures = np.empty((SHARD, 1 + len(STYLES), SIZE, SIZE, 3), np.uint8)
    for row in pictures:
        content = random_content(rng, SIZE)
        row[0] = np.round(content * 255)
        for column, style in enumerate(STYLES, start=1):
            row[column] = np.round(TEACHERS[style](content, rng) * 255)
    partial = folder / f"{shard:05d}.partial.npy"
    np.save(partial, pictures)
    os.replace(partial, folder / f"{shard:05d}.npy")


@dataclass(frozen=True)
class Pairs:
    """The rendered pictures, memory-mapped."""

    shards: tuple[NDArray[np.uint8], ...]

    @classmethod
    def open(cls, folder: Path) -> Pairs:
        """Raises FileNotFoundError when `make_pairs` has not filled the folder."""
        paths = sorted(path for path in folder.glob("*.npy") if "partial" not in path.name)
        if not paths:
            raise FileNotFoundError(f"no training pairs in {folder}: run make_pairs first")
        return cls(tuple(np.load(path, mmap_mode="r") for path in paths))

    def __len__(self) -> int:
        return SHARD * len(self.shards)

    def picture(self, row: int, column: int) -> NDArray[np.uint8]:
        """(256, 256, 3) uint8."""
        return self.shards[row // SHARD][row % SHARD, column]

    def crops(self, batch: int, size: int, device: str = "cpu") -> Callable[[np.random.Generator], Tensor]:
        """A drawer of random crops of contents (a quarter) and stylized pictures, (batch, 3, size, size) in [-1, 1]."""

        def draw(rng: np.random.Generator) -> Tensor:
            crops = np.empty((batch, size, size, 3), np.uint8)
            for crop in crops:
                column = 0 if rng.random() < 0.25 else int(rng.integers(1, 1 + len(STYLES)))
                top, left = rng.integers(0, SIZE - size + 1, 2)
                crop[:] = self.picture(int(rng.integers(len(self))), column)[top : top + size, left : left + size]
            return to_model(crops).to(device)

        return draw


def to_model(pictures: NDArray[np.uint8]) -> Tensor:
    """(B, H, W, 3) uint8 -> (B, 3, H, W) float32 in [-1, 1]."""
    return torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1.0


@torch.no_grad()
def encode_pairs(vae: AutoencoderKL, pairs: Pairs, path: Path) -> None:
    """Write the latents (modes) of all pairs to `path`: (N, 1 + styles, 16, 32, 32) float16. Kept when complete."""
    shape = (len(pairs), 1 + len(STYLES), vae.config.latent_channels, SIZE // 8, SIZE // 8)
    if path.exists() and np.load(path, mmap_mode="r").shape == shape:
        return
    partial = path.with_suffix(".partial.npy")
    latents = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float16, shape=shape)
    device = next(vae.parameters()).device
    for row in track(range(len(pairs)), "encoding pairs"):
        pictures = to_model(pairs.shards[row // SHARD][row % SHARD]).to(device)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            latents[row] = vae.encode(pictures).latent_dist.mode().float().cpu().numpy().astype(np.float16)
    latents.flush()
    os.replace(partial, path)
