"""What does a frame cost on the bundled model, by default and with --fast? Where does the time go?

python benchmarks/bundled_speed.py [FOLDER of clips]
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

import numpy as np
import torch

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


@torch.no_grad()
def main() -> None:
    pipeline = sav.load_pipeline()
    frames = np.random.default_rng(0).random((FRAMES, HEIGHT, WIDTH, 3), dtype=np.float32)
    prompt = "Make it an Ukiyo-e painting."
    images = torch.from_numpy(frames).permute(0, 3, 1, 2)
    latents = pipeline.encode_frames(images)
    rows = {
        "encode": lambda: pipeline.encode_frames(images),
        "decode": lambda: pipeline.decode_latents(latents),
        "all, defaults": lambda: pipeline(prompt, frames),
        "all, independent": lambda: pipeline(prompt, frames, guidance="independent"),
        "all, s_M = 0.5 lagged": lambda: pipeline(prompt, frames, mask_guidance_scale=0.5),
        "all, s_M = 0.5 exact": lambda: pipeline(prompt, frames, mask_guidance_scale=0.5, mask_refresh="exact"),
        "all, --fast": lambda: pipeline(prompt, frames, fast=True),
    }
    threads = torch.get_num_threads()
    print(f"bundled model, {WIDTH}x{HEIGHT}, {pipeline.unet.dtype}, {threads} threads, batch of {FRAMES}")
    pipeline(prompt, frames)
    print(f"| {WIDTH}x{HEIGHT}, defaults | |\n|---|---|")
    print(f"| peak memory | {peak_memory():.2f} GiB |")
    print(f"| a fresh process, imports and first frame | {first_frame():.1f} s in all |\n")
    print("| | s a frame |\n|---|---|")
    for label, function in rows.items():
        print(f"| {label} | {best_of(function) / FRAMES:.3f} |", flush=True)
    lambda_seconds = best_of(lambda: pipeline(prompt, frames, content_weight=100.0), repeats=1) / FRAMES
    print(f"| all, λ = 100 decoder | {lambda_seconds:.3f}, peak memory {peak_memory():.2f} GiB |\n", flush=True)
    live(pipeline, prompt, Path(sys.argv[1]) if len(sys.argv) > 1 else None)


def live(pipeline: sav.StyleAVideoPipeline, prompt: str, folder: Path | None) -> None:
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
            rates.append([rate(pipeline, source, prompt, output, fast) for fast in (False, True)])
            print(f"| {name}, {len(frames)} frames | {rates[-1][0]:.1f} | {rates[-1][1]:.1f} |", flush=True)
    print(f"| mean | {np.mean(rates, axis=0)[0]:.1f} | {np.mean(rates, axis=0)[1]:.1f} |")


def rate(pipeline: sav.StyleAVideoPipeline, source: Path, prompt: str, output: Path, fast: bool) -> float:
    """Frames a second of the second run; the first warms up."""
    for _ in range(2):
        result = sav.stylize(source, prompt, output, pipeline=pipeline, fast=fast, overwrite=True)
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
    main()
