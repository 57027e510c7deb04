"""What do the styles look like? Every style on every clip of a folder.

    python benchmarks/style_sheets.py ../shared/clips out/sheets

Writes one sheet per four clips (a cell for the input and for every style, holding the four), and prints per style the
PSNR to the renderer.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray

import style_a_video as sav
from held_out import SIDE, as_taught, middle_frame, stylized
from style_a_video.sheets import labelled_grid
from style_a_video.styles.media import STYLES
from style_a_video.styles.spec import StyleSpec


def main(clips: Path, folder: Path, model: str = "bundled") -> None:
    pipeline = sav.load_pipeline(model)
    paths = sorted(clips.glob("*.mp4"))
    inputs = np.stack([middle_frame(path) for path in paths])
    folder.mkdir(parents=True, exist_ok=True)
    print("| style | PSNR to its renderer, dB | PSNR of the input to it, dB |\n|---|---|---|")
    styled: dict[str, NDArray[np.uint8]] = {}
    for style in STYLES:
        output = np.stack(stylized(pipeline, style.prompt, list(inputs)))
        styled[style.name] = _bytes(output)
        taught = np.stack([as_taught(picture, StyleSpec(style.name)) for picture in inputs])
        before, after = (float(-10 * np.log10(np.mean((x - taught) ** 2))) for x in (inputs, output))
        print(f"| {style.name} | {after:.1f} | {before:.1f} |", flush=True)
    for start in range(0, len(paths), 4):
        chosen = slice(start, start + 4)
        cells = {"input": np.concatenate(list(_bytes(inputs[chosen])), axis=1)}
        cells |= {name: np.concatenate(list(pictures[chosen]), axis=1) for name, pictures in styled.items()}
        labelled_grid(cells, columns=2, height=SIDE).save(folder / f"styles-{start // 4}.png")


def _bytes(pictures: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.round(pictures * 255).astype(np.uint8)


if __name__ == "__main__":
    typer.run(main)
