"""Backward warp and occlusion mask (docs/method.md, section 2.5). Flows are (B, 2, H, W) in pixels, x first."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Interpolation = Literal["bilinear", "bicubic"]


def sampling_positions(flow: Tensor) -> Tensor:
    """p + F(p) for every pixel p, (B, 2, H, W) in pixels, x first; the centre of the upper left pixel is (0, 0)."""
    height, width = flow.shape[-2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=flow.device, dtype=flow.dtype),
        torch.arange(width, device=flow.device, dtype=flow.dtype),
        indexing="ij",
    )
    return torch.stack([x, y]) + flow


def backward_warp(image: Tensor, flow: Tensor, interpolation: Interpolation = "bilinear") -> Tensor:
    """W: position p of the result samples `image` at p + flow(p); past the border, the border.

    Args:
        image: (B, C, H, W), float32 or float64: positions of a large picture have no room in fewer bits.
        flow: (B, 2, H, W) in pixels, x first: from the frame that is made to the frame that `image` is.
        interpolation: "bilinear", as the measures are defined; "bicubic" for what is warped again and again, which
            bilinear weights blur away (and which it may leave a little outside the image's range).

    Raises:
        ValueError: when the shapes do not fit, or the image has another type.
    """
    if image.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"image of {image.dtype}: expected float32 or float64")
    if flow.ndim != 4 or flow.shape[1] != 2 or image.ndim != 4 or image[:, 0].shape != flow[:, 0].shape:
        raise ValueError(f"image {tuple(image.shape)} and flow {tuple(flow.shape)}: expected (B,C,H,W) and (B,2,H,W)")
    height, width = flow.shape[-2:]
    # grid_sample counts from -1 to 1 over the outer edges of the picture.
    size = torch.tensor([width, height], device=flow.device, dtype=flow.dtype).view(2, 1, 1)
    grid = ((sampling_positions(flow) + 0.5) * 2 / size - 1).permute(0, 2, 3, 1).to(image.dtype)
    return F.grid_sample(image, grid, mode=interpolation, padding_mode="border", align_corners=False)


def occlusion_mask(flow_forward: Tensor, flow_backward: Tensor) -> Tensor:
    """M: 1 where |F_bw + F_fw∘F_bw|² < 0.01·(|F_bw|² + |F_fw∘F_bw|²) + 0.5 and F_bw stays inside the picture.

    Args:
        flow_forward: (B, 2, H, W), from frame f − 1 to frame f.
        flow_backward: (B, 2, H, W), from frame f to frame f − 1.

    Returns:
        (B, 1, H, W) of the flow's dtype on frame f's pixels, 1 where its flow to f − 1 is trusted, else 0.

    Raises:
        ValueError: when the shapes do not fit.
    """
    height, width = flow_backward.shape[-2:]
    there = backward_warp(flow_forward, flow_backward)
    error = (flow_backward + there).square().sum(dim=1, keepdim=True)
    length = flow_backward.square().sum(dim=1, keepdim=True) + there.square().sum(dim=1, keepdim=True)
    x, y = sampling_positions(flow_backward).unbind(dim=1)
    # What lies outside frame f − 1 was never seen; half a pixel of tolerance, as far as the outermost pixels reach.
    inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    return ((error < 0.01 * length + 0.5) & inside[:, None]).to(flow_backward.dtype)
