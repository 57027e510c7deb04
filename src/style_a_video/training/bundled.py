"""The recipe of the bundled model, start to end: every part resumes from its checkpoint in the work folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import BertModel, BertTokenizerFast, CLIPImageProcessorPil, CLIPVisionModelWithProjection

from ..atomic import atomic_path
from ..errors import InputError
from ..models.reader import Reader
from ..models.understanding import PhraseIndex
from ..pipeline import StyleAVideoPipeline
from ..styles.media import STYLE_NAMES, STYLES
from . import first_stage, image_encoder, text, unet
from .budgets import BundledBudget
from .critic import Critic, adversarial_loss
from .loop import Schedule, claim, train
from .material import Material
from .pairs import Pairs, encode_pairs, make_pairs
from .reader import reading_loss
from .style_pictures import make_style_tokens, with_style_pictures
from .text_embedding import SpecClassifier, classification_loss
from .watch import draw_curves, draw_samples

SAMPLING_DEFAULTS: dict[str, Any] = {
    "num_inference_steps": 1, "guidance": "joint", "guidance_scale": 1.0, "image_guidance_scale": 1.0,
    "mask_guidance_scale": 0.0, "content_weight": 0.0, "size": 256,
}  # fmt: skip
FAST_DEFAULTS: dict[str, Any] = {"num_inference_steps": 1}
BATCH = {"cpu": 8, "mps": 16, "cuda": 64}
"""Pictures to a step of the UNet: a GPU is not busy with fewer."""
AGAINST_CRITIC = unet.Dropout(0.03, 0.02, 0.02, 0.04)


@dataclass
class Parts:
    """The trained parts of a pipeline but its UNet."""

    vae: AutoencoderTiny
    text_encoder: BertModel
    tokenizer: BertTokenizerFast
    reader: Reader
    image_encoder: CLIPVisionModelWithProjection

    def states(self, sentences: list[str]) -> Tensor:
        """What the UNet attends to, (N, tokens, width)."""
        return text.token_states(self.text_encoder, self.tokenizer, sentences)[0]

    def embed(self, sentences: list[str]) -> Tensor:
        """The locked sentence embedding, (N, width)."""
        return text.embed_sentences(self.text_encoder, self.tokenizer, sentences)


def train_bundled(
    work: Path,
    output: Path,
    budget: BundledBudget,
    device: str,
    seed: int,
    workers: int,
    material: Material | None = None,
    start: Path | None = None,
) -> None:
    """Make pairs, train first stage, φ and UNet under `work`, and write the fp16 pipeline to `output`.

    Run again after a cut-off, it goes on where it was. The parts only depend on (material, budget, seed).

    Args:
        start: a folder that this recipe wrote: its first stage and φ are taken as they are, its UNet is trained
            further.
    """
    check_output(output)
    claim(work, {"started_from": record_of(start), "seed": seed})
    make_pairs(work / "pairs", budget.contents, seed, workers, material)
    pairs = Pairs.open(work / "pairs")
    parts = parts_of(start, device) if start else train_parts(work, pairs, budget, device, seed)
    latents = unet.Latents(
        encode_pairs(parts.vae, pairs, work / "latents.npy"),
        encode_pairs(parts.vae, pairs, work / "quarters.npy", split=2),
    )
    style_tokens = make_style_tokens(parts.image_encoder, pairs, work / "style_tokens.npy")
    denoiser = train_unet(work, latents, style_tokens, pairs, parts, budget, device, seed, start)
    assemble(output, parts, denoiser, {"budget": asdict(budget), "seed": seed, "started_from": record_of(start)})


def check_output(output: Path) -> None:
    """Raises InputError where something is that `assemble` must not replace."""
    if output.exists() and not (output / "training.json").is_file():
        raise InputError(f"{output} is not a model that this recipe made, so it is not replaced: give another --output")


def train_parts(work: Path, pairs: Pairs, budget: BundledBudget, device: str, seed: int) -> Parts:
    """First stage and φ, trained from nothing in float32, and the frozen text encoder."""
    torch.manual_seed(seed)
    vae = first_stage.build().to(device)
    loss = first_stage.reconstruction_loss(vae, pairs.crops(8, 96, device))
    train("first_stage", vae, loss, Schedule(budget.first_stage_steps, 1e-3, ema_decay=0.998), work, seed)
    encoder, tokenizer = text.bundled_text_encoder()
    encoder = encoder.to(device)
    reader = Reader(encoder.config.hidden_size).to(device)
    told = reading_loss(reader, partial(text.token_states, encoder, tokenizer, padded=False))
    train("reader", reader, told, Schedule(budget.reader_steps, 2e-3, ema_decay=0.99, weight_decay=1e-2), work, seed)
    parts = Parts(
        first_stage.stock_form(vae.cpu()).to(device), encoder, tokenizer, reader,
        image_encoder.build(encoder.config.hidden_size).to(device),
    )  # fmt: skip
    taught = image_encoder.Taught(parts.image_encoder).to(device)
    schedule = Schedule(budget.image_encoder_steps, 7e-4, ema_decay=0.99)
    train("image_encoder", taught, image_encoder.locked_text_loss(taught, parts.embed, pairs), schedule, work, seed)
    return parts


def record_of(start: Path | None) -> dict[str, Any] | None:
    """What the finished model to start from says of its own training."""
    if start is None:
        return None
    if not (start / "training.json").is_file():
        raise InputError(f"{start} is not a model that this recipe made: give another --start")
    record: dict[str, Any] = json.loads((start / "training.json").read_text())
    return record


def parts_of(folder: Path, device: str) -> Parts:
    """The parts of a finished model, in float32."""
    pipeline = StyleAVideoPipeline.from_pretrained(folder, dtype=torch.float32, use_safetensors=True).to(device)
    try:
        reader = Reader.load(folder)
    except OSError as error:
        raise InputError(f"{folder} has no reader: start from a model of this version's recipe") from error
    return Parts(pipeline.vae.eval(), pipeline.text_encoder, pipeline.tokenizer, reader, pipeline.image_encoder)


def train_unet(
    work: Path,
    latents: unet.Latents,
    style_tokens: NDArray[np.float16],
    pairs: Pairs,
    parts: Parts,
    budget: BundledBudget,
    device: str,
    seed: int,
    start: Path | None,
) -> UNet2DConditionModel:
    """The trained UNet: its text embedding by classification, the rest by squared error, then against a critic.

    Each starts from the averages of the one before. The text embedding stays as the classification left it.

    At every checkpoint `work` gets `curves.png` and `samples.png`, which show how it goes.
    """
    torch.manual_seed(seed)
    channels, width = parts.vae.config.latent_channels, parts.text_encoder.config.hidden_size
    denoiser = unet.build(channels, width).to(device)
    if start:
        trained = UNet2DConditionModel.from_pretrained(start / "unet", use_safetensors=True)
        try:
            denoiser.load_state_dict(trained.state_dict())
        except RuntimeError as error:
            raise InputError(f"{start} has a UNet of another shape: start from one of this recipe") from error
    batch = BATCH[torch.device(device).type]
    classifier = SpecClassifier(denoiser.add_embedding, denoiser.config.time_embedding_dim).to(device)
    told = classification_loss(classifier, parts.states, style_tokens, pairs)
    schedule = Schedule(budget.text_embedding_steps, 1e-3, ema_decay=0.99, weight_decay=1e-2)
    if start is None:
        train("text_embedding", classifier, told, schedule, work, seed)
    denoiser.add_embedding.requires_grad_(False)

    def show() -> None:
        draw_curves(work)
        draw_samples(denoiser, parts.vae, latents.wholes[:, :, 0], pairs, parts.states, work / "samples.png")

    # In half precision throughout, a step takes four fifths of the time that it takes under autocast.
    schedule = Schedule(budget.unet_pictures // batch, 6e-4, decay=0.1, ema_decay=0.999, weight_decay=1e-3)
    loss = unet.denoising_loss(denoiser, unet.random_pictures(latents, pairs, parts.states, batch))
    train("unet", denoiser, loss, schedule, work, seed, mixed_precision=denoiser, on_checkpoint=show)
    torch.manual_seed(seed)
    critic = Critic(channels, width).to(device)
    words = unet.random_pictures(latents, pairs, parts.states, batch, AGAINST_CRITIC)
    draw = with_style_pictures(words, style_tokens, pairs, parts.states([""]))
    against = adversarial_loss(denoiser, critic, draw)
    schedule = Schedule(
        budget.critic_pictures // batch, 3e-4, decay=0.1, ema_decay=0.999, beta1=0.5, rates={"critic": 1.5}
    )  # faster than the UNet: a critic that lags behind asks for nothing (Heusel et al., 2017)
    both = nn.ModuleDict({"unet": denoiser, "critic": critic})
    train("critic", both, against, schedule, work, seed, mixed_precision=denoiser, on_checkpoint=show)
    denoiser.set_default_attn_processor()
    return denoiser


def phrase_index(parts: Parts) -> PhraseIndex:
    """The embeddings of all phrasings that training read."""
    media = [style.name for style in STYLES for _ in (*style.names, *style.sentences)]
    phrases = [phrase for style in STYLES for phrase in (*style.names, *style.sentences)]
    embeddings = torch.cat([parts.embed(phrases[k : k + 64]).cpu() for k in range(0, len(phrases), 64)])
    return PhraseIndex(embeddings, tuple(phrases), tuple(media))


def assemble(output: Path, parts: Parts, denoiser: UNet2DConditionModel, record: dict[str, Any]) -> None:
    """Write the diffusers folder in fp16 safetensors, replacing `output` when all of it is written."""
    index = phrase_index(parts)
    processor = CLIPImageProcessorPil(
        size={"shortest_edge": image_encoder.IMAGE_SIZE},
        crop_size={"height": image_encoder.IMAGE_SIZE, "width": image_encoder.IMAGE_SIZE},
        image_mean=list(image_encoder.IMAGE_MEAN), image_std=list(image_encoder.IMAGE_STD),
    )  # fmt: skip
    pipeline = StyleAVideoPipeline(
        vae=parts.vae, text_encoder=parts.text_encoder, tokenizer=parts.tokenizer, unet=denoiser,
        scheduler=unet.build_scheduler(), image_encoder=parts.image_encoder, feature_extractor=processor,
        sampling_defaults=SAMPLING_DEFAULTS, fast_defaults=FAST_DEFAULTS, style_pictures=True,
    )  # fmt: skip
    for part in (pipeline.vae, pipeline.unet, pipeline.text_encoder, pipeline.image_encoder):
        part.to("cpu").half()
    with atomic_path(output) as scratch:
        pipeline.save_pretrained(scratch, safe_serialization=True)
        # diffusers writes this derived entry, and complains about it when it reads it.
        config = scratch / "vae" / "config.json"
        entries = json.loads(config.read_text())
        entries.pop("block_out_channels", None)
        # Where a start's first stage lay is nobody's business.
        entries.pop("_name_or_path", None)
        config.write_text(json.dumps(entries, indent=2) + "\n")
        index.save(scratch)
        parts.reader.cpu().save(scratch)
        (scratch / "training.json").write_text(json.dumps(record | {"styles": list(STYLE_NAMES)}, indent=2) + "\n")
