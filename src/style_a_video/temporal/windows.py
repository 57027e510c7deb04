"""Means over square windows, and what was measured in windows brought back to pixels."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def local_mean(values: Tensor, side: int, stride: int = 1) -> Tensor:
    """Mean over windows of side² pixels, over those of them that lie inside the picture.

    Args:
        values: (B, C, H, W).
        side: of the windows, in pixels.
        stride: distance of neighbouring windows; side and stride are both even or both odd.

    Returns:
        (B, C, h, w), one window for every stride² pixels, centred on them.
    """
    margin = (side - stride) // 2
    rows = F.avg_pool2d(values, (side, 1), (stride, 1), (margin, 0), ceil_mode=True, count_include_pad=False)
    return F.avg_pool2d(rows, (1, side), (1, stride), (0, margin), ceil_mode=True, count_include_pad=False)


def upsample(values: Tensor, stride: int, like: Tensor) -> Tensor:
    """Values of windows, one for every stride² pixels, for every pixel of `like`: (B, C, h, w) -> (B, C, H, W)."""
    height, width = like.shape[-2:]
    return F.interpolate(values, scale_factor=stride, mode="bilinear", align_corners=False)[..., :height, :width]


def feather(mask: Tensor, side: int = 9) -> Tensor:
    """The mask (B, 1, H, W) with edges that rise over a few pixels. It is never above the input mask."""
    return mask * (2 * local_mean(mask, side) - 1).clamp(min=0)
