"""How good are the bundled model's pictures? Real frames and held-out photographs in every style, against the teachers.

    python benchmarks/bundled_quality.py ../shared/clips [first-stage | embeddings | retrieval | phrasings | combinations | guidance ...]

Prints one table a section (all of them by default). No picture here was seen in training; the descriptor by which styles are
told apart was never part of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import skimage.color
import torch
from numpy.typing import NDArray

import style_a_video as sav
from style_a_video.evaluation import edge_f_score, gradient_similarity, structural_similarity, style_descriptor
from style_a_video.job import working_size
from style_a_video.models.loading import bundled_folder
from style_a_video.models.looks import PALETTES, SCALES, Look
from style_a_video.models.vocabulary import Knowledge
from style_a_video.training.captions import caption, is_held_out
from style_a_video.training.contents import HELD_OUT_PHOTOGRAPHS, photograph_crop
from style_a_video.training.teachers import WITHOUT_LINES, render
from style_a_video.training.teachers.finish import recoloured
from style_a_video.video import VideoReader

SIDE = 256
Picture = NDArray[np.float32]
STYLES = Knowledge.of(bundled_folder()).styles
STYLE_NAMES = tuple(style.name for style in STYLES)
PROMPTS = {style.name: style.prompt for style in STYLES}


def middle_frame(path: Path) -> Picture:
    """The centre square of the middle frame, (256, 256, 3) in [0, 1]."""
    reader = VideoReader(path)
    pictures = [frame.pixels for frame in reader.frames(working_size(reader.info, SIDE))]
    picture = pictures[len(pictures) // 2]
    top, left = (picture.shape[0] - SIDE) // 2, (picture.shape[1] - SIDE) // 2
    return (picture[top : top + SIDE, left : left + SIDE] / 255).astype(np.float32)


def held_out_frames(clips: Path) -> list[Picture]:
    """The middle frame of every clip, and a crop of every held-out photograph."""
    rng = np.random.default_rng(0)
    photographs = [photograph_crop(rng, SIDE, (name,)) for name in HELD_OUT_PHOTOGRAPHS]
    return [middle_frame(path) for path in sorted(clips.glob("*.mp4"))] + photographs


def stylized(pipeline: sav.StyleAVideoPipeline, prompt: str, frames: list[Picture], **settings: Any) -> list[Picture]:
    generator = torch.Generator().manual_seed(0)
    return list(np.asarray(pipeline(prompt, np.stack(frames), generator=generator, **settings).frames))


def nearest(found: Picture, candidates: list[Picture]) -> int:
    """Index of the candidate whose descriptor is nearest, every entry scaled by its deviation among the candidates."""
    table = np.stack([style_descriptor(candidate) for candidate in candidates])
    distance = (table - style_descriptor(found)) / (table.std(axis=0) + 1e-6)
    return int(np.linalg.norm(distance, axis=1).argmin())


def first_stage(pipeline: sav.StyleAVideoPipeline, frames: list[Picture]) -> None:
    """PSNR of decode(encode(x)) on untouched frames and on the teachers' renderings of them."""

    def psnr(pictures: list[Picture]) -> float:
        images = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
        again = pipeline.decode_latents(pipeline.encode_frames(images).float() * pipeline.vae.config.scaling_factor)
        return float((-10 * (images - again.float()).square().mean((1, 2, 3)).log10()).mean())

    print("| first stage | PSNR, dB |\n|---|---|")
    print(f"| untouched frames | {psnr(frames):.1f} |")
    values = {name: psnr([render(frame, Look(name)) for frame in frames[::3]]) for name in STYLE_NAMES}
    print(f"| stylized, mean | {np.mean(list(values.values())):.1f} |")
    for name, value in values.items():
        print(f"| {name} | {value:.1f} |")


