"""What do the styles look like? Every style on every clip of a folder, with every teacher's own rendering beside it.

    python benchmarks/style_sheets.py ../shared/clips out/sheets

Writes one sheet per four clips (rows: clips; columns: input and styles), and prints per style the PSNR to the teacher.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import style_a_video as sav
from style_a_video.job import working_size
from style_a_video.models.loading import bundled_folder
from style_a_video.models.looks import Look
from style_a_video.models.vocabulary import Knowledge
from style_a_video.sheets import labelled_grid
from style_a_video.training.teachers import render
from style_a_video.video import VideoReader


def middle_frame(path: Path, side: int) -> NDArray[np.uint8]:
    """The middle frame, centre square, `side` pixels."""
    reader = VideoReader(path)
    frames = [frame.pixels for frame in reader.frames(working_size(reader.info, side))]
    picture = frames[len(frames) // 2]
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    return np.ascontiguousarray(picture[top : top + side, left : left + side])


def main(clips: Path, folder: Path) -> None:
    pipeline = sav.load_pipeline()
    side = pipeline.defaults()["size"]
    paths = sorted(clips.glob("*.mp4"))
    inputs = np.stack([middle_frame(path, side) for path in paths])
    folder.mkdir(parents=True, exist_ok=True)
    print("| style | PSNR to its teacher, dB | PSNR of the input to it, dB |\n|---|---|---|")
    styled: dict[str, NDArray[np.uint8]] = {}
    for style in Knowledge.of(bundled_folder()).styles:
        result = pipeline(style.prompt, inputs, generator=torch.Generator().manual_seed(0)).frames
        output = np.asarray(result)
        styled[style.name] = np.round(output * 255).astype(np.uint8)
        taught = np.stack([render((picture / 255).astype(np.float32), Look(style.name)) for picture in inputs])
        before, after = (float(-10 * np.log10(np.mean((x - taught) ** 2))) for x in (inputs / 255, output))
        print(f"| {style.name} | {after:.1f} | {before:.1f} |", flush=True)
    for start in range(0, len(paths), 4):
        chosen = slice(start, start + 4)
        cells = {"input": np.concatenate(list(inputs[chosen]), axis=1)}
        cells |= {name: np.concatenate(list(pictures[chosen]), axis=1) for name, pictures in styled.items()}
        labelled_grid(cells, columns=2, height=side).save(folder / f"styles-{start // 4}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
