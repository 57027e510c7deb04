"""Does it flicker? Every way of keeping frames together, on real clips, beside peers and beside the input's own warping error.

    python benchmarks/temporal.py ../shared/clips [--frames 18] [--styles "ukiyo-e,pencil"] [--refiner FOLDER --paper-refiner FOLDER]

Prints how well each flow estimator finds the demo clip's true motion; a ladder of settings and two peers on the same weights: means
over clips and styles of E_warp and temporal loss (DESIGN 2.7), style and content score (φ of the model), sharpness (variance of the
Laplacian over that of shared noise), UNet evaluations and seconds a frame; then the defaults' E_warp over the input's own, clip by
clip. Shared noise is per-frame sampling from one noise field. Stress tests are in temporal_stress.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import typer
from diffusers import StableDiffusionInstructPix2PixPipeline
from diffusers.pipelines.deprecated.text_to_video_synthesis.pipeline_text_to_video_zero import (
    CrossFrameAttnProcessor2_0,
)
from torch import Tensor

import style_a_video as sav
from held_out import PROMPTS, SIDE
from style_a_video.demo import demo_clip
from style_a_video.errors import InputError
from style_a_video.evaluation import flows_at_distance, flows_to_first, temporal_loss, warp_error
from style_a_video.frames import frames_to_tensor, pad_to_multiple
from style_a_video.job import working_size
from style_a_video.models.loading import load_refiner
from style_a_video.settings import Settings
from style_a_video.stream import stylized_frames
from style_a_video.temporal import Refiner
from style_a_video.video import VideoFrame, VideoReader

Cells = dict[tuple[str, str], dict[str, float]]
"""The measures of (clip, style)."""
Method = Callable[["Clip", str], Tensor]
"""(clip, prompt) -> its output, (T, 3, H, W) in [0, 1]."""

SHARED, INDEPENDENT, DEFAULTS = "shared noise", "independent noise", "keyframes + refiner (the defaults)"
LADDER: dict[str, dict[str, Any]] = {
    INDEPENDENT: {"noise": "independent", "keyframe_interval": 1, "refine": False},
    SHARED: {"keyframe_interval": 1, "refine": False},
    "warped noise": {"noise": "warped", "keyframe_interval": 1, "refine": False},
    "anchor": {"keyframe_interval": 1, "anchor": True, "refine": False},
    "refiner": {"keyframe_interval": 1},
    "keyframes": {"refine": False},
    DEFAULTS: {},
    "warped noise + keyframes + refiner": {"noise": "warped"},
    "all: warped noise + anchor + keyframes + refiner": {"noise": "warped", "anchor": True},
}
"""Each row's settings of the job; noise is shared where none is named."""
PAPERS = "refiner, the paper's inputs"


@dataclass(frozen=True)
class Clip:
    """Frames of one real clip and what its motion says, all of the input."""

    name: str
    frames: list[VideoFrame]
    pictures: Tensor
    """(T, 3, H, W)."""
    short: tuple[Tensor, Tensor]
    long: tuple[Tensor, Tensor]
    five: tuple[Tensor, Tensor]

    @classmethod
    def read(cls, path: Path, count: int) -> Clip:
        reader = VideoReader(path)
        frames = list(islice(reader.frames(working_size(reader.info, SIDE)), count))
        pictures = frames_to_tensor(np.stack([frame.pixels for frame in frames]))
        flow = sav.temporal.dis_flow()
        short, five = (flows_at_distance(flow, pictures, distance) for distance in (1, 5))
        return cls(path.stem, frames, pictures, short, flows_to_first(flow, pictures), five)

    def warp_error(self, pictures: Tensor) -> float:
        try:
            return warp_error(pictures, *self.short, *self.long)
        except InputError as error:
            raise SystemExit(f"{self.name}: {error}") from error


