"""Means over square windows, and what was measured in windows brought back to pixels."""

from __future__ import annotations

import cv2
import numpy as np
import torch
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
    if values.device.type == "cpu" and values.dtype == torch.float32 and not values.requires_grad:
        return torch.stack([_running_mean(one, side, stride, margin) for one in values])
    rows = F.avg_pool2d(values, (side, 1), (stride, 1), (margin, 0), ceil_mode=True, count_include_pad=False)
    return F.avg_pool2d(rows, (1, side), (1, stride), (0, margin), ceil_mode=True, count_include_pad=False)


def _running_mean(values: Tensor, side: int, stride: int, margin: int) -> Tensor:
    """`local_mean` of (C, H, W) by OpenCV's running sums, whose time does not grow with `side`; without a gradient."""
    _, height, width = values.shape
    sums = cv2.boxFilter(
        np.ascontiguousarray(values.permute(1, 2, 0).numpy()),
        -1, (side, side), anchor=(margin, margin), normalize=False, borderType=cv2.BORDER_CONSTANT,
    )  # fmt: skip
    inside = [
        np.minimum(starts + side, length) - np.maximum(starts, 0)
        for length in (height, width)
        for starts in [np.arange(0, length, stride, dtype=np.float32) - margin]
    ]
    means = sums.reshape(height, width, -1)[::stride, ::stride] / (inside[0][:, None, None] * inside[1][:, None])
    return torch.from_numpy(means.astype(np.float32)).permute(2, 0, 1)


def upsample(values: Tensor, stride: int, like: Tensor) -> Tensor:
    """Values of windows, one for every stride² pixels, for every pixel of `like`: (B, C, h, w) -> (B, C, H, W)."""
    height, width = like.shape[-2:]
    return F.interpolate(values, scale_factor=stride, mode="bilinear", align_corners=False)[..., :height, :width]


def feather(mask: Tensor, side: int = 9) -> Tensor:
    """The mask (B, 1, H, W) with edges that rise over a few pixels. It is never above the input mask."""
    return mask * (2 * local_mean(mask, side) - 1).clamp(min=0)
