"""Sampling optimization (docs/method.md, section 2.4): latents move towards the frame's content as CLIP sees it."""

from __future__ import annotations

from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor


class ImageEmbedding(Protocol):
    """φ: (B, 3, H, W) in [0, 1] -> (B, D)."""

    def __call__(self, images: Tensor) -> Tensor: ...


def content_loss(embedding: Tensor, embedding_target: Tensor) -> Tensor:
    """L_s = 1 − cos(φ(I^f), φ(x̂_0)), one value a frame. Both arguments (B, D)."""
    return 1 - F.cosine_similarity(embedding, embedding_target, dim=-1)


def alpha_cumprod_at(scheduler: Any, timestep: Tensor | float) -> Tensor:
    """ᾱ_t of the scheduler at a timestep, interpolated between whole ones (some schedulers sample in between)."""
    alphas = scheduler.alphas_cumprod
    t = torch.as_tensor(timestep, dtype=torch.float64).clamp(0, len(alphas) - 1)
    low, high = int(t.floor()), int(t.ceil())
    return torch.lerp(alphas[low].double(), alphas[high].double(), float(t - low))


def predict_clean(model_output: Tensor, sample: Tensor, alpha_cumprod: Tensor, prediction_type: str) -> Tensor:
    """x̂_0 in latents, from the model's output at a variance-preserving `sample`, with ᾱ_t = `alpha_cumprod`.

    Raises ValueError for a prediction type that is not epsilon, v_prediction or sample.
    """
    alpha_cumprod = alpha_cumprod.to(sample)
    alpha, sigma = alpha_cumprod.sqrt(), (1 - alpha_cumprod).sqrt()
    if prediction_type == "epsilon":
        return (sample - sigma * model_output) / alpha
    if prediction_type == "v_prediction":
        return alpha * sample - sigma * model_output
    if prediction_type == "sample":
        return model_output
    raise ValueError(f"unknown prediction_type {prediction_type!r}: epsilon, v_prediction and sample are supported")


def prediction_of(clean: Tensor, sample: Tensor, alpha_cumprod: Tensor, prediction_type: str) -> Tensor:
    """The model output whose x̂_0 is `clean`: the inverse of `predict_clean`, of the same arguments.

    Raises ValueError for a prediction type that is not epsilon, v_prediction or sample.
    """
    alpha_cumprod = alpha_cumprod.to(sample)
    alpha, sigma = alpha_cumprod.sqrt(), (1 - alpha_cumprod).sqrt()
    if prediction_type == "epsilon":
        return (sample - alpha * clean) / sigma
    if prediction_type == "v_prediction":
        return (alpha * sample - clean) / sigma
    if prediction_type == "sample":
        return clean
    raise ValueError(f"unknown prediction_type {prediction_type!r}: epsilon, v_prediction and sample are supported")


def constant_prediction(
    model_output: Tensor, sample: Tensor, alpha_cumprod: Tensor, prediction_type: str
) -> tuple[Tensor, str]:
    """The prediction as the constant of `optimization="decoder"`, and its type: ε stays ε, v stays v.

    A sample-prediction becomes v: as a constant x̂_0 it would have no gradient, as ε an infinite one at zero terminal
    SNR.
    """
    if prediction_type != "sample":
        return model_output.detach(), prediction_type
    alpha_cumprod = alpha_cumprod.to(sample)
    velocity = (alpha_cumprod.sqrt() * sample - model_output) / (1 - alpha_cumprod).sqrt()
    return velocity.detach(), "v_prediction"


def clip_image_embedding(image_encoder: Any, feature_extractor: Any) -> ImageEmbedding:
    """φ from a CLIP vision model: a differentiable resize, the encoder's normalization, its projection.

    Args:
        image_encoder: a `CLIPVisionModelWithProjection`.
        feature_extractor: gives `image_mean` and `image_std`; without one CLIP's own are used.
    """

    def embed(images: Tensor) -> Tensor:
        pixels = normalized(images, image_encoder, feature_extractor)
        return image_encoder(pixel_values=pixels.to(image_encoder.dtype)).image_embeds.float()

    return embed


def normalized(images: Tensor, image_encoder: Any, feature_extractor: Any) -> Tensor:
    """Pictures (B, 3, H, W) in [0, 1] as φ takes them: (B, 3, S, S) float32, of its size, mean and deviation."""
    side = image_encoder.config.image_size
    mean = getattr(feature_extractor, "image_mean", (0.48145466, 0.4578275, 0.40821073))
    std = getattr(feature_extractor, "image_std", (0.26862954, 0.26130258, 0.27577711))
    small = F.interpolate(images.float(), size=(side, side), mode="bilinear", antialias=True)
    centre, spread = (torch.tensor(values, device=images.device).view(1, 3, 1, 1) for values in (mean, std))
    return (small - centre) / spread


def content_gradient(loss: Tensor, latents: Tensor) -> Tensor:
    """Δz_t = ∇_{z_t} L_s. Frames do not interact, so the gradient of the sum holds each frame's own."""
    return torch.autograd.grad(loss.sum(), latents)[0]
