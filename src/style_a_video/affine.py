"""Pictures that move by known affine maps, so that their optical flow is exact."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

Affine = NDArray[np.float64]
"""(3, 3), acting on pixel coordinates (x, y, 1): frame pixel -> pixel of the texture that the frame shows."""


def similarity(scale: float, angle: float, source: NDArray[np.float64], target: NDArray[np.float64]) -> Affine:
    """Rotate and scale about `source`, then move it to `target`."""
    matrix = np.eye(3)
    matrix[:2, :2] = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix[:2, 2] = target - matrix[:2, :2] @ source
    return matrix


def _grid(width: int, height: int) -> NDArray[np.float64]:
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    return np.stack([x, y, np.ones_like(x)])


def sample(texture: NDArray[np.float32], matrix: Affine, width: int, height: int) -> NDArray[np.float32]:
    """Texture at matrix · pixel for every pixel of the frame, (height, width, C); outside the texture: its border."""
    where = np.tensordot(matrix[:2], _grid(width, height), axes=1)
    size = np.array(texture.shape[1::-1], np.float64).reshape(2, 1, 1)
    normalised = torch.from_numpy(((where + 0.5) / size * 2 - 1).transpose(1, 2, 0)[None]).float()
    picture = torch.from_numpy(np.ascontiguousarray(texture)).permute(2, 0, 1)[None]
    sampled = F.grid_sample(picture, normalised, mode="bilinear", padding_mode="border", align_corners=False)
    result: NDArray[np.float32] = sampled[0].permute(1, 2, 0).numpy()
    return result


def affine_flow(now: Affine, before: Affine, width: int, height: int) -> NDArray[np.float64]:
    """Where the point under each pixel was a frame earlier, minus the pixel: (2, height, width), x first."""
    back = np.linalg.inv(before) @ now
    return np.tensordot((back - np.eye(3))[:2], _grid(width, height), axes=1)


def seen_before(
    flow: NDArray[np.float64], inside_now: NDArray[np.bool_], inside_before: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether what a frame shows at a pixel was seen a frame earlier, inside the picture, too: (height, width).

    Args:
        flow: (2, height, width), to the frame before.
        inside_now, inside_before: (height, width), where each frame shows the thing in front.
    """
    height, width = inside_now.shape
    x, y = _grid(width, height)[:2] + flow
    within = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    column, row = np.clip(np.round(x), 0, width - 1).astype(int), np.clip(np.round(y), 0, height - 1).astype(int)
    return within & (inside_before[row, column] == inside_now)
