"""Local statistics of a stylized picture, and making one picture have another's.

Every warp blurs a little. What it takes from the strength of fine marks is given back here, within limits.
"""

from __future__ import annotations

from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor

from ..settings import DEFAULT_KEYFRAMES, KeyframeConfig
from .windows import local_mean, upsample


def detail_strength(frames: Tensor, config: KeyframeConfig = DEFAULT_KEYFRAMES) -> Tensor:
    """Root mean square of the grey frames' Laplacian in windows: (B, 3, H, W) -> (B, 1, H, W)."""
    grey = F.pad(frames.mean(dim=1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    neighbours = grey[..., :-2, 1:-1] + grey[..., 2:, 1:-1] + grey[..., 1:-1, :-2] + grey[..., 1:-1, 2:]
    squared = (neighbours - 4 * grey[..., 1:-1, 1:-1]).square()
    power = local_mean(squared, config.detail_window, config.detail_stride)
    return upsample((power + 1e-5).sqrt(), config.detail_stride, frames)


def local_detail(frames: Tensor, config: KeyframeConfig = DEFAULT_KEYFRAMES) -> Tensor:
    """The statistics that `match_detail` gives back: (B, 3, H, W) -> (B, 7, H, W).

    The channels are the strength of detail, and for each colour the darkest and the brightest value near by.
    """
    return torch.cat([detail_strength(frames, config), _darkest(frames, config), _brightest(frames, config)], dim=1)


def match_detail(frames: Tensor, detail: Tensor, config: KeyframeConfig = DEFAULT_KEYFRAMES) -> Tensor:
    """Frames (B, 3, H, W), sharpened or softened to the strength of detail in `detail` (B, 7, H, W).

    No pixel becomes darker or brighter than `detail` or the frame itself is near by. Without that limit, rims beside
    strong lines grow from keyframe to keyframe. The result lies in [0, 1].
    """
    strength, darkest, brightest = detail.split([1, 3, 3], dim=1)
    fine = frames - blur(frames)
    # What is added has a strength of its own, less than the frame's where marks are coarse.
    amount = (strength - detail_strength(frames, config)) / detail_strength(fine, config)
    amount = amount.clamp(-config.max_sharpening, config.max_sharpening)
    least = torch.minimum(darkest, _darkest(frames, config))
    most = torch.maximum(brightest, _brightest(frames, config))
    return (frames + amount * fine).clamp(least, most).clamp(0, 1)


def match_local_statistics(
    frames: Tensor, wanted: Tensor, mask: Tensor, intervals: float = 1.0, config: KeyframeConfig = DEFAULT_KEYFRAMES
) -> Tensor:
    """Frames whose mean colour in large windows moves towards that of `wanted`, and whose contrast becomes the same.

    Colour moves by `color_pull`, so that a rendering's own flicker is halved. Contrast is matched whole: losses of
    contrast would add up along a chain of keyframes.

    Args:
        frames, wanted: (B, 3, H, W).
        mask: (B, 1, H, W); both are measured over its pixels alone.
        intervals: length of the step in keyframe intervals. Parts of a step add up to a whole one.
    """
    side, stride = config.color_window, config.color_stride
    area = local_mean(mask, side, stride).clamp(min=1e-4)

    def statistics(values: Tensor) -> tuple[Tensor, Tensor]:
        mean = local_mean(values * mask, side, stride) / area
        variance = local_mean(values.square() * mask, side, stride) / area - mean.square()
        deviation = (variance.clamp(min=0) + 1e-4).sqrt()
        return upsample(mean, stride, frames), upsample(deviation, stride, frames)

    (mean, deviation), (wanted_mean, wanted_deviation) = statistics(frames), statistics(wanted)
    contrast = (wanted_deviation / deviation).clamp(1 / config.max_contrast_gain, config.max_contrast_gain)
    pull = 1 - (1 - config.color_pull) ** intervals
    return mean + pull * (wanted_mean - mean) + (frames - mean) * contrast**intervals


def blur(frames: Tensor) -> Tensor:
    """By the binomial 1, 4, 6, 4, 1 along both axes, (B, C, H, W)."""
    for dim in (-2, -1):
        length = frames.shape[dim]
        padded = _extended(frames, 2, dim)
        far, near, middle = (padded.narrow(dim, k, length) + padded.narrow(dim, 4 - k, length) for k in range(3))
        frames = (far + 4 * near + 3 * middle) / 16
    return frames


def _brightest(frames: Tensor, config: KeyframeConfig) -> Tensor:
    """The maximum of a window; by shifted pictures, which on a CPU takes a tenth of the time of `max_pool2d`."""
    reach = config.extremes_window // 2
    for dim in (-1, -2):
        length = frames.shape[dim]
        padded = _extended(frames, reach, dim)
        frames = reduce(torch.maximum, (padded.narrow(dim, k, length) for k in range(2 * reach + 1)))
    return frames


def _darkest(frames: Tensor, config: KeyframeConfig) -> Tensor:
    return -_brightest(-frames, config)


def _extended(frames: Tensor, reach: int, dim: int) -> Tensor:
    """Past the border, the border."""
    last = frames.shape[dim] - 1
    return torch.cat([frames.narrow(dim, 0, 1)] * reach + [frames] + [frames.narrow(dim, last, 1)] * reach, dim)
