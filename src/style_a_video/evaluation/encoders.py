"""What content and style scores are measured with: the model's φ, or a real CLIP. Two are never mixed in a table."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor
from transformers import (
    CLIPImageProcessorPil,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionModelWithProjection,
)

from ..checkpoints import check_judge
from ..digests import weights_digest
from ..errors import InputError
from ..models.loading import quiet_libraries
from ..models.understanding import embed_sentence
from ..optimization import clip_image_embedding
from ..pipeline import StyleAVideoPipeline


@dataclass(frozen=True)
class Encoder:
    """A pair of encoders into one space."""

    name: str
    """As tables print it."""
    digest: str
    """Of its weights and of what prepares its inputs: a kept score belongs to them."""
    images: Callable[[Tensor], Tensor]
    """(B, 3, H, W) in [0, 1] -> (B, D) float32."""
    text: Callable[[str], Tensor]
    """A sentence -> (D,) float32."""


def bundled_encoder(pipeline: StyleAVideoPipeline, name: str = "bundled") -> Encoder:
    """The model's own φ: it was trained on the same pictures as the model, so it is no independent judge of it.

    Raises InputError when the model has none, or its text encoder's states are of another space.
    """
    if pipeline.image_encoder is None:
        raise InputError("this model has no image encoder to measure with: pass --judge with a CLIP model")
    if pipeline.image_encoder.config.projection_dim != pipeline.text_encoder.config.hidden_size:
        raise InputError("this model's image and text encoders do not share a space: pass --judge with a CLIP model")
    # In float32, whatever the model computes in: a score is not a matter of speed.
    image_encoder, text_encoder = (
        copy.deepcopy(part).float() for part in (pipeline.image_encoder, pipeline.text_encoder)
    )
    device = image_encoder.device
    images = clip_image_embedding(image_encoder, pipeline.feature_extractor)

    @torch.no_grad()
    def text(sentence: str) -> Tensor:
        return embed_sentence(text_encoder, pipeline.tokenizer, sentence).cpu()

    @torch.no_grad()
    def embed(pictures: Tensor) -> Tensor:
        return images(pictures.to(device)).cpu()

    return Encoder(f"φ of {name}", weights_digest(image_encoder, text_encoder), embed, text)


def _whole(kind: Any, model: str) -> Any:
    """A model with all its weights. Raises ValueError where the files lack some: those would be random."""
    found, info = kind.from_pretrained(model, use_safetensors=True, output_loading_info=True)
    if info["missing_keys"]:
        raise ValueError(f"its weights lack {min(info['missing_keys'])}")
    # In float32, as φ: a score is not a matter of speed.
    return found.float().eval()


def clip_encoder(model: str) -> Encoder:
    """A CLIP from the hub or a folder, e.g. "openai/clip-vit-base-patch32".

    Raises InputError when it cannot be loaded.
    """
    check_judge(model)
    try:
        with quiet_libraries():
            vision = _whole(CLIPVisionModelWithProjection, model)
            language = _whole(CLIPTextModelWithProjection, model)
            tokenizer = CLIPTokenizer.from_pretrained(model)
            processor = CLIPImageProcessorPil.from_pretrained(model)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
        raise InputError(f"cannot load the CLIP {model!r} ({reason}): give a hub id or a folder of one") from error

    @torch.no_grad()
    def text(sentence: str) -> Tensor:
        embeds: Tensor = language(
            **tokenizer([sentence], padding=True, truncation=True, return_tensors="pt")
        ).text_embeds
        return embeds[0].float()

    prepared = json.dumps([processor.to_dict(), tokenizer.get_vocab()], sort_keys=True, default=str)
    return Encoder(
        f"CLIP {model}",
        weights_digest(vision, language) + hashlib.sha256(prepared.encode()).hexdigest(),
        torch.no_grad()(clip_image_embedding(vision, processor)),
        text,
    )
