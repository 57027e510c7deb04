"""Optical flow behind one call: OpenCV's DIS needs no weights; RAFT when torchvision is installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import InputError
from .warp import occlusion_mask

FlowEstimator = Callable[[Tensor, Tensor], Tensor]
"""(frames, others), both (B, 3, H, W) float in [0, 1] -> (B, 2, H, W) float32 in pixels, x first: what lies at p in `frames`
lies at p + flow(p) in `others`."""

SMALLEST_RAFT_SIDE = 128
"""RAFT correlates pictures an eighth of the size over four levels: below this, the last one is empty."""


def dis_flow(fast: bool = False) -> FlowEstimator:
    """Dense Inverse Search (Kroeger et al., 2016), on the CPU: OpenCV's "medium" preset with smaller patches, a smoother field and, unless
    `fast`, one scale more, the finest. Less error than the preset on the demo clip's true flow (`benchmarks/temporal.py`): flat
    sky is no longer carried along by what passes before it.
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setPatchSize(5)
    search.setVariationalRefinementAlpha(100.0)
    search.setFinestScale(1 if fast else 0)
    search.setVariationalRefinementIterations(15 if fast else 5)

    def estimate(frames: Tensor, others: Tensor) -> Tensor:
        pairs = zip(_grey(frames), _grey(others), strict=True)
        flows = [search.calc(frame, other, None) for frame, other in pairs]
        return torch.from_numpy(np.stack(flows)).permute(0, 3, 1, 2).contiguous().to(frames.device)

    return estimate


def _grey(frames: Tensor) -> list[Any]:
    pictures = (frames.detach().permute(0, 2, 3, 1).float().cpu().numpy() * 255).round().clip(0, 255).astype(np.uint8)
    return [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pictures]


def require_torchvision() -> None:
    """Raises InputError when it is not installed."""
    if find_spec("torchvision") is None:
        raise InputError("RAFT needs torchvision: pip install torchvision, or use dis, which needs nothing more")


def raft_flow(device: str | torch.device = "cpu") -> FlowEstimator:
    """RAFT, small (Teed and Deng, 2020), through torchvision, which fetches its weights on first use.

    Raises InputError when torchvision is not installed, or its weights cannot be fetched.
    """
    require_torchvision()
    from torchvision.models.optical_flow import Raft_Small_Weights, raft_small

    try:
        model = raft_small(weights=Raft_Small_Weights.DEFAULT).eval().to(device)
    except OSError as error:
        raise InputError(
            f"RAFT's weights cannot be fetched ({error}): connect for the first use, or use dis"
        ) from error

    @torch.no_grad()
    def estimate(frames: Tensor, others: Tensor) -> Tensor:
        height, width = frames.shape[-2:]
        # RAFT wants multiples of 8.
        bottom, right = (max(SMALLEST_RAFT_SIDE, -(-side // 8) * 8) - side for side in (height, width))
        padded = [F.pad(x * 2 - 1, (0, right, 0, bottom), mode="replicate").to(device) for x in (frames, others)]
        flow: Tensor = model(*padded)[-1][..., :height, :width]
        return flow.float().to(frames.device)

    return estimate


def flow_both_ways(estimate: FlowEstimator, frames: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """(F from `frames` to `others` (B, 2, H, W), its occlusion mask (B, 1, H, W)): what a backward warp of `others` needs."""
    backward = estimate(frames, others)
    return backward, occlusion_mask(estimate(others, frames), backward)
