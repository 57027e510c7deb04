"""What a GPU makes of a model of Stable Diffusion 1.5's size, with random weights; below four minutes.

    python benchmarks/gpu.py [--device cuda] [--tiny]

At 512x256: 30 steps of four branches on single frames; 4 steps with keyframes and refiner; the same with torch.compile.
Frames a second, the share of the measured peak of a matrix product, and peak memory. `--tiny` runs all of it on a small
model, to see that it runs.
"""

from __future__ import annotations

import time
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch.utils.flop_counter import FlopCounterMode

import style_a_video as sav
from sd15_step import sd15_pipeline
from style_a_video.demo import demo_clip
from style_a_video.devices import best_device, compute_dtype
from style_a_video.models.loading import load_refiner
from style_a_video.settings import Settings
from style_a_video.stream import stylized_frames
from style_a_video.video import VideoFrame

PROMPT = "Make it an Ukiyo-e painting."
WIDTH, HEIGHT = 512, 256
FOUR_BRANCHES: dict[str, Any] = {
    "num_inference_steps": 30, "guidance_scale": 7.5, "image_guidance_scale": 1.5, "mask_guidance_scale": 0.5,
    "keyframe_interval": 1, "refine": False,
}  # fmt: skip
KEYFRAMES: dict[str, Any] = {"num_inference_steps": 4, "guidance_scale": 7.5, "image_guidance_scale": 1.5}


def main(
    device: Annotated[str, typer.Option(help="Where.")] = best_device(),
    tiny: Annotated[bool, typer.Option("--tiny", help="A small model.")] = False,
) -> None:
    dtype = compute_dtype(device)
    pipeline = sav.load_pipeline().to(device) if tiny else sd15_pipeline(dtype).to(device)
    pixels = demo_clip(frames=33, width=WIDTH, height=HEIGHT).frames
    peak = matrix_peak(device, dtype)
    print(f"{name_of(device)}, {dtype}; a product of matrices: {peak / 1e3:.1f} TFLOP/s\n")
    print("| 512x256 | frames/s | GFLOP a frame | of the peak | memory, GiB |\n|---|---|---|---|---|")
    short = pixels[:3] if tiny else pixels[:8]
    row("30 steps of four branches", pipeline, short, FOUR_BRANCHES, peak, device)
    gflop = row("4 steps, keyframes, refiner", pipeline, pixels, KEYFRAMES, peak, device)
    if not tiny:
        pipeline.unet = torch.compile(pipeline.unet)
        row("4 steps, keyframes, refiner, compiled", pipeline, pixels, KEYFRAMES, peak, device, gflop)


def row(
    name: str, pipeline: sav.StyleAVideoPipeline, pixels: Any, settings: dict[str, Any], peak: float, device: str,
    gflop: float | None = None,
) -> float:  # fmt: skip
    """One row of the table, and its GFLOP a frame: the second run is timed, the first warms up and counts.

    What is compiled is not counted, but given: beside a counter torch would not compile it.
    """
    chosen = Settings(size=HEIGHT, **settings)
    refiner = load_refiner() if chosen.refine else None

    def run() -> None:
        frames = (VideoFrame(picture, number) for number, picture in enumerate(pixels))
        for _ in stylized_frames(pipeline, frames, PROMPT, chosen, refiner):
            pass
        if device == "cuda":
            torch.cuda.synchronize()

    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    if gflop is None:
        with FlopCounterMode(display=False) as counter:
            run()
        gflop = counter.get_total_flops() / 1e9 / len(pixels)
    else:
        run()
    began = time.perf_counter()
    run()
    rate = len(pixels) / (time.perf_counter() - began)
    memory = torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else float("nan")
    print(f"| {name} | {rate:.2f} | {gflop:.0f} | {100 * rate * gflop / peak:.0f} % | {memory:.1f} |", flush=True)
    return gflop


def matrix_peak(device: str, dtype: torch.dtype) -> float:
    """GFLOP/s of large products."""
    side = 8192 if device == "cuda" else 1024
    a = torch.rand(side, side, device=device).to(dtype)
    times = []
    for _ in range(4):
        if device == "cuda":
            torch.cuda.synchronize()
        began = time.perf_counter()
        b = a @ a
        float(b[0, 0])  # waits for the product
        times.append(time.perf_counter() - began)
    return float(2 * side**3 / np.min(times) / 1e9)


def name_of(device: str) -> str:
    """The GPU's own name."""
    return torch.cuda.get_device_name() if device == "cuda" else device


if __name__ == "__main__":
    typer.run(main)