def measures(pipeline: sav.StyleAVideoPipeline, clip: Clip, output: Tensor, prompt: str) -> dict[str, float]:
    """What the table shows of one output, (T, 3, H, W)."""
    embed = sav.optimization.clip_image_embedding(pipeline.image_encoder, pipeline.feature_extractor)
    tokens = pipeline.tokenizer([prompt], padding="max_length", truncation=True, return_tensors="pt")
    text = pipeline.text_encoder(tokens.input_ids).pooler_output.float()
    images, inputs = embed(output).float(), embed(clip.pictures).float()
    return {
        "E_warp": clip.warp_error(output),
        "loss 1": temporal_loss(output, *clip.short),
        "loss 5": temporal_loss(output, *clip.five),
        "style": float(torch.cosine_similarity(images, text).mean()),
        "content": float(torch.cosine_similarity(images, inputs).mean()),
        "Laplacian": sharpness(output),
    }


def sharpness(frames: Tensor) -> float:
    """Mean variance of the Laplacian of the grey frames, (T, 3, H, W)."""
    greys = frames.mean(dim=1).numpy()
    return float(np.mean([cv2.Laplacian(np.ascontiguousarray(grey), cv2.CV_32F).var() for grey in greys]))


def end_point_errors() -> None:
    """Mean distance of found from true motion on the demo clip, where the motion is visible."""
    clip = demo_clip()
    frames, visible = frames_to_tensor(clip.frames), torch.from_numpy(clip.visible)
    estimators = {"DIS": sav.temporal.dis_flow()}
    try:
        estimators["RAFT, small"] = sav.temporal.raft_flow()
    except InputError as error:
        print(f"{error}\n")
    print("| flow | end-point error, pixels | trusted where visible | trusted where hidden |\n|---|---|---|---|")
    for name, estimate in estimators.items():
        flow, mask = sav.temporal.flow_both_ways(estimate, frames[1:], frames[:-1])
        distance = (flow - torch.from_numpy(clip.flows)).norm(dim=1)[visible].mean()
        seen, hidden = (100 * mask[:, 0][where].mean() for where in (visible, ~visible))
        print(f"| {name} | {distance:.3f} | {seen:.1f} % | {hidden:.1f} % |")
    print(f"| (standing still) | {torch.from_numpy(clip.flows).norm(dim=1)[visible].mean():.3f} | | |\n")


def ours(pipeline: sav.StyleAVideoPipeline, settings: dict[str, Any], refiner: Refiner | None = None) -> Method:
    """The job's own frames under these settings."""

    def method(clip: Clip, prompt: str) -> Tensor:
        output = list(stylized_frames(pipeline, clip.frames, prompt, Settings(**settings), refiner))
        return frames_to_tensor(np.stack([frame.pixels for frame in output]))

    return method


def instruct_pix2pix(pipeline: sav.StyleAVideoPipeline, cross_frame: bool) -> Method:
    """diffusers' own pipeline on the same weights, steps and scales, the same seed for every frame (so one noise field).

    `cross_frame`: every frame attends to the first one instead of itself (Video-InstructPix2Pix of Text2Video-Zero).
    """
    parts = {
        name: part for name, part in pipeline.components.items() if "encoder" not in name or name == "text_encoder"
    }
    parts.pop("feature_extractor", None)
    peer = StableDiffusionInstructPix2PixPipeline(
        **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False
    )
    peer.set_progress_bar_config(disable=True)
    defaults = pipeline.defaults()

    def run(frames: Tensor, prompt: str) -> Tensor:
        images: Tensor = peer(
            [prompt] * len(frames), image=frames, num_inference_steps=defaults["num_inference_steps"],
            guidance_scale=defaults["guidance_scale"], image_guidance_scale=defaults["image_guidance_scale"],
            generator=[torch.Generator().manual_seed(0) for _ in frames], output_type="pt",
        ).images  # fmt: skip
        return images.float()

    def method(clip: Clip, prompt: str) -> Tensor:
        frames = pad_to_multiple(clip.pictures, 8)
        before = pipeline.unet.attn_processors
        if cross_frame:
            pipeline.unet.set_attn_processor(CrossFrameAttnProcessor2_0(batch_size=3))
        try:
            output = run(frames, prompt) if cross_frame else torch.cat([run(f, prompt) for f in frames.split(8)])
        finally:
            pipeline.unet.set_attn_processor(before)
        return output[..., : clip.pictures.shape[-2], : clip.pictures.shape[-1]]

    return method


