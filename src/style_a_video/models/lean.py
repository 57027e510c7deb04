"""The same numbers for less work: exact rewritings of resampling layers, made where a model is loaded.

- Doubling by nearest neighbours and a 3x3 convolution after it are one transposed convolution, 4x4 with stride 2: the
  nine taps fall on four pixels of the small picture, so four ninths of the products are left.
- Two convolutions without an activation between them are one. Where the first looks at nothing but the pixel itself
  (a kernel whose centre alone is not zero, no bias), this holds at the picture's border, too.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn


def doubled_then_convolved(weight: Tensor) -> Tensor:
    """Kernel (C_in, C_out, 4, 4) of the transposed convolution (stride 2, padding 1) that equals doubling by nearest
    neighbours and then convolving with `weight` (C_out, C_in, 3, 3), padding 1.

    Output row 2i + p reads small rows by taps k with (2i + p + k − 1) // 2; the transposed convolution sends small row
    i to output rows 2i − 1 … 2i + 2, which see it through these sums of taps.
    """
    # Output rows 2i−1, 2i, 2i+1, 2i+2 meet small row i in taps {2}, {1, 2}, {0, 1}, {0}.
    sums = torch.tensor([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], dtype=torch.float64, device=weight.device)
    return torch.einsum("ya,xb,oiab->ioyx", sums, sums, weight.double()).to(weight.dtype)


def transposed(convolution: nn.Conv2d) -> nn.ConvTranspose2d:
    """What replaces doubling and this 3x3 convolution."""
    kernel = doubled_then_convolved(convolution.weight.detach())
    layer = nn.ConvTranspose2d(
        convolution.in_channels, convolution.out_channels, 4, stride=2, padding=1, bias=convolution.bias is not None
    ).to(kernel)
    with torch.no_grad():
        layer.weight.copy_(kernel)
        if convolution.bias is not None and layer.bias is not None:
            layer.bias.copy_(convolution.bias)
    return layer


def looks_at_one_pixel(layer: nn.Module) -> bool:
    """Whether this is a convolution whose kernel is zero but for its centre, without stride and without bias."""
    if not isinstance(layer, nn.Conv2d) or layer.kernel_size != (3, 3) or layer.stride != (1, 1):
        return False
    off_centre = layer.weight.detach().clone()
    off_centre[:, :, 1, 1] = 0
    return not off_centre.any() and (layer.bias is None or not layer.bias.any())


def merged(first: nn.Conv2d, second: nn.Conv2d) -> nn.Conv2d:
    """One convolution for two, of which `first` looks at one pixel."""
    padding: Any = second.padding
    kernel, stride = second.kernel_size[0], second.stride[0]
    layer = nn.Conv2d(
        first.in_channels, second.out_channels, kernel, stride, padding,
        bias=second.bias is not None,
    ).to(second.weight)  # fmt: skip
    with torch.no_grad():
        layer.weight.copy_(torch.einsum("omyx,mi->oiyx", second.weight, first.weight[:, :, 1, 1]))
        if second.bias is not None and layer.bias is not None:
            layer.bias.copy_(second.bias)
    return layer


def rewritten(layers: nn.Sequential) -> nn.Sequential:
    """The layers of a first stage with all that can be merged merged."""
    one_pixel_merged: list[nn.Module] = []
    for layer in layers:
        before = one_pixel_merged[-1] if one_pixel_merged else None
        if isinstance(layer, nn.Conv2d) and isinstance(before, nn.Conv2d) and looks_at_one_pixel(before):
            one_pixel_merged[-1] = merged(before, layer)
        else:
            one_pixel_merged.append(layer)
    doublings_merged: list[nn.Module] = []
    for layer in one_pixel_merged:
        before = doublings_merged[-1] if doublings_merged else None
        doubles = isinstance(before, nn.Upsample) and before.mode == "nearest" and before.scale_factor == 2
        if doubles and isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3):
            doublings_merged[-1] = transposed(layer)
        else:
            doublings_merged.append(layer)
    return nn.Sequential(*doublings_merged)


class TransposedUpsample(nn.Module):
    """In place of diffusers' Upsample2D with a convolution; (B, C, h, w) -> (B, C, 2h, 2w)."""

    def __init__(self, upsample: Upsample2D) -> None:
        super().__init__()
        self.original = upsample
        self.layer = transposed(upsample.conv)

    def forward(self, hidden_states: Tensor, output_size: int | None = None) -> Tensor:
        """`output_size` is given where the skip connection's size is odd: that is not a doubling."""
        if output_size is not None:
            result: Tensor = self.original(hidden_states, output_size)
            return result
        doubled: Tensor = self.layer(hidden_states)
        return doubled


def make_lean(vae: nn.Module, unet: UNet2DConditionModel) -> None:
    """Rewrite an AutoencoderTiny and a UNet in place. Other first stages are left as they are."""
    if isinstance(vae, AutoencoderTiny):
        for half in (vae.encoder, vae.decoder):
            half.layers = rewritten(half.layers)
    for block in unet.up_blocks:
        for k, upsample in enumerate(block.upsamplers or ()):
            if isinstance(upsample, Upsample2D) and upsample.use_conv and upsample.interpolate:
                block.upsamplers[k] = TransposedUpsample(upsample)
