"""Training pairs on disk: every content rendered into every medium, each time to another spec, and their latents."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from diffusers import AutoencoderTiny
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor

from ..atomic import atomic_path
from ..devices import autocast
from ..digests import weights_digest
from ..frames import picture_to_pixels
from ..styles.media import STYLE_NAMES
from ..styles.spec import StyleSpec
from .captions import random_spec
from .contents import random_content
from .material import Material
from .renderers import PAINTED, Chance, render
from .renderers.chance import CELL, CHANNELS

SIZE = 256
SHARD = 10
COLUMNS = 1 + len(STYLE_NAMES)
"""Column 0 of a row is the content; column 1 + k is medium k."""
PLAIN_SHARE = 0.4
"""Of the pictures of every medium, so many are modified by nothing."""
LOOKS_PER_MEDIUM = 60


class Look(NamedTuple):
    """What a stylized picture was asked to look like. Two pictures of one look are in the same style."""

    spec: StyleSpec
    painting: str = ""
    """Path of the painting that a painted medium was imitated from, below the material's folder."""


def random_look(rng: np.random.Generator, seed: int, medium: str, material: Material | None) -> Look:
    """Plain, or one of the medium's LOOKS_PER_MEDIUM looks: so few that every one is shown on several contents."""
    paintings = material.paintings(medium) if material and medium in PAINTED else ()
    if rng.random() >= PLAIN_SHARE:
        rng = np.random.default_rng((seed, STYLE_NAMES.index(medium), int(rng.integers(LOOKS_PER_MEDIUM)), 1))
        spec = random_spec(rng, medium)
    else:
        spec = StyleSpec(medium)
    # A second medium is rendered from the same painting, which only its own medium has.
    if spec.second in PAINTED:
        spec = replace(spec, second="")
    return Look(spec, paintings[int(rng.integers(len(paintings)))] if paintings else "")


