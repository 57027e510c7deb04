"""Training pairs on disk: every content rendered into every medium, each time to another spec, and their latents."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor

from ..atomic import atomic_path
from ..devices import autocast
from ..frames import picture_to_pixels
from ..styles.media import STYLE_NAMES
from ..styles.spec import StyleSpec
from .captions import random_spec
from .contents import random_content
from .teachers import Chance, render
from .teachers.chance import CELL, CHANNELS

SIZE = 256
SHARD = 10
ALIGNMENT = 8
"""Latents to the UNet's coarsest cell. Windows that begin at its multiples keep in step with what repeats."""
COLUMNS = 1 + len(STYLE_NAMES)
"""Column 0 of a row is the content; column 1 + k is medium k."""


def make_pairs(folder: Path, count: int, seed: int, workers: int) -> None:
    """Render `count` contents (rounded up to whole shards) into every medium; shards that exist are kept.

    Each shard is `NNNNN.npy`, (SHARD, COLUMNS, 256, 256, 3) uint8, with `NNNNN.json`, the seed and the specs (SHARD x
    media). Both depend on (seed, the shard's number) alone.
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
    pictures = np.empty((SHARD, COLUMNS, SIZE, SIZE, 3), np.uint8)
    specs: list[list[dict[str, str]]] = []
    for number, row in enumerate(pictures, start=SHARD * shard):
        content = random_content(rng, SIZE)
        row[0] = picture_to_pixels(content)
        specs.append([])
        for column, medium in enumerate(STYLE_NAMES, start=1):
            spec = random_spec(rng, medium)
            chance = Chance(noise_of(seed, number, column), SIZE, SIZE)
            row[column] = picture_to_pixels(render(content, spec, chance))
            specs[-1].append({name: value for name, value in asdict(spec).items() if value})
    (folder / f"{shard:05d}.json").write_text(json.dumps({"seed": seed, "first": SHARD * shard, "looks": specs}))
    with atomic_path(folder / f"{shard:05d}.npy") as partial:
        np.save(partial, pictures)


def noise_of(seed: int, row: int, column: int) -> NDArray[np.float32]:
    """The noise that belongs to a picture: its marks lie where this says. (C, 64, 64), standard normal."""
    side = SIZE // CELL
    return np.random.default_rng((seed, row, column)).standard_normal((CHANNELS, side, side), dtype=np.float32)


@dataclass(frozen=True)
class Pairs:
    """The rendered pictures, memory-mapped, and their specs."""

    shards: tuple[NDArray[np.uint8], ...]
    specs: tuple[tuple[StyleSpec, ...], ...]
    """Per row, the look of every medium's column."""
    numbers: tuple[int, ...]
    """Per row, the number that it was made under."""
    seed: int
    """That all were made with."""

    @classmethod
    def open(cls, folder: Path) -> Pairs:
        """The pairs of a folder.

        Raises FileNotFoundError when `make_pairs` has not filled it, ValueError when its shards do not belong together.
        """
        paths = sorted(path for path in folder.glob("*.npy") if "partial" not in path.name)
        if not paths:
            raise FileNotFoundError(f"no training pairs in {folder}: run make_pairs first")
        records = [json.loads(path.with_suffix(".json").read_text()) for path in paths]
        if any("first" not in record for record in records) or len({record["seed"] for record in records}) > 1:
            raise ValueError(f"{folder} holds pairs of several seeds or of an older recipe: give a new --work")
        specs = tuple(tuple(StyleSpec(**spec) for spec in row) for record in records for row in record["looks"])
        numbers = tuple(record["first"] + k for record in records for k in range(SHARD))
        return cls(tuple(np.load(path, mmap_mode="r") for path in paths), specs, numbers, records[0]["seed"])

    def __len__(self) -> int:
        return len(self.specs)

    def picture(self, row: int, column: int) -> NDArray[np.uint8]:
        """(256, 256, 3) uint8."""
        return self.shards[row // SHARD][row % SHARD, column]

    def spec(self, row: int, column: int) -> StyleSpec | None:
        """None for the content itself."""
        return self.specs[row][column - 1] if column else None

    def noise(self, row: int, column: int) -> NDArray[np.float32]:
        """What the UNet starts from when it makes this picture: `noise_of` it."""
        return noise_of(self.seed, self.numbers[row], column)

    def crops(self, batch: int, size: int, device: str = "cpu") -> Callable[[np.random.Generator], Tensor]:
        """A drawer of random crops of contents (a quarter) and stylized pictures, (batch, 3, size, size) in [-1, 1]."""

        def draw(rng: np.random.Generator) -> Tensor:
            crops = np.empty((batch, size, size, 3), np.uint8)
            for crop in crops:
                column = 0 if rng.random() < 0.25 else int(rng.integers(1, COLUMNS))
                top, left = rng.integers(0, SIZE - size + 1, 2)
                crop[:] = self.picture(int(rng.integers(len(self))), column)[top : top + size, left : left + size]
            return to_model(crops).to(device)

        return draw


def to_model(pictures: NDArray[np.uint8]) -> Tensor:
    """(B, H, W, 3) uint8 -> (B, 3, H, W) float32 in [-1, 1]."""
    return torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1.0


@torch.no_grad()
def encode_pairs(vae: AutoencoderTiny, pairs: Pairs, path: Path) -> None:
    """Write the latents (modes) of all pairs to `path`: (N, COLUMNS, C, h, w) float16. Kept when complete."""
    side = SIZE // 2 ** (len(vae.config.block_out_channels) - 1)
    shape = (len(pairs), COLUMNS, vae.config.latent_channels, side, side)
    if path.exists() and np.load(path, mmap_mode="r").shape == shape:
        return
    device = next(vae.parameters()).device
    with atomic_path(path) as partial:
        latents = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float16, shape=shape)
        for row in track(range(len(pairs)), "encoding pairs"):
            pictures = to_model(pairs.shards[row // SHARD][row % SHARD]).to(device)
            for start in range(0, COLUMNS, 8):
                with autocast(device):
                    modes = vae.encode(pictures[start : start + 8]).latents
                latents[row, start : start + 8] = modes.float().cpu().numpy().astype(np.float16)
        latents.flush()
        del latents  # so that the file is closed where an open one cannot be renamed
