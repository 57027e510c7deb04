"""The first stage: a narrow stock AutoencoderKL, 8x down, 16 channels, trained on contents and stylized pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor

Crops = Callable[[np.random.Generator], Tensor]
"""Draws a batch of pictures, (B, 3, h, w) float32 in [-1, 1]."""


def build() -> AutoencoderKL:
    """An untrained first stage; its scaling factor is 1 because `normalise_latents` folds the statistics in."""
    return AutoencoderKL(
        block_out_channels=(32, 64, 128, 128),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=16,
        norm_num_groups=16,
        mid_block_add_attention=False,
        scaling_factor=1.0,
        sample_size=256,
    )


def reconstruction_loss(
    vae: AutoencoderKL, crops: Crops, kl_weight: float = 1e-5
) -> Callable[[np.random.Generator], Tensor]:
    """L1 on pixels and on pixel differences (lines and dots weigh more), plus a light KL term."""

    def loss(rng: np.random.Generator) -> Tensor:
        pictures = crops(rng)
        with torch.autocast(pictures.device.type, dtype=torch.bfloat16):
            posterior = vae.encode(pictures).latent_dist
            decoded = vae.decode(posterior.sample()).sample
        decoded = decoded.float()
        value = (decoded - pictures).abs().mean() + (decoded - pictures).square().mean()
        for axis in (2, 3):
            value = value + 0.5 * (decoded.diff(dim=axis) - pictures.diff(dim=axis)).abs().mean()
        return value + kl_weight * posterior.kl().float().mean() / pictures[0, 0].numel()

    return loss


@torch.no_grad()
def normalise_latents(vae: AutoencoderKL, pictures: Tensor) -> None:
    """Fold mean 0, variance 1 per latent channel into the 1x1 convolutions on both sides of the latent, in place.

    AutoencoderKL has one scaling factor for all channels; with the statistics in the weights it can be 1, so that the
    frame condition (never multiplied by it, DESIGN 2.1) and `z_t` have the same scale. `pictures`: (N, 3, h, w) in [-1, 1].
    """
    latents = torch.cat([vae.encode(batch).latent_dist.mode().float() for batch in pictures.split(8)])
    mean, std = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    channels = mean.numel()
    encode, decode = vae.quant_conv, vae.post_quant_conv
    encode.weight[:channels] /= std[:, None, None, None]
    encode.bias[:channels] = (encode.bias[:channels] - mean) / std
    # The log-variance half: var(z / std) = var(z) / std².
    encode.bias[channels:] -= 2 * std.log()
    decode.bias += decode.weight[:, :, 0, 0] @ mean
    decode.weight *= std[None, :, None, None]
