"""The recipe of the bundled model, start to end: every part resumes from its checkpoint in the work folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel
from torch import nn
from transformers import CLIPImageProcessorPil, CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

from ..atomic import atomic_path
from ..errors import InputError
from ..pipeline import StyleAVideoPipeline
from ..styles.media import STYLE_NAMES
from . import clip, first_stage, unet
from .budgets import BundledBudget
from .captions import corpus
from .exercises import Exercises, make_exercises
from .loop import Schedule, claim, steps_done, train
from .pairs import Pairs, encode_pairs, make_pairs
from .sharpening import Critic, adversarial_loss

SAMPLING_DEFAULTS: dict[str, Any] = {
    "num_inference_steps": 2, "guidance": "joint", "guidance_scale": 1.0, "image_guidance_scale": 1.0,
    "mask_guidance_scale": 0.0, "content_weight": 0.0, "size": 256,
}  # fmt: skip

FAST_DEFAULTS: dict[str, Any] = {
    "num_inference_steps": 1, "guidance": "joint", "guidance_scale": 1.0, "image_guidance_scale": 1.0,
}  # fmt: skip
"""One evaluation a frame instead of two: at s_T = s_I = 1 only the branch with frame and text is needed."""


class Stage(NamedTuple):
    """Of the UNet's training."""

    name: str
    """Of its checkpoint, too."""
    size: int
    """Side of the windows, in latents."""
    batch: int
    rate: float


UNET_STAGES = (Stage("unet", 32, 16, 7e-4), Stage("unet_full", 64, 8, 3e-4))
SHARPENING = Stage("sharpened", 64, 8, 3e-4)


@dataclass
class Parts:
    """The trained parts of a pipeline but its UNet."""

    vae: AutoencoderTiny
    text_encoder: CLIPTextModel
    image_encoder: CLIPVisionModelWithProjection
    tokenizer: CLIPTokenizer


def train_bundled(
    work: Path, output: Path, budget: BundledBudget, device: str, seed: int, workers: int, start: Path | None = None
) -> None:
    """Make pairs, train first stage, CLIP and UNet under `work`, and write the fp16 pipeline to `output`.

    Run again after a cut-off, it goes on where it was. The parts only depend on (budget, seed).

    Args:
        start: a folder that this recipe wrote; the encoder of its first stage and its tokenizer are taken as they
            are, the rest is trained further.
    """
    check_output(output)
    # The UNet's stages may be extended; whatever else changed, what the folder holds would silently win over what is
    # asked for.
    fixed = {name: count for name, count in _used(budget, start).items() if not name.startswith(("unet", "sharpen"))}
    claim(work, {"started_from": record_of(start), "seed": seed, "budget": fixed})
    _check_order(work, budget)
    make_pairs(work / "pairs", budget.contents, seed, workers)
    try:
        pairs = Pairs.open(work / "pairs")
    except ValueError as error:
        raise InputError(str(error)) from error
    parts = train_parts(work, pairs, budget, device, seed, start)
    # Latents belong to one first stage and one set of pairs: when either changes they are made anew.
    latents = work / f"latents-{'start' if start else budget.first_stage_steps}-{len(pairs)}.npy"
    encode_pairs(parts.vae, pairs, latents)
    drawn = work / f"exercises-{'start' if start else budget.first_stage_steps}-{pairs.seed}.npy"
    exercises = make_exercises(parts.vae, drawn, len(pairs), pairs.seed)
    denoiser = train_unet(work, latents, pairs, exercises, parts, budget, device, seed, start)
    assemble(output, parts, denoiser, {"budget": _used(budget, start), "seed": seed, "started_from": record_of(start)})


def check_output(output: Path) -> None:
    """Raises InputError where something is that `assemble` must not replace."""
    if output.exists() and not (output / "training.json").is_file():
        raise InputError(f"{output} is not a model that this recipe made, so it is not replaced: give another --output")


def _check_order(work: Path, budget: BundledBudget) -> None:
    """Raises InputError where a stage of the UNet would be trained further though a later one has started from it:
    the later one would go on from its own checkpoint, and the new steps would be lost."""
    names = (*(stage.name for stage in UNET_STAGES), SHARPENING.name)
    for k, stage in enumerate(UNET_STAGES):
        later = [work / f"{name}.pt" for name in names[k + 1 :] if (work / f"{name}.pt").exists()]
        if later and steps_done(work / f"{stage.name}.pt") < getattr(budget, f"{stage.name}_steps"):
            raise InputError(
                f"{later[0]} was trained from fewer {stage.name}_steps: "
                "remove it, or give the steps that it started from"
            )


def train_parts(work: Path, pairs: Pairs, budget: BundledBudget, device: str, seed: int, start: Path | None) -> Parts:
    """First stage and CLIP, both trained from nothing, or those of `start`, the CLIP trained further; in float32."""
    known = parts_of(start, device) if start else None
    vae = _first_stage(work, pairs, budget, device, seed, known.vae if known else None)
    # Kept beside the checkpoints: token numbers must not move when a resumed run has other captions.
    if not (work / "tokenizer").is_dir():
        (known.tokenizer if known else clip.build_tokenizer(corpus())).save_pretrained(work / "tokenizer")
    tokenizer = CLIPTokenizer.from_pretrained(work / "tokenizer")
    torch.manual_seed(seed)
    model = clip.build(tokenizer).to(device)
    if known:
        clip.start_from(model, known.text_encoder, known.image_encoder)
    schedule = Schedule(steps=budget.clip_steps, learning_rate=1e-3, ema_decay=0.99)
    train("clip", model, clip.contrastive_loss(model, tokenizer, pairs), schedule, work, seed)
    return Parts(vae, clip.text_encoder_of(model).to(device), clip.image_encoder_of(model).to(device), tokenizer)


