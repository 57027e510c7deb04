"""The same numbers for less work: exact rewritings of resampling layers, made where a model is loaded.

- Doubling by nearest neighbours and a 3x3 convolution after it are one transposed convolution, 4x4 with stride 2: the
  nine taps fall on four pixels of the small picture, so four ninths of the products are left.
- Two convolutions without an activation between them are one. Where the first looks at nothing but the pixel itself
  (a kernel whose centre alone is not zero, no bias), this holds at the picture's border, too.

A rewritten layer keeps the weights it had, under their names, so a rewritten model is saved as it was loaded.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
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


class Rewritten(nn.Module):
    """Computes with `kernel` what a convolution computes together with the layer before it.

    `weight` and `bias` are the convolution's own. With `doubles` the kernel is a transposed one.
    """

    kernel: Tensor

    def __init__(self, convolution: nn.Conv2d, kernel: Tensor, doubles: bool) -> None:
        super().__init__()
        self.weight, self.bias = convolution.weight, convolution.bias
        self.stride, self.padding, self.doubles = convolution.stride[0], convolution.padding[0], doubles
        self.register_buffer("kernel", kernel.contiguous(), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C', h', w')."""
        if self.doubles:
            return F.conv_transpose2d(pixels, self.kernel, self.bias, stride=2, padding=1)
        return F.conv2d(pixels, self.kernel, self.bias, self.stride, self.padding)


class LeftToNext(nn.Module):
    """Does nothing: the next layer does this convolution's work. The weights are kept."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.bias = convolution.weight, convolution.bias

    def forward(self, pixels: Tensor) -> Tensor:
        """The same pixels."""
        return pixels


def looks_at_one_pixel(layer: nn.Conv2d) -> bool:
    """Whether the kernel (3x3) of a convolution is zero but for its centre, without stride and without bias."""
    if layer.stride != (1, 1):
        return False
    off_centre = layer.weight.detach().clone()
    off_centre[:, :, 1, 1] = 0
    return not off_centre.any() and (layer.bias is None or not layer.bias.any())


def merged(first: Tensor, second: Tensor) -> Tensor:
    """The kernel of one convolution for two, of which the first looks at one pixel."""
    return torch.einsum("omyx,mi->oiyx", second, first[:, :, 1, 1])


def rewritten(layers: nn.Sequential) -> nn.Sequential:
    """The layers of a first stage, each in its place, with all that can be merged merged."""
    result: list[nn.Module] = list(layers)
    convolutions = {k: layer for k, layer in enumerate(layers) if isinstance(layer, nn.Conv2d) and _is_3x3(layer)}
    left = {k for k, layer in convolutions.items() if k + 1 in convolutions and looks_at_one_pixel(layer)}
    for k in convolutions.keys() - left:
        kernel, before = convolutions[k].weight.detach(), k - 1
        if before in left:
            kernel = merged(convolutions[before].weight.detach(), kernel)
            result[before] = LeftToNext(convolutions[before])
            before -= 1
        doubles = before >= 0 and _doubles(layers[before]) and convolutions[k].stride == (1, 1)
        if doubles:
            kernel = doubled_then_convolved(kernel)
            result[before] = nn.Identity()
        if doubles or k - 1 in left:
            result[k] = Rewritten(convolutions[k], kernel, doubles)
    return nn.Sequential(*result)


def _is_3x3(layer: nn.Conv2d) -> bool:
    return layer.kernel_size == (3, 3) and layer.padding == (1, 1)


def _doubles(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Upsample) and layer.mode == "nearest" and layer.scale_factor == 2


class TransposedUpsample(nn.Module):
    """In place of diffusers' Upsample2D with a convolution; (B, C, h, w) -> (B, C, 2h, 2w)."""

    def __init__(self, upsample: Upsample2D) -> None:
        super().__init__()
        kernel = doubled_then_convolved(upsample.conv.weight.detach())
        self.conv = Rewritten(upsample.conv, kernel, doubles=True)

    def forward(self, hidden_states: Tensor, output_size: int | None = None) -> Tensor:
        """`output_size` is given where the skip connection's size is odd: that is not a doubling."""
        if output_size is not None:
            enlarged = F.interpolate(hidden_states, size=output_size, mode="nearest")
            return F.conv2d(enlarged, self.conv.weight, self.conv.bias, padding=1)
        doubled: Tensor = self.conv(hidden_states)
        return doubled


def make_lean(vae: nn.Module, unet: UNet2DConditionModel) -> None:
    """Rewrite an AutoencoderTiny and a UNet in place. Other first stages are left as they are."""
    if isinstance(vae, AutoencoderTiny):
        for half in (vae.encoder, vae.decoder):
            half.layers = rewritten(half.layers)
    for block in unet.up_blocks:
        for k, upsample in enumerate(block.upsamplers or ()):
            if (
                isinstance(upsample, Upsample2D)
                and upsample.use_conv
                and upsample.interpolate
                and upsample.norm is None
            ):
                block.upsamplers[k] = TransposedUpsample(upsample)
