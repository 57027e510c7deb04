"""What does a frame cost on the bundled model with its default settings? Prints seconds and where they go.

python benchmarks/bundled_speed.py
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import numpy as np
import torch

import style_a_video as sav

FRAMES, WIDTH, HEIGHT = 8, 512, 256


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
    began = time.perf_counter()
    pipeline = sav.load_pipeline()
    frames = np.random.default_rng(0).random((FRAMES, HEIGHT, WIDTH, 3), dtype=np.float32)
    prompt = "Make it an Ukiyo-e painting."
    pipeline(prompt, frames[:1])
    first = time.perf_counter() - began
    images = torch.from_numpy(frames).permute(0, 3, 1, 2)
    latents = pipeline.encode_frames(images)
    rows = {
        "encode": lambda: pipeline.encode_frames(images),
        "decode": lambda: pipeline.decode_latents(latents),
        "all, defaults": lambda: pipeline(prompt, frames),
        "all, independent": lambda: pipeline(prompt, frames, guidance="independent"),
        "all, s_M = 0.5 lagged": lambda: pipeline(prompt, frames, mask_guidance_scale=0.5),
        "all, s_M = 0.5 exact": lambda: pipeline(prompt, frames, mask_guidance_scale=0.5, mask_refresh="exact"),
        "all, λ = 100 decoder": lambda: pipeline(prompt, frames, content_weight=100.0),
        "all, 1 step, s_T = s_I = 1": lambda: pipeline(prompt, frames, num_inference_steps=1, guidance_scale=1.0),
    }
    print(
        f"bundled model, {WIDTH}x{HEIGHT}, {pipeline.unet.dtype}, {torch.get_num_threads()} threads, batch of {FRAMES}"
    )
    print("| | s a frame |\n|---|---|")
    for label, function in rows.items():
        print(f"| {label} | {best_of(function) / FRAMES:.3f} |", flush=True)
    print(f"| model loaded and first frame done | {first:.1f} s in all |")
    print(f"| peak memory | {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB |")


if __name__ == "__main__":
    main()
