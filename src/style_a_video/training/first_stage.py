"""The first stage: diffusers' AutoencoderTiny, 4x down, 12 channels, trained on contents and stylized pictures.

Why this stock class: without group norms and a posterior to sample it learns several times as fast as a narrow
AutoencoderKL, and it decodes in half the time. Why 4x: lines and dots of two pixels survive. 8x with 48 channels holds
as many numbers, but this class has one width for all its levels, and at 8x a narrow one cannot hold them (22 dB on
stylized pictures in the time in which 4x has 26).

Its dearest layers work at the picture's full size. Two of them are therefore fixed so that they do nothing: the
encoder's first passes the picture on, the decoder's last but one is the identity. Loaded by diffusers they cost what
any layer costs; `models.lean` leaves them out, and so does training.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from diffusers import AutoencoderTiny
from torch import Tensor, nn

from ..devices import autocast

Crops = Callable[[np.random.Generator], Tensor]
"""Draws a batch of pictures, (B, 3, h, w) float32 in [-1, 1]."""

WIDTH = 24
LATENT_CHANNELS = 12


def build_stock() -> AutoencoderTiny:
    """An untrained first stage in the form that is saved.

    Its scaling factor is 1 because training asks for latents of mean 0 and variance 1.
    """
    vae = AutoencoderTiny(
        encoder_block_out_channels=(WIDTH,) * 3,
        decoder_block_out_channels=(WIDTH,) * 3,
        num_encoder_blocks=(0, 1, 2),
        num_decoder_blocks=(5, 2, 0),
        latent_channels=LATENT_CHANNELS,
        scaling_factor=1.0,
    )
    first, before_last = vae.encoder.layers[0], vae.decoder.layers[-2]
    with torch.no_grad():
        for parameter in (*first.parameters(), *before_last.parameters()):
            parameter.zero_()
        first.weight[range(3), range(3), 1, 1] = 1
        before_last.weight[range(WIDTH), range(WIDTH), 1, 1] = 1
    return vae


def build() -> AutoencoderTiny:
    """The same without the two layers that do nothing: the form that is trained."""
    vae = build_stock()
    second = nn.Conv2d(3, WIDTH, 3, stride=2, padding=1, bias=False)
    vae.encoder.layers = nn.Sequential(second, *vae.encoder.layers[2:])
    vae.decoder.layers = nn.Sequential(*vae.decoder.layers[:-2], vae.decoder.layers[-1])
    return vae


def stock_form(trained: AutoencoderTiny) -> AutoencoderTiny:
    """A trained `build()` in the form that is saved, float32 on the CPU."""
    vae = build_stock()
    encoder, decoder = vae.encoder.layers, vae.decoder.layers
    with torch.no_grad():
        encoder[1].weight.zero_()
        encoder[1].weight[:, :3] = trained.encoder.layers[0].weight
    nn.Sequential(*encoder[2:]).load_state_dict(nn.Sequential(*trained.encoder.layers[1:]).state_dict())
    rest = nn.Sequential(*decoder[:-2], decoder[-1])
    rest.load_state_dict(trained.decoder.layers.state_dict())
    return vae.eval()


def reconstruction_loss(
    vae: AutoencoderTiny, crops: Crops, noise: float = 0.05, statistics_weight: float = 0.3
) -> Callable[[np.random.Generator], Tensor]:
    """L1 and L2 on pixels, L1 on pixel differences, and a pull of every latent channel to mean 0 and deviation 1.

    The differences give lines and dots more weight. The frame condition is never scaled (section 2.1), so z_t and c_I
    have one scale only when the latents themselves do.

    Args:
        noise: deviation of what is added to the latents, so that the decoder forgives small errors.
    """

    def loss(rng: np.random.Generator) -> Tensor:
        pictures = crops(rng)
        with autocast(pictures.device):
            latents = vae.encode(pictures).latents
            decoded = vae.decode(latents + noise * torch.randn_like(latents)).sample
        decoded, latents = decoded.float(), latents.float()
        value = (decoded - pictures).abs().mean() + (decoded - pictures).square().mean()
        for axis in (2, 3):
            value = value + 0.5 * (decoded.diff(dim=axis) - pictures.diff(dim=axis)).abs().mean()
        mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
        return value + statistics_weight * (mean.square() + (deviation - 1).square()).mean()

    return loss
