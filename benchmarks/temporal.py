"""Does it flicker? Every way of keeping frames together, on real clips, beside the input's own warping error.

    python benchmarks/temporal.py ../shared/clips [--frames 24] [--styles "ukiyo-e,pencil"] [--model FOLDER] [--refiner FOLDER]

Prints how well each flow estimator finds the demo clip's true motion, then a ladder: mean over clips and styles of E_warp and
temporal loss (DESIGN 2.7), style and content score (φ of the model), sharpness (variance of the Laplacian over that of shared noise)
and seconds a frame; then the refined video (or, without a refiner, that of shared noise) against the input's own E_warp, clip by clip.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import typer
from torch import Tensor

import style_a_video as sav
from held_out import PROMPTS, SIDE
from style_a_video.demo import demo_clip
from style_a_video.errors import InputError
from style_a_video.evaluation import flows_at_distance, flows_to_first, temporal_loss, warp_error
from style_a_video.frames import frames_to_tensor
from style_a_video.job import Settings, stylized_frames, working_size
from style_a_video.temporal import Refiner
from style_a_video.video import VideoFrame, VideoReader

PLAIN = "shared noise"
LADDER: dict[str, dict[str, Any]] = {
    "independent noise": {"noise": "independent"},
    PLAIN: {"noise": "shared"},
    "warped noise": {"noise": "warped"},
}
"""Each row's settings of the job."""
REFINED = "shared noise + refiner"


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


def ladder(
    pipeline: sav.StyleAVideoPipeline, clips: list[Clip], styles: list[str], refiner: Refiner | None
) -> dict[str, dict[tuple[str, str], dict[str, float]]]:
    """The measures of every row, clip and style; the table of their means is printed on the way."""
    found: dict[str, dict[tuple[str, str], dict[str, float]]] = {}
    rows: list[tuple[str, dict[str, Any], Refiner | None]] = [(row, settings, None) for row, settings in LADDER.items()]
    rows += [(REFINED, LADDER[PLAIN], refiner)] if refiner else []
    for row, settings, steadying in rows:
        found[row] = {}
        for clip in clips:
            for style in styles:
                began = time.perf_counter()
                output = list(stylized_frames(pipeline, clip.frames, PROMPTS[style], Settings(**settings), steadying))
                seconds = (time.perf_counter() - began) / len(output)
                pictures = frames_to_tensor(np.stack([frame.pixels for frame in output]))
                found[row][clip.name, style] = measures(pipeline, clip, pictures, PROMPTS[style]) | {"s/frame": seconds}
    print(
        "| | E_warp | of shared | loss 1 | loss 5 | style | content | sharpness | s/frame |\n|---|---|---|---|---|---|---|---|---|"
    )
    for row, cells in found.items():
        mean = {name: float(np.mean([cell[name] for cell in cells.values()])) for name in next(iter(cells.values()))}
        pairs = [(cell, found[PLAIN][key]) for key, cell in cells.items()]
        error, sharp = (np.mean([cell[name] / base[name] for cell, base in pairs]) for name in ("E_warp", "Laplacian"))
        print(
            f"| {row} | {mean['E_warp']:.4f} | {error:.2f} | {mean['loss 1']:.4f} | {mean['loss 5']:.4f} | {mean['style']:.3f} | "
            f"{mean['content']:.3f} | {sharp:.2f} | {mean['s/frame']:.3f} |",
            flush=True,
        )
    print()
    return found


def against_input(clips: list[Clip], styles: list[str], rows: dict[tuple[str, str], dict[str, float]]) -> None:
    """E_warp of the output over the input's own."""
    print(f"| clip | input's E_warp | {' | '.join(styles)} |\n|---|---|{'---|' * len(styles)}")
    for clip in clips:
        own = clip.warp_error(clip.pictures)
        ratios = " | ".join(f"{rows[clip.name, style]['E_warp'] / own:.2f}" for style in styles)
        print(f"| {clip.name} | {own:.4f} | {ratios} |")


@torch.no_grad()
def main(
    clips: Path,
    frames: Annotated[int, typer.Option(help="Of every clip, from its beginning.")] = 24,
    styles: Annotated[str, typer.Option(help="Names, with commas between.")] = "ukiyo-e,pencil,watercolor,pop art",
    model: str = "bundled",
    refiner: Annotated[Path | None, typer.Option(help="A trained refiner's folder.", show_default="none")] = None,
) -> None:
    end_point_errors()
    pipeline = sav.load_pipeline(model)
    names = [name.strip() for name in styles.split(",")]
    read = [Clip.read(path, frames) for path in sorted(clips.glob("*.mp4"))]
    steadying = Refiner.from_pretrained(refiner).eval() if refiner else None
    found = ladder(pipeline, read, names, steadying)
    against_input(read, names, found[list(found)[-1] if steadying else PLAIN])


if __name__ == "__main__":
    typer.run(main)