def _first_stage(
    work: Path, pairs: Pairs, budget: BundledBudget, device: str, seed: int, known: AutoencoderTiny | None
) -> AutoencoderTiny:
    """One trained from nothing, or a known one whose decoder is trained further."""
    torch.manual_seed(seed)
    vae = known or first_stage.build().to(device)
    vae.encoder.requires_grad_(known is None)
    name, steps, rate = (
        ("decoder", budget.decoder_steps, 5e-4) if known else ("first_stage", budget.first_stage_steps, 1e-3)
    )
    loss = first_stage.reconstruction_loss(vae, pairs.crops(16, 64, device))
    train(name, vae, loss, Schedule(steps, rate, ema_decay=0.998), work, seed)
    return vae.eval()


def record_of(start: Path | None) -> dict[str, Any] | None:
    """What the finished model to start from says of its own training."""
    if start is None:
        return None
    if not (start / "training.json").is_file():
        raise InputError(f"{start} is not a model that this recipe made: give another --start")
    record: dict[str, Any] = json.loads((start / "training.json").read_text())
    return record


def _used(budget: BundledBudget, start: Path | None) -> dict[str, int]:
    """The budget less the stage of the first stage that a run does not have."""
    return {
        name: count
        for name, count in asdict(budget).items()
        if name != ("first_stage_steps" if start else "decoder_steps")
    }


def parts_of(folder: Path, device: str) -> Parts:
    """The parts of a finished model, in float32."""
    pipeline = StyleAVideoPipeline.from_pretrained(folder, dtype=torch.float32, use_safetensors=True).to(device)
    return Parts(pipeline.vae.eval(), pipeline.text_encoder, pipeline.image_encoder, pipeline.tokenizer)


def train_unet(
    work: Path,
    latents_path: Path,
    pairs: Pairs,
    exercises: Exercises,
    parts: Parts,
    budget: BundledBudget,
    device: str,
    seed: int,
    start: Path | None,
) -> UNet2DConditionModel:
    """The trained UNet: windows, then whole pictures, then against a critic.

    Each stage starts from the averaged weights of the one before.
    """
    latents = np.load(latents_path, mmap_mode="r")
    torch.manual_seed(seed)
    denoiser = unet.build(latents.shape[2], parts.text_encoder.config.hidden_size).to(device)
    if start:
        trained = UNet2DConditionModel.from_pretrained(start / "unet", use_safetensors=True)
        try:
            denoiser.load_state_dict(trained.state_dict())
        except RuntimeError as error:
            raise InputError(f"{start} has a UNet of another shape: start from one of this recipe") from error
    for name, size, batch, rate in UNET_STAGES:
        schedule = Schedule(getattr(budget, f"{name}_steps"), rate, ema_decay=0.999, weight_decay=1e-3)
        draw = unet.random_windows(latents, pairs, batch, size, exercises=exercises if name == "unet" else None)
        loss = unet.denoising_loss(denoiser, draw, parts.text_encoder, parts.tokenizer)
        # In half precision throughout, a step takes four fifths of the time that it takes under autocast.
        train(name, denoiser, loss, schedule, work, seed, mixed_precision=denoiser)
    torch.manual_seed(seed)
    critic = Critic(latents.shape[2], parts.text_encoder.config.hidden_size).to(device)
    draw = unet.random_windows(latents, pairs, SHARPENING.batch, SHARPENING.size, unet.Dropout(0.04, 0.03, 0.02, 0.06))
    against = adversarial_loss(denoiser, critic, draw, parts.text_encoder, parts.tokenizer)
    schedule = Schedule(budget.sharpen_steps, SHARPENING.rate, ema_decay=0.999, beta1=0.5)
    both = nn.ModuleDict({"unet": denoiser, "critic": critic})
    train(SHARPENING.name, both, against, schedule, work, seed, mixed_precision=denoiser)
    denoiser.set_default_attn_processor()
    return denoiser


def assemble(output: Path, parts: Parts, denoiser: UNet2DConditionModel, record: dict[str, Any]) -> None:
    """Write the diffusers folder in fp16 safetensors, replacing `output` when all of it is written."""
    processor = CLIPImageProcessorPil(
        size={"shortest_edge": clip.IMAGE_SIZE}, crop_size={"height": clip.IMAGE_SIZE, "width": clip.IMAGE_SIZE},
        image_mean=list(clip.IMAGE_MEAN), image_std=list(clip.IMAGE_STD),
    )  # fmt: skip
    pipeline = StyleAVideoPipeline(
        vae=parts.vae, text_encoder=parts.text_encoder, tokenizer=parts.tokenizer, unet=denoiser,
        scheduler=unet.build_scheduler(),
        image_encoder=parts.image_encoder, feature_extractor=processor, sampling_defaults=SAMPLING_DEFAULTS,
        fast_defaults=FAST_DEFAULTS,
    )  # fmt: skip
    for part in (pipeline.vae, pipeline.unet, pipeline.text_encoder, pipeline.image_encoder):
        part.to("cpu").half()
    record = record | {"styles": list(STYLE_NAMES)}
    with atomic_path(output) as partial:
        pipeline.save_pretrained(partial, safe_serialization=True)
        # diffusers writes this derived entry, and complains about it when it reads it.
        config = partial / "vae" / "config.json"
        entries = json.loads(config.read_text())
        entries.pop("block_out_channels", None)
        # Where a start's first stage lay is nobody's business.
        entries.pop("_name_or_path", None)
        config.write_text(json.dumps(entries, indent=2) + "\n")
        (partial / "training.json").write_text(json.dumps(record, indent=2) + "\n")
