"""How good are the bundled model's pictures? Held-out frames in every style, against the renderers.

    python benchmarks/bundled_quality.py ../shared/clips --material MATERIAL [first-stage | embeddings | retrieval |
    fast | other-noise ...]

Prints one table a section (all of them by default). No picture here was seen in training; the descriptor by which
styles are told apart was never part of it. `--model FOLDER` looks at another model that the recipe made. How well it
understands words is what held_out_text.py measures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

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
    clip_frames,
    held_out_photographs,
    renderers_galleries,
    stylized,
)
from style_a_video.evaluation import edge_f_score, gradient_similarity, structural_similarity
from style_a_video.models.understanding import embed_sentence
from style_a_video.training.material import Material
from style_a_video.training.renderers import Chance

MOST_EDGES_LOST = 0.05
"""By how much an output's edge F-score may be below the renderer's."""


def through_first_stage(pipeline: sav.StyleAVideoPipeline, pictures: list[Picture]) -> list[Picture]:
    """decode(encode(x)): the best that any UNet could do."""
    images = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    again = pipeline.decode_latents(pipeline.encode_frames(images).float() * pipeline.vae.config.scaling_factor)
    return list(again.float().permute(0, 2, 3, 1).numpy())


def first_stage(pipeline: sav.StyleAVideoPipeline, frames: list[Picture], galleries: list[Gallery]) -> None:
    """PSNR of decode(encode(x)) on frames and on renderings of them. Do these stay in their style?"""

    def psnr(pictures: list[Picture], again: list[Picture]) -> float:
        return float(np.mean([-10 * np.log10(np.mean((x - y) ** 2)) for x, y in zip(pictures, again, strict=True)]))

    print("| first stage | PSNR, dB | nearest to its own style |\n|---|---|---|")
    print(f"| untouched frames | {psnr(frames, through_first_stage(pipeline, frames)):.1f} | |")
    values, hits = [], []
    for name in STYLE_NAMES:
        taught = [gallery.pictures[gallery.styles.index(name)] for gallery in galleries]
        again = through_first_stage(pipeline, taught)
        values.append(psnr(taught, again))
        hits.append(np.mean([gallery.style_of(y) == name for gallery, y in zip(galleries, again, strict=True)]))
        print(f"| {name} | {values[-1]:.1f} | {100 * hits[-1]:.0f} % |", flush=True)
    print(f"| stylized, mean | {np.mean(values):.1f} | {100 * np.mean(hits):.1f} % |")


def embeddings(pipeline: sav.StyleAVideoPipeline, frames: list[Picture], galleries: list[Gallery]) -> None:
    """Does φ tell contents apart across styles, and rank the right style's sentence first?"""
    embed = sav.optimization.clip_image_embedding(pipeline.image_encoder, pipeline.feature_extractor)

    def unit(values: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(values.float(), dim=-1)

    rows = [
        [frame, *(gallery.pictures[gallery.styles.index(name)] for name in STYLE_NAMES)]
        for frame, gallery in zip(frames, galleries, strict=True)
    ]
    images = unit(torch.stack([embed(torch.from_numpy(np.stack(row)).permute(0, 3, 1, 2)) for row in rows]))
    similarity = torch.einsum("isd,jtd->isjt", images, images)  # of frame i in style s to frame j in style t
    same = torch.stack([similarity[k, 0, k, 1:] for k in range(len(frames))]).flatten()
    other = torch.stack([similarity[k, 0, j, 1:] for k in range(len(frames)) for j in range(len(frames)) if j != k])
    texts = [embed_sentence(pipeline.text_encoder, pipeline.tokenizer, prompt) for prompt in PROMPTS.values()]
    first = (images[:, 1:] @ unit(torch.stack(texts)).T).argmax(-1) == torch.arange(len(STYLE_NAMES))
    ranked = (similarity.mean(dim=(1, 3)).argmax(1) == torch.arange(len(frames))).float().mean()
    print("| φ | |\n|---|---|")
    print(f"| cosine, same content in another style | {same.mean():.3f} |")
    print(f"| cosine, other content | {other.mean():.3f} |")
    print(f"| the nearest content over all styles is its own | {100 * ranked:.0f} % |")
    print(f"| the right style's sentence ranks first | {100 * first.float().mean():.0f} % |")


def retrieval(
    pipeline: sav.StyleAVideoPipeline, frames: list[Picture], galleries: list[Gallery], **settings: Any
) -> None:
    """Is an output nearest to its own style's renderer? And how near, in structure?

    A painted medium has one rendering per painting. The structure is compared with the nearest of these.
    """
    right: list[bool] = []
    drops, ssims = [], []
    print(
        "| style | nearest to its own renderer | SSIM | gradient similarity | edge F | renderer's edge F |\n"
        "|---|---|---|---|---|---|"
    )
    for name in STYLE_NAMES:
        outputs = stylized(pipeline, PROMPTS[name], frames, **settings)
        pairs = list(zip(outputs, galleries, strict=True))
        hits = [gallery.style_of(output) == name for output, gallery in pairs]
        taught = [gallery.pictures[gallery.nearest(output, name)] for output, gallery in pairs]
        ssim, gradient = (
            np.mean([measure(output, renderer) for output, renderer in zip(outputs, taught, strict=True)])
            for measure in (structural_similarity, gradient_similarity)
        )
        edges, wanted = (
            np.mean([edge_f_score(picture, frame) for picture, frame in zip(pictures, frames, strict=True)])
            for pictures in (outputs, taught)
        )
        right += hits
        ssims.append(ssim)
        drops.append(wanted - edges)
        print(
            f"| {name} | {sum(hits)}/{len(hits)} | {ssim:.3f} | {gradient:.3f} | {edges:.3f} | {wanted:.3f} |",
            flush=True,
        )
    many = sum(drop > MOST_EDGES_LOST for drop in drops)
    print(
        f"| **all** | **{100 * np.mean(right):.1f} %** | {np.mean(ssims):.3f} | | worst drop {max(drops):.3f}, "
        f"{many} of {len(drops)} above {MOST_EDGES_LOST} | mean drop {np.mean(drops):.3f} |"
    )


def fast(pipeline: sav.StyleAVideoPipeline, frames: list[Picture], galleries: list[Gallery]) -> None:
    """The same of the fast mode."""
    retrieval(pipeline, frames, galleries, fast=True)


def other_noise(pipeline: sav.StyleAVideoPipeline, frames: list[Picture], galleries: list[Gallery]) -> None:
    """The same from a noise field that no renderer's marks came from.

    SSIM asks for marks in their place and must fall; the style must not.
    """
    retrieval(pipeline, frames, galleries, latents=torch.from_numpy(Chance.of_seed(1, SIDE, SIDE).noise)[None])


SECTIONS: dict[str, Callable[[sav.StyleAVideoPipeline, list[Picture], list[Gallery]], None]] = {
    "first-stage": first_stage,
    "embeddings": embeddings,
    "retrieval": retrieval,
    "fast": fast,
    "other-noise": other_noise,
}


@torch.no_grad()
def main(
    clips: Clips,
    material: MaterialFolder,
    sections: Annotated[list[str] | None, typer.Argument(help="Which tables; all by default.")] = None,
    model: str = "bundled",
) -> None:
    unknown = set(sections or []) - set(SECTIONS)
    if unknown:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: choose from {', '.join(SECTIONS)}")
    pipeline = sav.load_pipeline(model)
    frames = clip_frames(clips) + held_out_photographs(Material(material))
    galleries = renderers_galleries(frames, Material(material))
    for name in sections or SECTIONS:
        SECTIONS[name](pipeline, frames, galleries)
        print()


if __name__ == "__main__":
    typer.run(main)
