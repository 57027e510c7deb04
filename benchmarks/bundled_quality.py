"""How good are the bundled model's pictures? Real frames and held-out photographs in every style, against the renderers.

    python benchmarks/bundled_quality.py ../shared/clips [first-stage | embeddings | retrieval | fast | other-noise |
    phrasings | combinations ...]

Prints one table a section (all of them by default). No picture here was seen in training; the descriptor by which
styles are told apart was never part of it. `--model FOLDER` looks at another model that the recipe made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import skimage.color
import torch
import typer
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation
from skimage.feature import canny

import style_a_video as sav
from held_out import (
    PROMPTS,
    SIDE,
    STYLE_NAMES,
    Gallery,
    Picture,
    as_taught,
    held_out_frames,
    stylized,
    renderers_galleries,
)
from style_a_video.evaluation import edge_f_score, gradient_similarity, structural_similarity
from style_a_video.styles.spec import PALETTES, SCALES, StyleSpec
from style_a_video.training.captions import caption, is_held_out
from style_a_video.training.renderers import Chance
from style_a_video.training.renderers.finish import recoloured

MOST_EDGES_LOST = 0.05
"""By how much an output's edge F-score may be below the renderer's."""


def through_first_stage(pipeline: sav.StyleAVideoPipeline, pictures: list[Picture]) -> list[Picture]:
    """decode(encode(x)): the best that any UNet could do."""
    images = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    again = pipeline.decode_latents(pipeline.encode_frames(images).float() * pipeline.vae.config.scaling_factor)
    return list(again.float().permute(0, 2, 3, 1).numpy())


def first_stage(pipeline: sav.StyleAVideoPipeline, frames: list[Picture]) -> None:
    """PSNR of decode(encode(x)) on frames and on renderings of them. Do these stay nearest to themselves?"""

    def psnr(pictures: list[Picture], again: list[Picture]) -> float:
        return float(np.mean([-10 * np.log10(np.mean((x - y) ** 2)) for x, y in zip(pictures, again, strict=True)]))

    print("| first stage | PSNR, dB | nearest to itself |\n|---|---|---|")
    print(f"| untouched frames | {psnr(frames, through_first_stage(pipeline, frames)):.1f} | |")
    galleries = renderers_galleries(frames)
    values, hits = [], []
    for k, name in enumerate(STYLE_NAMES):
        taught = [gallery.pictures[k] for gallery in galleries]
        again = through_first_stage(pipeline, taught)
        values.append(psnr(taught, again))
        hits.append(np.mean([gallery.nearest(y) == k for gallery, y in zip(galleries, again, strict=True)]))
        print(f"| {name} | {values[-1]:.1f} | {100 * hits[-1]:.0f} % |", flush=True)
    print(f"| stylized, mean | {np.mean(values):.1f} | {100 * np.mean(hits):.1f} % |")


def embeddings(pipeline: sav.StyleAVideoPipeline, frames: list[Picture]) -> None:
    """Does φ tell contents apart across styles, and rank the right style's sentence first?"""
    embed = sav.optimization.clip_image_embedding(pipeline.image_encoder, pipeline.feature_extractor)

    def unit(values: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(values.float(), dim=-1)

    pictures = [[frame, *(as_taught(frame, StyleSpec(name)) for name in STYLE_NAMES)] for frame in frames]
    images = unit(
        torch.stack([embed(torch.from_numpy(np.stack(row)).permute(0, 3, 1, 2)) for row in pictures])
    )  # (frames, 1 + styles, D)
    similarity = torch.einsum("isd,jtd->isjt", images, images)
    same = torch.stack([similarity[k, 0, k, 1:] for k in range(len(frames))]).flatten()
    other = torch.stack([similarity[k, 0, j, 1:] for k in range(len(frames)) for j in range(len(frames)) if j != k])
    tokens = pipeline.tokenizer(list(PROMPTS.values()), padding="max_length", truncation=True, return_tensors="pt")
    texts = unit(pipeline.text_encoder(tokens.input_ids).pooler_output)
    first = (images[:, 1:] @ texts.T).argmax(-1) == torch.arange(len(STYLE_NAMES))
    ranked = (similarity.mean(dim=(1, 3)).argmax(1) == torch.arange(len(frames))).float().mean()
    print("| φ | |\n|---|---|")
    print(f"| cosine, same content in another style | {same.mean():.3f} |")
    print(f"| cosine, other content | {other.mean():.3f} |")
    print(f"| the nearest content over all styles is its own | {100 * ranked:.0f} % |")
    print(f"| the right style's sentence ranks first | {100 * first.float().mean():.0f} % |")


def retrieval(pipeline: sav.StyleAVideoPipeline, frames: list[Picture], **settings: Any) -> None:
    """Is an output nearest to its own style's renderer? And how near, in structure?"""
    galleries = renderers_galleries(frames)
    right: list[bool] = []
    drops, ssims = [], []
    print(
        "| style | nearest to its own renderer | SSIM | gradient similarity | edge F | renderer's edge F |\n"
        "|---|---|---|---|---|---|"
    )
    for k, name in enumerate(STYLE_NAMES):
        outputs = stylized(pipeline, PROMPTS[name], frames, **settings)
        hits = [gallery.nearest(output) == k for output, gallery in zip(outputs, galleries, strict=True)]
        taught = [gallery.pictures[k] for gallery in galleries]
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


def fast(pipeline: sav.StyleAVideoPipeline, frames: list[Picture]) -> None:
    """The same of the fast mode."""
    retrieval(pipeline, frames, fast=True)


def other_noise(pipeline: sav.StyleAVideoPipeline, frames: list[Picture]) -> None:
    """The same from two noise fields that no renderer's marks came from.

    SSIM asks for marks in their place and must fall; the style must not.
    """
    for seed in (1, 2):
        retrieval(pipeline, frames, latents=torch.from_numpy(Chance.of_seed(seed, SIDE, SIDE).noise)[None])


def phrasings(pipeline: sav.StyleAVideoPipeline, frames: list[Picture]) -> None:
    """Do sentences that training never saw reach the same style?"""
    rng = np.random.default_rng(1)
    rows: dict[bool, list[bool]] = {False: [], True: []}
    # None of the four that chose the defaults (bundled_guidance.py).
    some = frames[1::3]
    galleries = renderers_galleries(some)
    for k, name in enumerate(STYLE_NAMES):
        for held_out, hits in rows.items():
            for _ in range(3):
                outputs = stylized(pipeline, caption(StyleSpec(name), rng, held_out), some)
                hits += [gallery.nearest(output) == k for output, gallery in zip(outputs, galleries, strict=True)]
    print("| phrasings | nearest to its own renderer |\n|---|---|")
    print(f"| as in training | {100 * np.mean(rows[False]):.1f} % |")
    print(f"| held out | {100 * np.mean(rows[True]):.1f} % |")


def mark_size(picture: Picture, frame: Picture) -> float:
    """Mean wavelength of the lightness: larger marks, larger value. The frame does not matter."""
    grey = picture.mean(axis=2) - picture.mean()
    power = np.abs(np.fft.rfft2(grey)) ** 2
    fy, fx = np.fft.fftfreq(grey.shape[0])[:, None], np.fft.rfftfreq(grey.shape[1])[None]
    return float(power.sum() / (power * np.hypot(fy, fx)).sum())


def line_depth(picture: Picture, frame: Picture) -> float:
    """By how much the picture is darker within 3 pixels of the frame's contours than elsewhere."""
    near = binary_dilation(canny(frame.mean(axis=2), sigma=2.0), iterations=3)
    grey = picture.mean(axis=2)
    return float(grey[~near].mean() - grey[near].mean())


def lightness(picture: Picture, frame: Picture) -> float:
    """Mean L* of CIELAB. The frame does not matter."""
    return float(_mean_lab(picture)[0])


def combinations(pipeline: sav.StyleAVideoPipeline, frames: list[Picture], count: int = 80) -> None:
    """Medium x palette x scale never trained together, and whether scale, line and tone words do what they say."""
    rng = np.random.default_rng(2)
    specs = [StyleSpec(m, palette=p, scale=s) for m in STYLE_NAMES for p in PALETTES for s in SCALES]
    specs = [spec for spec in specs if is_held_out(spec)]
    units = [gallery.unit for gallery in renderers_galleries(frames)]
    medium, palette, ceiling = [], [], []
    for k in rng.permutation(len(specs))[:count]:
        number = int(rng.integers(len(frames)))
        spec, frame = specs[k], frames[number]
        output = stylized(pipeline, caption(spec, rng), [frame])[0]
        candidates = Gallery.of([as_taught(frame, replace(spec, medium=name)) for name in STYLE_NAMES], units[number])
        asked = STYLE_NAMES.index(spec.medium)
        medium.append(candidates.nearest(output) == asked)
        ceiling.append(candidates.nearest(through_first_stage(pipeline, [candidates.pictures[asked]])[0]) == asked)
        plain = as_taught(frame, replace(spec, palette=""))
        means = {name: _mean_lab(recoloured(plain, name)) for name in PALETTES}
        found = _mean_lab(output)
        palette.append(min(means, key=lambda name: float(np.linalg.norm(means[name] - found))) == spec.palette)
    print("| held-out combinations | right |\n|---|---|")
    print(f"| medium | {100 * np.mean(medium):.1f} % |")
    print(
        f"| the same of the renderers through the first stage | {100 * np.mean(ceiling):.1f} % |\n"
        f"| palette | {100 * np.mean(palette):.1f} % |",
        flush=True,
    )
    _moves("scale words", pipeline, frames, ("fine", "huge"), "scale", mark_size)
    _moves("line words", pipeline, frames, ("none", "heavy"), "line", line_depth)
    _moves("tone words", pipeline, frames, ("dark", "pale"), "tone", lightness)


def _moves(
    label: str, pipeline: sav.StyleAVideoPipeline, frames: list[Picture], values: tuple[str, str], field: str,
    measure: Callable[[Picture, Picture], float],
) -> None:  # fmt: skip
    """How often a measure is larger for the second value than for the first, in sentences that are the same otherwise.

    Over two pictures of every medium; and how often it is so for the renderers.
    """
    rng = np.random.default_rng(3)
    right, taught = [], []
    for number, name in enumerate(STYLE_NAMES * 2):
        frame = frames[int(rng.integers(len(frames)))]
        specs = [replace(StyleSpec(name), **{field: value}) for value in values]
        sentences = [caption(spec, np.random.default_rng((4, number))) for spec in specs]
        first, second = (measure(stylized(pipeline, sentence, [frame])[0], frame) for sentence in sentences)
        right.append(second > first)
        first, second = (measure(as_taught(frame, spec), frame) for spec in specs)
        taught.append(second > first)
    print(f"| {label} move their measure the right way | {100 * np.mean(right):.1f} % |")
    print(f"| the same of the renderers | {100 * np.mean(taught):.1f} % |", flush=True)


def _mean_lab(picture: Picture) -> NDArray[np.float64]:
    return skimage.color.rgb2lab(picture).mean(axis=(0, 1))


SECTIONS: dict[str, Callable[[sav.StyleAVideoPipeline, list[Picture]], None]] = {
    "first-stage": first_stage,
    "embeddings": embeddings,
    "retrieval": retrieval,
    "fast": fast,
    "other-noise": other_noise,
    "phrasings": phrasings,
    "combinations": combinations,
}


@torch.no_grad()
def main(
    clips: Path,
    sections: Annotated[list[str] | None, typer.Argument(help="Which tables; all by default.")] = None,
    model: str = "bundled",
) -> None:
    pipeline = sav.load_pipeline(model)
    frames = held_out_frames(clips)
    unknown = set(sections or []) - set(SECTIONS)
    if unknown:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: choose from {', '.join(SECTIONS)}")
    for name in sections or SECTIONS:
        SECTIONS[name](pipeline, frames)
        print()


if __name__ == "__main__":
    typer.run(main)
