"""The self-attention condition (docs/method.md, section 2.2): detail is kept where the model itself attends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn


def attention_mask(attention_output: Tensor, grid: tuple[int, int]) -> Tensor:
    """M = 1(A > ψ): where the attention output is above its own mean.

    Args:
        attention_output: (B, HW, C), softmax(QKᵀ/√d)·V with the heads side by side in C.
        grid: (h, w) of the layer, h·w = HW.

    Returns:
        bool (B, 1, h, w). Raises ValueError when the grid does not fit.
    """
    batch, positions, _ = attention_output.shape
    if grid[0] * grid[1] != positions:
        raise ValueError(f"an attention output of {positions} positions does not fill a {grid[0]}x{grid[1]} grid")
    average = attention_output.float().mean(dim=2)
    threshold = average.mean(dim=1, keepdim=True)
    return (average > threshold).reshape(batch, 1, *grid)


def upsample_mask(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """Bool (B, 1, h, w) to bool (B, 1, *size), nearest neighbour."""
    return F.interpolate(mask.float(), size=size, mode="nearest") > 0.5


def layer_grid(positions: int, size: tuple[int, int]) -> tuple[int, int]:
    """The (h, w) of a layer with `positions` positions in a UNet on latents of `size`: each level halves, rounding up.

    Raises ValueError when no level has that many positions.
    """
    height, width = size
    while height * width > positions and height * width > 1:
        height, width = -(-height // 2), -(-width // 2)
    if height * width != positions:
        raise ValueError(f"no level of a UNet on {size[0]}x{size[1]} latents has {positions} positions")
    return height, width


def default_layer(unet: nn.Module) -> str:
    """Name of the highest-resolution self-attention layer of the decoder (the last `attn1` under `up_blocks`).

    Raises ValueError when the decoder has none.
    """
    names = [name for name, _ in unet.named_modules() if name.startswith("up_blocks.") and name.endswith(".attn1")]
    if not names:
        raise ValueError("this UNet's decoder has no self-attention layer: use mask_guidance_scale=0")
    return names[-1]


class AttentionRecord:
    """Holds the newest output of one attention layer: (B, HW, C), before the output projection."""

    output: Tensor | None = None


@contextmanager
def record_attention(unet: nn.Module, layer: str) -> Iterator[AttentionRecord]:
    """While open, the record holds what the named attention layer put out in the latest call of the UNet.

    It listens at the input of the layer's output projection. So any attention kernel will do, and the HW×HW matrix
    never exists. Raises ValueError for a layer that is not there.
    """
    modules: dict[str, Any] = dict(unet.named_modules())
    if layer not in modules or not hasattr(modules[layer], "to_out"):
        raise ValueError(f"the UNet has no attention layer {layer!r}; its default is {default_layer(unet)!r}")
    record = AttentionRecord()

    def keep(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        record.output = inputs[0]

    handle = modules[layer].to_out[0].register_forward_pre_hook(keep)
    try:
        yield record
    finally:
        handle.remove()