def measured(
    pipeline: sav.StyleAVideoPipeline, methods: dict[str, Method], clips: list[Clip], styles: list[str]
) -> dict[str, Cells]:
    """Every method on every clip in every style."""
    evaluations = 0

    def count(_module: torch.nn.Module, arguments: tuple[Tensor, ...]) -> None:
        nonlocal evaluations
        evaluations += len(arguments[0])

    found: dict[str, Cells] = {name: {} for name in methods}
    handle = pipeline.unet.register_forward_pre_hook(count)
    for clip in clips:
        for style in styles:
            for name, method in methods.items():
                evaluations, began = 0, time.perf_counter()
                output = method(clip, PROMPTS[style])
                cost = {
                    "s/frame": (time.perf_counter() - began) / len(output),
                    "evaluations": evaluations / len(output),
                }
                found[name][clip.name, style] = measures(pipeline, clip, output, PROMPTS[style]) | cost
            print(f"{clip.name}, {style}: done", flush=True)
    handle.remove()
    return found


def table(found: dict[str, Cells]) -> None:
    """The means of every method, and its E_warp over that of shared and of independent noise."""
    head = "| | E_warp | of shared | of independent | loss 1 | loss 5 | style | content | sharpness | evaluations | s/frame |"
    print(f"\n{head}\n|{'---|' * 11}")
    for name, cells in found.items():
        mean = {key: float(np.mean([cell[key] for cell in cells.values()])) for key in next(iter(cells.values()))}

        def ratio(key: str, base: str, cells: Cells = cells) -> float:
            return float(np.mean([cell[key] / found[base][where][key] for where, cell in cells.items()]))

        print(
            f"| {name} | {mean['E_warp']:.4f} | {ratio('E_warp', SHARED):.2f} | {ratio('E_warp', INDEPENDENT):.2f} | "
            f"{mean['loss 1']:.4f} | {mean['loss 5']:.4f} | {mean['style']:.3f} | {mean['content']:.3f} | "
            f"{ratio('Laplacian', SHARED):.2f} | {mean['evaluations']:.2f} | {mean['s/frame']:.3f} |",
            flush=True,
        )
    print()


def against_input(clips: list[Clip], styles: list[str], rows: Cells) -> None:
    """E_warp of the output over the input's own."""
    print(f"| clip | input's E_warp | {' | '.join(styles)} |\n|---|---|{'---|' * len(styles)}")
    ratios = {}
    for clip in clips:
        own = clip.warp_error(clip.pictures)
        ratios[clip.name] = [rows[clip.name, style]["E_warp"] / own for style in styles]
        print(f"| {clip.name} | {own:.4f} | {' | '.join(f'{ratio:.2f}' for ratio in ratios[clip.name])} |")
    print(f"| mean | | {' | '.join(f'{value:.2f}' for value in np.mean(list(ratios.values()), axis=0))} |")
    print(f"\nmean of all: {np.mean(list(ratios.values())):.2f}")


@torch.no_grad()
def main(
    clips: Path,
    frames: Annotated[int, typer.Option(help="Of every clip, from its beginning.")] = 18,
    styles: Annotated[str, typer.Option(help="Names, with commas between.")] = "ukiyo-e,pencil,watercolor,pop art",
    model: str = "bundled",
    refiner: Annotated[Path | None, typer.Option(help="Its folder.", show_default="the package's")] = None,
    paper_refiner: Annotated[
        Path | None, typer.Option(help="The folder of one with the paper's inputs.", show_default="none")
    ] = None,
) -> None:
    end_point_errors()
    pipeline = sav.load_pipeline(model)
    names = [name.strip() for name in styles.split(",")]
    read = [Clip.read(path, frames) for path in sorted(clips.glob("*.mp4"))]
    steadying = load_refiner(refiner)
    methods = {
        row: ours(pipeline, settings, steadying if settings.get("refine", True) else None)
        for row, settings in LADDER.items()
    }
    if paper_refiner:
        methods[PAPERS] = ours(pipeline, LADDER["refiner"], load_refiner(paper_refiner))
    methods["InstructPix2Pix (diffusers)"] = instruct_pix2pix(pipeline, cross_frame=False)
    methods["Video-InstructPix2Pix (diffusers)"] = instruct_pix2pix(pipeline, cross_frame=True)
    found = measured(pipeline, methods, read, names)
    table(found)
    against_input(read, names, found[DEFAULTS])


if __name__ == "__main__":
    typer.run(main)
