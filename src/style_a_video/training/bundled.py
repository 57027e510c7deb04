"""The recipe of the bundled model, start to end: every part resumes from its checkpoint in the work folder."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPImageProcessor, CLIPModel, CLIPTokenizer

from ..errors import InputError
from ..pipeline import StyleAVideoPipeline
from . import clip, first_stage, unet
from .captions import all_captions
from .loop import Schedule, train
from .pairs import Pairs, encode_pairs, make_pairs

SAMPLING_DEFAULTS: dict[str, Any] = {
    "num_inference_steps": 4, "guidance": "joint", "guidance_scale": 2.5, "image_guidance_scale": 1.0,
    "mask_guidance_scale": 0.0, "content_weight": 0.0, "size": 256,
}  # fmt: skip


@dataclass(frozen=True)
class Budget:
    """How much of everything: about ten hours on two CPU cores, minutes on a GPU."""

    contents: int = 1200
    first_stage_steps: int = 20_000
    clip_steps: int = 1_500
    unet_steps: int = 40_000
    """On 128² crops (16x16 latents), batch 32."""
    unet_full_steps: int = 4_000
    """On whole 256² pictures (32x32 latents), batch 8, so that attention knows the size it will meet. Raise this to train a
    finished model further; after raising `unet_steps`, delete `unet_full.pt`."""


def train_bundled(work: Path, output: Path, budget: Budget, device: str, seed: int, workers: int) -> None:
    """Make pairs, train first stage, CLIP and UNet under `work`, and write the fp16 pipeline to `output`.

    Run again after a cut-off, it goes on where it was. The parts only depend on (budget, seed).
    """
    if output.exists() and not (output / "training.json").is_file():
        raise InputError(f"{output} is not a model that this recipe made, so it is not replaced: give another --output")
    work.mkdir(parents=True, exist_ok=True)
    make_pairs(work / "pairs", budget.contents, seed, workers)
    pairs = Pairs.open(work / "pairs")
    vae = train_first_stage(work, pairs, budget, device, seed)
    # Latents belong to one first stage: train that further and they are made anew.
    latents = work / f"latents-{budget.first_stage_steps}.npy"
    encode_pairs(vae, pairs, latents)
    model, tokenizer = train_clip(work, pairs, budget, device, seed)
    denoiser = train_unet(work, latents, model, tokenizer, budget, device, seed)
    assemble(output, vae, model, tokenizer, denoiser, {"budget": asdict(budget), "seed": seed})


def train_first_stage(work: Path, pairs: Pairs, budget: Budget, device: str, seed: int) -> AutoencoderKL:
    """The trained first stage with its latents normalised."""
    torch.manual_seed(seed)
    vae = first_stage.build().to(device)
    schedule = Schedule(steps=budget.first_stage_steps, learning_rate=1e-3, ema_decay=0.998)
    train("first_stage", vae, first_stage.reconstruction_loss(vae, pairs.crops(16, 64, device)), schedule, work, seed)
    first_stage.normalise_latents(vae, pairs.crops(256, 128, device)(np.random.default_rng(seed)))
    return vae.eval()


def train_clip(work: Path, pairs: Pairs, budget: Budget, device: str, seed: int) -> tuple[CLIPModel, CLIPTokenizer]:
    """The trained CLIP and its tokenizer."""
    captions = all_captions()
    tokenizer = clip.build_tokenizer([caption for group in captions for caption in group])
    torch.manual_seed(seed)
    model = clip.build(tokenizer).to(device)
    schedule = Schedule(steps=budget.clip_steps, learning_rate=1e-3, ema_decay=0.99)
    train("clip", model, clip.contrastive_loss(model, tokenizer, pairs, captions), schedule, work, seed)
    return model, tokenizer


def train_unet(
    work: Path, latents_path: Path, model: CLIPModel, tokenizer: CLIPTokenizer, budget: Budget, device: str, seed: int
) -> UNet2DConditionModel:
    """The trained UNet: first on windows, then on whole pictures, starting from the averaged weights."""
    encoder = clip.text_encoder_of(model).to(device)
    captions = [unet.embed_captions(encoder, tokenizer, group) for group in all_captions()]
    empty = unet.embed_captions(encoder, tokenizer, [""])[0]
    latents = np.load(latents_path, mmap_mode="r")
    torch.manual_seed(seed)
    denoiser = unet.build(latents.shape[2], encoder.config.hidden_size).to(device)
    for name, size, batch, steps, rate in (
        ("unet", 16, 32, budget.unet_steps, 6e-4),
        ("unet_full", 32, 8, budget.unet_full_steps, 3e-4),
    ):
        schedule = Schedule(steps=steps, learning_rate=rate, ema_decay=0.9995, weight_decay=1e-3)
        train(
            name, denoiser, unet.denoising_loss(denoiser, latents, captions, empty, batch, size), schedule, work, seed
        )
    denoiser.set_default_attn_processor()
    return denoiser


def assemble(
    output: Path,
    vae: AutoencoderKL,
    model: CLIPModel,
    tokenizer: CLIPTokenizer,
    denoiser: UNet2DConditionModel,
    record: dict[str, Any],
) -> None:
    """Write the diffusers folder in fp16 safetensors, replacing `output` when all of it is written."""
    processor = CLIPImageProcessor(
        size={"shortest_edge": clip.IMAGE_SIZE}, crop_size={"height": clip.IMAGE_SIZE, "width": clip.IMAGE_SIZE},
        image_mean=list(clip.IMAGE_MEAN), image_std=list(clip.IMAGE_STD),
    )  # fmt: skip
    pipeline = StyleAVideoPipeline(
        vae=vae, text_encoder=clip.text_encoder_of(model), tokenizer=tokenizer, unet=denoiser, scheduler=unet.build_scheduler(),
        image_encoder=clip.image_encoder_of(model), feature_extractor=processor, sampling_defaults=SAMPLING_DEFAULTS,
    )  # fmt: skip
    partial = output.with_name(output.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for part in (pipeline.vae, pipeline.unet, pipeline.text_encoder, pipeline.image_encoder):
        part.to("cpu").half()
    pipeline.save_pretrained(partial, safe_serialization=True)
    (partial / "training.json").write_text(json.dumps(record, indent=2) + "\n")
    shutil.rmtree(output, ignore_errors=True)
    partial.rename(output)
