"""Optical flow behind one call; the estimators are the modules of `flow_estimators`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import torch
from torch import Tensor

from .warp import occlusion_mask

FlowEstimator = Callable[[Tensor, Tensor], Tensor]
"""(frames, others), both (B, 3, H, W) float in [0, 1] -> (B, 2, H, W) float32 in pixels, x first.

What lies at p in `frames` lies at p + flow(p) in `others`."""


def flow_estimator(name: str, device: str | torch.device = "cpu", fast: bool = False) -> FlowEstimator:
    """The estimator in the module `flow_estimators.NAME`.

    Args:
        name: one of `settings.FLOWS`.
        device: where it computes, if it can choose.
        fast: quicker and rougher, if it can be.

    Raises:
        InputError: when what it needs is not installed.
    """
    module = import_module(f".flow_estimators.{name}", __package__)
    found: FlowEstimator = module.estimator(device=device, fast=fast)
    return found


def flow_both_ways(estimate: FlowEstimator, frames: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """What a backward warp of `others` needs.

    Args:
        estimate: the flow estimator.
        frames, others: (B, 3, H, W) in [0, 1].

    Returns:
        The flow from `frames` to `others`, (B, 2, H, W) in pixels, and its occlusion mask, (B, 1, H, W).
    """
    backward = estimate(frames, others)
    return backward, occlusion_mask(estimate(others, frames), backward)
