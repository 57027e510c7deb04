"""What do the form of guidance, its scales, s_M, λ and the number of steps buy on the bundled model?

    python benchmarks/bundled_guidance.py ../shared/clips out/guidance.png --material MATERIAL

Prints a sweep over settings (means over all styles), then `joint` and `independent` side by side for every style, and
draws them: input, renderer, joint, independent. Renderers, frames and descriptor are those of bundled_quality.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import typer

import style_a_video as sav
from held_out import (
    PROMPTS,
    STYLE_NAMES,
    Clips,
    Gallery,
    MaterialFolder,
    Picture,
    clip_frames,
    renderers_galleries,
    stylized,
)
from style_a_video.evaluation import edge_f_score, structural_similarity
from style_a_video.sheets import labelled_grid
from style_a_video.training.material import Material

JOINT: dict[str, Any] = {"guidance": "joint", "guidance_scale": 1.0, "image_guidance_scale": 1.0}
INDEPENDENT: dict[str, Any] = {"guidance": "independent", "guidance_scale": 3.0, "image_guidance_scale": 1.2}
SWEEP: dict[str, dict[str, Any]] = {
    "joint, s_T 1 (no guidance)": JOINT,
    "joint, s_T 1.5": JOINT | {"guidance_scale": 1.5},
    "joint, s_T 2": JOINT | {"guidance_scale": 2.0},
    "joint, s_T 3": JOINT | {"guidance_scale": 3.0},
    "joint, s_T 1, s_I 1.3": JOINT | {"image_guidance_scale": 1.3},
    "joint, s_T 1, s_I 2": JOINT | {"image_guidance_scale": 2.0},
    "joint, s_T 1, s_M 0.3": JOINT | {"mask_guidance_scale": 0.3},
    "joint, s_T 1, λ 30": JOINT | {"content_weight": 30.0},
    "joint, s_T 1, λ 300": JOINT | {"content_weight": 300.0},
    "joint, s_T 1, λ 30 exact": JOINT | {"content_weight": 30.0, "optimization": "exact"},
    "independent, s_T 1, s_I 1": INDEPENDENT | {"guidance_scale": 1.0, "image_guidance_scale": 1.0},
    "independent, s_T 3, s_I 1.2": INDEPENDENT,
    "independent, s_T 5, s_I 1.5": INDEPENDENT | {"guidance_scale": 5.0, "image_guidance_scale": 1.5},
    "independent, s_T 3, s_I 1.2, s_M 0.5": INDEPENDENT | {"mask_guidance_scale": 0.5},
}
STEPS = 2
"""For the whole sweep; the three plain joint rows are measured at 1 and 4 steps too."""


def scores(outputs: list[Picture], galleries: list[Gallery], style: str, frames: list[Picture]) -> tuple[float, ...]:
    """Of a style over the frames: share nearest to its renderer, SSIM to it, edge F less the renderer's."""
    pairs = list(zip(outputs, galleries, strict=True))
    taught = [gallery.pictures[gallery.nearest(output, style)] for output, gallery in pairs]
    edges = [edge_f_score(o, f) - edge_f_score(t, f) for o, t, f in zip(outputs, taught, frames, strict=True)]
    return (
        float(np.mean([gallery.style_of(output) == style for output, gallery in pairs])),
        float(np.mean([structural_similarity(*pair) for pair in zip(outputs, taught, strict=True)])),
        float(np.mean(edges)),
    )


def sweep(pipeline: sav.StyleAVideoPipeline, frames: list[Picture], galleries: list[Gallery]) -> None:
    """Means over all styles, one row a setting."""
    print("| settings | steps | nearest to its own renderer | SSIM | edge F minus renderer's |\n|---|---|---|---|---|")
    for steps in (1, 2, 4):
        for label, settings in SWEEP.items() if steps == STEPS else list(SWEEP.items())[:3]:
            rows = [
                scores(
                    stylized(pipeline, PROMPTS[name], frames, num_inference_steps=steps, **settings),
                    galleries,
                    name,
                    frames,
                )
                for name in STYLE_NAMES
            ]
            nearest, ssim, edges = np.mean(rows, axis=0)
            print(f"| {label} | {steps} | {100 * nearest:.1f} % | {ssim:.3f} | {edges:+.3f} |", flush=True)


def side_by_side(
    pipeline: sav.StyleAVideoPipeline, frames: list[Picture], galleries: list[Gallery], sheet: Path
) -> None:
    """Both forms for every style: their scores, and the first frame as a picture."""
    print(
        "\n| style | joint: nearest | SSIM | edges | independent: nearest | SSIM | edges |\n"
        "|---|---|---|---|---|---|---|"
    )
    cells = {}
    for name in STYLE_NAMES:
        made = [
            stylized(pipeline, PROMPTS[name], frames, num_inference_steps=STEPS, **form)
            for form in (JOINT, INDEPENDENT)
        ]
        row = [
            f"{100 * n:.0f} % | {s:.3f} | {e:+.3f}" for n, s, e in (scores(m, galleries, name, frames) for m in made)
        ]
        print(f"| {name} | {' | '.join(row)} |", flush=True)
        taught = galleries[0].pictures[galleries[0].styles.index(name)]
        shown = np.concatenate([frames[0], taught, *(outputs[0] for outputs in made)], axis=1)
        cells[f"{name}: input, renderer, joint, independent"] = np.round(np.clip(shown, 0, 1) * 255).astype(np.uint8)
    sheet.parent.mkdir(parents=True, exist_ok=True)
    labelled_grid(cells, columns=2, height=192).save(sheet)


@torch.no_grad()
def main(clips: Clips, sheet: Path, material: MaterialFolder, model: str = "bundled") -> None:
    pipeline = sav.load_pipeline(model)
    frames = clip_frames(clips)[::2]
    galleries = renderers_galleries(frames, Material(material))
    sweep(pipeline, frames, galleries)
    side_by_side(pipeline, frames, galleries, sheet)


if __name__ == "__main__":
    typer.run(main)
