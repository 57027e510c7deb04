"""Does a picture tell the bundled model a style, instead of words?

    python benchmarks/style_pictures.py ../shared/clips out/style_pictures.png --material MATERIAL

Of every medium, a photograph that training never saw is rendered by the medium's renderer and given as the style
picture of the clips' middle frames. An output reaches the medium when, of the model's pictures of the same frame by
every medium's canonical prompt, that medium's is the nearest in the plain descriptor. The sheet has three frames in the
style of the paintings that training never saw.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import typer

import style_a_video as sav
from held_out import (
    PROMPTS,
    SIDE,
    STYLE_NAMES,
    Clips,
    Gallery,
    MaterialFolder,
    Picture,
    as_taught,
    clip_frames,
    held_out_photographs,
    stylized,
)
from style_a_video.sheets import labelled_grid
from style_a_video.styles.spec import StyleSpec
from style_a_video.training.material import Material
from style_a_video.training.renderers import PAINTED

PHOTOGRAPHS = 4
"""Style pictures a medium."""


def media(pipeline: sav.StyleAVideoPipeline, frames: list[Picture], material: Material) -> None:
    """How often the medium of the style picture is reached."""
    made = {name: stylized(pipeline, PROMPTS[name], frames) for name in STYLE_NAMES}
    galleries = [Gallery.of([made[name][k] for name in STYLE_NAMES]) for k in range(len(frames))]
    contents = held_out_photographs(material)[:: len(held_out_photographs(material)) // PHOTOGRAPHS][:PHOTOGRAPHS]
    everything: list[bool] = []
    print("| a style picture in | reached | seen as |\n|---|---|---|")
    for name in STYLE_NAMES:
        found: list[str] = []
        for k, content in enumerate(contents):
            paintings = material.paintings(name) if name in PAINTED else ()
            model = material.read(material.folder / paintings[k % len(paintings)]) if paintings else None
            shown = as_taught(content, StyleSpec(name), model)
            outputs = stylized(pipeline, "", frames, style_image=shown)
            found += [gallery.style_of(output) for gallery, output in zip(galleries, outputs, strict=True)]
        hits = [seen == name for seen in found]
        mistakes = [seen for seen in found if seen != name]
        everything += hits
        often = max(set(mistakes), key=mistakes.count) if mistakes else ""
        print(f"| {name} | {sum(hits)}/{len(hits)} | {often} |", flush=True)
    print(f"| **all** | **{100 * np.mean(everything):.1f} %** | |")


def paintings(pipeline: sav.StyleAVideoPipeline, frames: list[Picture], material: Material, sheet: Path) -> None:
    """Draw three frames in the style of every held-out painting."""
    cells = {"input": np.concatenate(frames[::3], axis=1)}
    for path in material.files("paintings/held out"):
        painting = material.read(path)[..., :3]
        cells[path.stem] = np.concatenate(stylized(pipeline, "", frames[::3], style_image=painting), axis=1)
    sheet.parent.mkdir(parents=True, exist_ok=True)
    labelled_grid({name: np.round(row * 255).astype(np.uint8) for name, row in cells.items()}, 2, SIDE).save(sheet)


@torch.no_grad()
def main(clips: Clips, sheet: Path, material: MaterialFolder, model: str = "bundled") -> None:
    pipeline = sav.load_pipeline(model)
    frames = clip_frames(clips)
    media(pipeline, frames, Material(material))
    paintings(pipeline, frames, Material(material), sheet)


if __name__ == "__main__":
    typer.run(main)
