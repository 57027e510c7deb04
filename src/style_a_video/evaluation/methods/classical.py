"""Methods without diffusion: the renderer frame by frame, statistics transfer, and Gatys-style optimization.

The last two take their style from a picture: a photograph of a cat that the model stylized.
"""

from __future__ import annotations

import copy
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from ...dependencies import require_extra
from ...errors import InputError
from ...frames import pad_to_multiple, pixels_to_picture, pixels_to_tensor
from ...models.understanding import bundled_matches
from ...pipeline import StyleAVideoPipeline
from ...styles.spec import StyleSpec
from ..clips import Clip
from .method import Method

GATYS_STEPS = 100
"""Of L-BFGS."""
STYLE_WEIGHT = 40.0
FEATURE_LAYERS = (1, 3, 6)
"""Of the first stage's encoder: at full, half and quarter size in the bundled model."""


def renderer() -> Method:
    """The training's own renderer of the named style, frame by frame. Marks, palette and other words are not read."""

    def run(clip: Clip, prompt: str) -> Tensor:
        spec = StyleSpec(bundled_matches(prompt)[0].medium)
        pictures = [_render(pixels_to_picture(pixels), spec) for pixels in clip.pixels]
        return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()

    return Method("renderer, frame by frame", run, {"classical": "renderer"})


def statistics_transfer(pipeline: StyleAVideoPipeline) -> Method:
    """AdaIN (Huang and Belongie, 2017) in latents: each channel takes the style picture's mean and deviation."""

    scaling = pipeline.vae.config.scaling_factor

    def encoded(pictures: Tensor) -> Tensor:
        return pipeline.encode_frames(pictures.to(pipeline.vae.device)).float()

    def run(clip: Clip, prompt: str) -> Tensor:
        style = encoded(_style_picture(pipeline, prompt))
        styled = [
            pipeline.decode_latents(scaling * adain(encoded(_padded(frame)), style)).float().cpu()
            for frame in pixels_to_tensor(clip.pixels).split(1)
        ]
        height, width = clip.pixels.shape[1:3]
        return torch.cat(styled)[..., :height, :width]

    return Method("statistics transfer (AdaIN)", torch.no_grad()(run), {"classical": "adain"})


def adain(content: Tensor, style: Tensor) -> Tensor:
    """σ(s)·(c − μ(c))/σ(c) + μ(s), over positions; (B, C, h, w) and (1, C, h', w')."""
    (mean, deviation), (mean_to, deviation_to) = (
        (x.mean(dim=(2, 3), keepdim=True), x.std(dim=(2, 3), keepdim=True)) for x in (content, style)
    )
    return deviation_to * (content - mean) / (deviation + 1e-6) + mean_to


def gatys(pipeline: StyleAVideoPipeline) -> Method:
    """Optimization of the pixels (Gatys et al., 2016): Gram matrices of the style picture, latents of the frame."""
    encoder = copy.deepcopy(pipeline.vae.encoder).float().requires_grad_(False)
    device = pipeline.vae.device

    def features(pictures: Tensor) -> list[Tensor]:
        # AutoencoderTiny's encoder scales to [0, 1] before its layers.
        found, x = [], pictures
        for number, layer in enumerate(_layers(encoder)):
            x = layer(x)
            if number in FEATURE_LAYERS:
                found.append(x)
        return [*found, x]

    def run(clip: Clip, prompt: str) -> Tensor:
        with torch.no_grad():
            grams = [gram(x) for x in features(_style_picture(pipeline, prompt).to(device))[:-1]]
        return torch.cat([one(frame, grams) for frame in pixels_to_tensor(clip.pixels).split(4)])

    @torch.enable_grad()
    def one(frames: Tensor, grams: list[Tensor]) -> Tensor:
        start = _padded(frames).to(device)
        content = features(start)[-1].detach()
        picture = start.clone(memory_format=torch.contiguous_format).requires_grad_()
        optimizer = torch.optim.LBFGS([picture], max_iter=GATYS_STEPS, history_size=10)

        def loss() -> Tensor:
            optimizer.zero_grad()
            *styles, latents = features(picture)
            value = (
                STYLE_WEIGHT * style_loss(styles, grams)
                + len(frames) * ((latents - content) ** 2).mean() / content.var()
            )
            value.backward()
            return value

        optimizer.step(loss)
        return picture.detach().clamp(0, 1)[..., : frames.shape[-2], : frames.shape[-1]].cpu()

    return Method("Gatys et al.", run, {"classical": "gatys", "steps": GATYS_STEPS, "style_weight": STYLE_WEIGHT})


def style_loss(features: list[Tensor], grams: list[Tensor]) -> Tensor:
    """Σ ‖G(x) − G‖² / ‖G‖² over layers and pictures."""
    losses = [((gram(x) - wanted) ** 2).sum() / (wanted**2).sum() for x, wanted in zip(features, grams, strict=True)]
    return torch.stack(losses).sum()


def gram(features: Tensor) -> Tensor:
    """Mean products of channels, (B, C, C) from (B, C, h, w)."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[-1]


def _layers(encoder: Any) -> Any:
    if not hasattr(encoder, "layers"):
        raise InputError(
            "Gatys et al. run on an AutoencoderTiny's encoder, such as the bundled model's: leave this method out"
        )
    return encoder.layers


def _padded(frames: Tensor) -> Tensor:
    return pad_to_multiple(frames, 8)


def _render(picture: Any, spec: StyleSpec) -> Any:
    require_extra("train", "the renderer")
    from ...training.renderers import render

    return render(picture, spec)


def _style_picture(pipeline: StyleAVideoPipeline, prompt: str) -> Tensor:
    """(1, 3, 256, 256) in [0, 1]: the photograph of a cat as the model stylizes it."""
    require_extra("train", "a style picture")
    from ...training.contents import photographs

    photograph = photographs()["chelsea"]
    side = min(photograph.shape[:2])
    square = cv2.resize(photograph[:side, -side:], (256, 256), interpolation=cv2.INTER_AREA)
    pictures: Tensor = pipeline(prompt, square[None], output_type="pt").frames
    return pictures