def embeddings(pipeline: sav.StyleAVideoPipeline, frames: list[Picture]) -> None:
    """Does φ tell contents apart across styles, and rank the right style's sentence first?"""
    embed = sav.optimization.clip_image_embedding(pipeline.image_encoder, pipeline.feature_extractor)

    def unit(values: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(values.float(), dim=-1)

    pictures = [[frame, *(render(frame, Look(name)) for name in STYLE_NAMES)] for frame in frames]
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


def retrieval(pipeline: sav.StyleAVideoPipeline, frames: list[Picture]) -> None:
    """Is an output nearest to its own style's teacher? And how near, in structure?"""
    taught = [[render(frame, Look(name)) for name in STYLE_NAMES] for frame in frames]
    right = []
    print(
        "| style | nearest to its own teacher | SSIM | gradient similarity | edge F | teacher's edge F |\n|---|---|---|---|---|---|"
    )
    drops = []
    for k, name in enumerate(STYLE_NAMES):
        outputs = stylized(pipeline, PROMPTS[name], frames)
        hits = [nearest(output, row) == k for output, row in zip(outputs, taught, strict=True)]
        pairs = [(output, row[k], frame) for output, row, frame in zip(outputs, taught, frames, strict=True)]
        ssim = np.mean([structural_similarity(output, teacher) for output, teacher, _ in pairs])
        gradient = np.mean([gradient_similarity(output, teacher) for output, teacher, _ in pairs])
        edges = np.mean([edge_f_score(output, frame) for output, _, frame in pairs])
        wanted = np.mean([edge_f_score(teacher, frame) for _, teacher, frame in pairs])
        right += hits
        drops.append(wanted - edges)
        print(
            f"| {name} | {sum(hits)}/{len(hits)} | {ssim:.3f} | {gradient:.3f} | {edges:.3f} | {wanted:.3f} |",
            flush=True,
        )
    print(
        f"| **all** | **{100 * np.mean(right):.1f} %** | | | worst drop {max(drops):.3f} | mean drop {np.mean(drops):.3f} |"
    )


def phrasings(pipeline: sav.StyleAVideoPipeline, frames: list[Picture]) -> None:
    """Do sentences that training never saw reach the same style?"""
    rng = np.random.default_rng(1)
    rows = {False: [], True: []}  # type: dict[bool, list[bool]]
    some = frames[::3]
    taught = [[render(frame, Look(name)) for name in STYLE_NAMES] for frame in some]
    for k, name in enumerate(STYLE_NAMES):
        for held_out, hits in rows.items():
            for _ in range(3):
                outputs = stylized(pipeline, caption(Look(name), rng, held_out), some)
                hits += [nearest(output, row) == k for output, row in zip(outputs, taught, strict=True)]
    print("| phrasings | nearest to its own teacher |\n|---|---|")
    print(f"| as in training | {100 * np.mean(rows[False]):.1f} % |")
    print(f"| held out | {100 * np.mean(rows[True]):.1f} % |")


def mark_size(picture: Picture) -> float:
    """Mean wavelength of the lightness: larger marks, larger value."""
    grey = picture.mean(axis=2) - picture.mean()
    power = np.abs(np.fft.rfft2(grey)) ** 2
    fy, fx = np.fft.fftfreq(grey.shape[0])[:, None], np.fft.rfftfreq(grey.shape[1])[None]
    return float(power.sum() / (power * np.hypot(fy, fx)).sum())


def line_share(picture: Picture) -> float:
    """Mean depth of thin dark lines: closing by 5 pixels minus the picture."""
    from scipy.ndimage import grey_closing

    grey = picture.mean(axis=2)
    return float((grey_closing(grey, 5) - grey).mean())


def combinations(pipeline: sav.StyleAVideoPipeline, frames: list[Picture], count: int = 40) -> None:
    """Medium x palette x scale that training never saw together; and whether scale and line words do what they say."""
    rng = np.random.default_rng(2)
    looks = [Look(m, palette=p, scale=s) for m in STYLE_NAMES for p in PALETTES for s in SCALES]
    looks = [look for look in looks if is_held_out(look)]
    medium, palette = [], []
    for k in rng.permutation(len(looks))[:count]:
        look, frame = looks[k], frames[int(rng.integers(len(frames)))]
        output = stylized(pipeline, caption(look, rng), [frame])[0]
        candidates = [render(frame, replace(look, medium=name)) for name in STYLE_NAMES]
        medium.append(STYLE_NAMES[nearest(output, candidates)] == look.medium)
        plain = render(frame, replace(look, palette=""))
        means = {name: _mean_lab(recoloured(plain, name)) for name in PALETTES}
        found = _mean_lab(output)
        palette.append(min(means, key=lambda name: float(np.linalg.norm(means[name] - found))) == look.palette)
    print("| held-out combinations | right |\n|---|---|")
    print(f"| medium | {100 * np.mean(medium):.1f} % |\n| palette | {100 * np.mean(palette):.1f} % |", flush=True)
    everything = list(STYLE_NAMES)
    with_lines = [name for name in STYLE_NAMES if name not in WITHOUT_LINES]
    _moves("scale words", pipeline, frames, everything, ("fine", "huge"), "scale", mark_size)
    _moves("line words", pipeline, frames, with_lines, ("none", "heavy"), "line", line_share)


def _moves(
    label: str, pipeline: sav.StyleAVideoPipeline, frames: list[Picture], media: list[str], values: tuple[str, str],
    field: str, measure: Callable[[Picture], float],
) -> None:  # fmt: skip
    """How often the measure moves as the teacher's does between the two values."""
    rng, right = np.random.default_rng(3), []
    for name in media:
        frame = frames[int(rng.integers(len(frames)))]
        looks = [replace(Look(name), **{field: value}) for value in values]
        outputs = [measure(stylized(pipeline, caption(look, rng), [frame])[0]) for look in looks]
        taught = [measure(render(frame, look)) for look in looks]
        right.append((outputs[1] > outputs[0]) == (taught[1] > taught[0]))
    print(f"| {label} move their measure as the teacher's | {100 * np.mean(right):.1f} % |", flush=True)


def _mean_lab(picture: Picture) -> NDArray[np.float64]:
    return skimage.color.rgb2lab(picture).mean(axis=(0, 1))


SWEEP: dict[str, dict[str, Any]] = {
    "joint, s_T 1 (no guidance)": {"guidance": "joint", "guidance_scale": 1.0},
    "joint, s_T 1.5": {"guidance": "joint", "guidance_scale": 1.5},
    "joint, s_T 2": {"guidance": "joint", "guidance_scale": 2.0},
    "joint, s_T 3": {"guidance": "joint", "guidance_scale": 3.0},
    "joint, s_T 2, s_I 1.3": {"guidance": "joint", "guidance_scale": 2.0, "image_guidance_scale": 1.3},
    "joint, s_T 1.5, s_M 0.3": {"guidance": "joint", "guidance_scale": 1.5, "mask_guidance_scale": 0.3},
    "joint, s_T 1.5, λ 30": {"guidance": "joint", "guidance_scale": 1.5, "content_weight": 30.0},
    "independent, s_T 3, s_I 1.2": {"guidance": "independent", "guidance_scale": 3.0, "image_guidance_scale": 1.2},
    "independent, s_T 5, s_I 1.5": {"guidance": "independent", "guidance_scale": 5.0, "image_guidance_scale": 1.5},
}


def guidance(pipeline: sav.StyleAVideoPipeline, frames: list[Picture]) -> None:
    """What the form of guidance, its scales, s_M, λ and the number of steps buy."""
    some = frames[::3]
    taught = [[render(frame, Look(name)) for name in STYLE_NAMES] for frame in some]
    print("| settings | steps | nearest to its own teacher | SSIM | edge F minus teacher's |\n|---|---|---|---|---|")
    for steps in (1, 2, 4, 8):
        for label, settings in SWEEP.items() if steps == 4 else list(SWEEP.items())[:3]:
            hits, ssim, edges = [], [], []
            for k, name in enumerate(STYLE_NAMES):
                outputs = stylized(pipeline, PROMPTS[name], some, num_inference_steps=steps, **settings)
                for output, row, frame in zip(outputs, taught, some, strict=True):
                    hits.append(nearest(output, row) == k)
                    ssim.append(structural_similarity(output, row[k]))
                    edges.append(edge_f_score(output, frame) - edge_f_score(row[k], frame))
            print(
                f"| {label} | {steps} | {100 * np.mean(hits):.1f} % | {np.mean(ssim):.3f} | {np.mean(edges):+.3f} |",
                flush=True,
            )


SECTIONS: dict[str, Callable[[sav.StyleAVideoPipeline, list[Picture]], None]] = {
    "first-stage": first_stage, "embeddings": embeddings, "retrieval": retrieval, "phrasings": phrasings,
    "combinations": combinations, "guidance": guidance,
}  # fmt: skip


@torch.no_grad()
def main(clips: Path, sections: list[str]) -> None:
    pipeline = sav.load_pipeline()
    frames = held_out_frames(clips)
    for name in sections or SECTIONS:
        SECTIONS[name](pipeline, frames)
        print()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