def make_pairs(folder: Path, count: int, seed: int, workers: int, material: Material | None) -> None:
    """Render `count` contents (rounded up to whole shards) into every medium; shards that exist are kept.

    Each shard is `NNNNN.npy`, (contents, COLUMNS, 256, 256, 3) uint8, SHARD contents or `count`, whichever is less,
    with `NNNNN.json`, the seed and the looks (contents x media). Both depend on (material, seed, the shard's number)
    alone. Without material the painted media are imitated from generated pictures, which is good for a trial only.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shards = [k for k in range(-(-count // SHARD)) if not (folder / f"{k:05d}.npy").exists()]
    # Fresh processes: a fork of one whose torch threads are running can hang in OpenMP.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(_render_shard, folder, seed, k, min(SHARD, count), material) for k in shards]
        for job in track(as_completed(jobs), "rendering pairs", total=len(jobs)):
            job.result()


def _render_shard(folder: Path, seed: int, shard: int, contents: int, material: Material | None) -> None:
    import cv2

    cv2.setNumThreads(1)
    rng = np.random.default_rng((seed, shard))
    pictures = np.empty((contents, COLUMNS, SIZE, SIZE, 3), np.uint8)
    looks: list[list[dict[str, str]]] = []
    for number, row in enumerate(pictures, start=SHARD * shard):
        content = random_content(rng, SIZE, material)
        row[0] = picture_to_pixels(content)
        looks.append([])
        for column, medium in enumerate(STYLE_NAMES, start=1):
            look = random_look(rng, seed, medium, material)
            chance = Chance(noise_of(seed, number, column), SIZE, SIZE)
            painting = _painting(look, material, rng)
            row[column] = picture_to_pixels(render(content, look.spec, chance, painting))
            entries = asdict(look.spec) | {"painting": look.painting}
            looks[-1].append({name: value for name, value in entries.items() if value})
    (folder / f"{shard:05d}.json").write_text(json.dumps({"seed": seed, "first": SHARD * shard, "looks": looks}))
    with atomic_path(folder / f"{shard:05d}.npy") as partial:
        np.save(partial, pictures)


def _painting(look: Look, material: Material | None, rng: np.random.Generator) -> NDArray[np.float32] | None:
    if look.spec.medium not in PAINTED:
        return None
    if material is None:
        return random_content(rng, SIZE)
    return material.read(material.folder / look.painting)


def noise_of(seed: int, row: int, column: int) -> NDArray[np.float32]:
    """The noise that belongs to a picture: its marks lie where this says. (C, 64, 64), standard normal."""
    side = SIZE // CELL
    return np.random.default_rng((seed, row, column)).standard_normal((CHANNELS, side, side), dtype=np.float32)


@dataclass(frozen=True)
class Pairs:
    """The rendered pictures, memory-mapped, and their specs."""

    shards: tuple[NDArray[np.uint8], ...]
    looks: tuple[tuple[Look, ...], ...]
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
        looks = tuple(tuple(_look(**entries) for entries in row) for record in records for row in record["looks"])
        numbers = tuple(record["first"] + k for record in records for k in range(len(record["looks"])))
        return cls(tuple(np.load(path, mmap_mode="r") for path in paths), looks, numbers, records[0]["seed"])

    def __len__(self) -> int:
        return len(self.looks)

    def row(self, row: int) -> NDArray[np.uint8]:
        """All pictures of a content, (COLUMNS, 256, 256, 3) uint8."""
        length = len(self.shards[0])
        return self.shards[row // length][row % length]

    def picture(self, row: int, column: int) -> NDArray[np.uint8]:
        """(256, 256, 3) uint8."""
        return self.row(row)[column]

    def spec(self, row: int, column: int) -> StyleSpec | None:
        """None for the content itself."""
        return self.looks[row][column - 1].spec if column else None

    def look(self, row: int, column: int) -> Look | None:
        """None for the content itself."""
        return self.looks[row][column - 1] if column else None

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


def _look(painting: str = "", **spec: str) -> Look:
    return Look(StyleSpec(**spec), painting)


def to_model(pictures: NDArray[np.uint8]) -> Tensor:
    """(B, H, W, 3) uint8 -> (B, 3, H, W) float32 in [-1, 1]."""
    return torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1.0


@torch.no_grad()
def encode_pairs(vae: AutoencoderTiny, pairs: Pairs, path: Path, split: int = 1) -> NDArray[np.float16]:
    """The latents (modes) of all pairs, (N, COLUMNS, split², C, h, w), mapped from `path`. Kept when complete.

    Each file belongs to one first stage: `path` carries its digest.

    Args:
        split: into so many parts across and down, row by row, every picture is cut before it is encoded: so the edges
            of a part look like those of a picture.
    """
    path = path.with_stem(f"{path.stem}-{weights_digest(vae)[:12]}-{len(pairs)}")
    side = SIZE // split // 2 ** (len(vae.config.encoder_block_out_channels) - 1)
    shape = (len(pairs), COLUMNS, split**2, vae.config.latent_channels, side, side)
    if not path.exists():
        device = next(vae.parameters()).device
        with atomic_path(path) as partial:
            latents = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float16, shape=shape)
            for row in track(range(len(pairs)), "encoding pairs"):
                pictures = to_model(in_parts(pairs.row(row), split)).to(device)
                with autocast(device):
                    modes = torch.cat([vae.encode(some).latents for some in pictures.split(8 * split**2)])
                latents[row] = modes.float().cpu().numpy().astype(np.float16).reshape(shape[1:])
            latents.flush()
            del latents  # so that the file is closed where an open one cannot be renamed
    kept: NDArray[np.float16] = np.load(path, mmap_mode="r")
    return kept


def in_parts(pictures: NDArray[Any], split: int) -> NDArray[Any]:
    """Pictures (N, H, W, C) cut into split x split parts each, row by row: (N · split², H / split, W / split, C)."""
    count, height, width, channels = pictures.shape
    parts = pictures.reshape(count, split, height // split, split, width // split, channels).swapaxes(2, 3)
    return parts.reshape(-1, height // split, width // split, channels)
