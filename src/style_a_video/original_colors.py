"""The frame's colours under the style's light and dark (`Settings.preserve_color`)."""

from __future__ import annotations

import torch
from torch import Tensor

LUMA = (0.2126, 0.7152, 0.0722)
"""Weights of R', G', B' in the luma Y' (ITU-R BT.709)."""


def with_colors_of(frames: Tensor, pictures: Tensor) -> Tensor:
    """`pictures` with the chroma of `frames`: Y' of the picture, and R' - Y', G' - Y', B' - Y' of the frame.

    Where no colour of that chroma is as bright or dark, Y' goes as far as one is. So the chroma is exact.

    Args:
        frames, pictures: (B, 3, H, W) in [0, 1], R'G'B'.

    Returns:
        (B, 3, H, W) in [0, 1].
    """
    weights = torch.tensor(LUMA, dtype=frames.dtype, device=frames.device).view(1, 3, 1, 1)
    luma = (pictures * weights).sum(dim=1, keepdim=True)
    chroma = frames - (frames * weights).sum(dim=1, keepdim=True)
    least, most = -chroma.amin(dim=1, keepdim=True), 1 - chroma.amax(dim=1, keepdim=True)
    return (luma.maximum(least).minimum(most) + chroma).clamp(0, 1)
