"""What do the styles look like? Every style on every clip of a folder.

    python benchmarks/style_sheets.py ../shared/clips out/sheets

Writes one sheet per four clips: a cell for the input and for every style, holding the four.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray

import style_a_video as sav
from held_out import SIDE, Clips, middle_frame, stylized
from style_a_video.sheets import labelled_grid
from style_a_video.styles.media import STYLES


def main(clips: Clips, folder: Path, model: str = "bundled") -> None:
    pipeline = sav.load_pipeline(model)
    paths = sorted(clips.glob("*.mp4"))
    inputs = np.stack([middle_frame(path) for path in paths])
    folder.mkdir(parents=True, exist_ok=True)
    styled = {style.name: _bytes(np.stack(stylized(pipeline, style.prompt, list(inputs)))) for style in STYLES}
    for start in range(0, len(paths), 4):
        chosen = slice(start, start + 4)
        cells = {"input": np.concatenate(list(_bytes(inputs[chosen])), axis=1)}
        cells |= {name: np.concatenate(list(pictures[chosen]), axis=1) for name, pictures in styled.items()}
        labelled_grid(cells, columns=2, height=SIDE).save(folder / f"styles-{start // 4}.png")


def _bytes(pictures: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.round(pictures * 255).astype(np.uint8)


if __name__ == "__main__":
    typer.run(main)
