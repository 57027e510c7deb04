"""What does one frame cost on a Stable-Diffusion-1.5-sized model? Random weights, 8 input channels, on the CPU.

    python benchmarks/sd15_step.py

Prints seconds per UNet call and peak memory, after one frame went through `StyleAVideoPipeline` end to end.
"""

from __future__ import annotations

import resource
import time
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

import style_a_video as sav
from style_a_video.devices import compute_dtype
from style_a_video.models import bundled_folder


def sd15_pipeline(dtype: torch.dtype) -> sav.StyleAVideoPipeline:
    """SD 1.5's configuration with InstructPix2Pix's 8 input channels and random weights; the bundled tokenizer."""
    from transformers import CLIPTokenizer

    torch.set_default_dtype(dtype)
    torch.manual_seed(0)
    tokenizer = CLIPTokenizer.from_pretrained(bundled_folder() / "tokenizer")
    text_config = CLIPTextConfig(
        hidden_size=768,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        eos_token_id=tokenizer.eos_token_id,
    )
    unet = UNet2DConditionModel(
        sample_size=64, in_channels=8, out_channels=4, cross_attention_dim=768, attention_head_dim=8
    )
    vae = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        latent_channels=4,
    )
    torch.set_default_dtype(torch.float32)
    return sav.StyleAVideoPipeline(vae, CLIPTextModel(text_config).to(dtype), tokenizer, unet, DDIMScheduler())


def main(steps: int = 2, width: int = 512, height: int = 256) -> None:
    dtype = compute_dtype("cpu")
    pipeline = sd15_pipeline(dtype)
    calls: list[float] = []
    forward = pipeline.unet.forward

    def timed(*args: object, **kwargs: object) -> object:
        began = time.perf_counter()
        result = forward(*args, **kwargs)
        calls.append(time.perf_counter() - began)
        return result

    pipeline.unet.forward = timed
    frame = np.random.default_rng(0).random((1, height, width, 3), dtype=np.float32)
    began = time.perf_counter()
    output: Any = pipeline("Make it an Ukiyo-e painting.", frame, num_inference_steps=steps, guidance="joint").frames
    total = time.perf_counter() - began
    if output.shape != frame.shape or not np.isfinite(output).all():
        raise RuntimeError(f"the pipeline returned {output.shape}, expected finite {frame.shape}")
    parameters = sum(p.numel() for p in pipeline.unet.parameters()) / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"SD-1.5-sized UNet, {parameters:.0f} M parameters, {str(dtype).removeprefix('torch.')}, "
        f"{torch.get_num_threads()} threads"
    )
    print(f"| one frame {width}x{height}, {steps} steps x 3 branches | {total:.1f} s |")
    print(f"| a UNet call on the 3 branches (best of {len(calls)}) | {min(calls):.2f} s |")
    print(f"| a UNet call per branch | {min(calls) / 3:.2f} s |")
    print(f"| peak memory | {peak:.2f} GiB |")


if __name__ == "__main__":
    main()
