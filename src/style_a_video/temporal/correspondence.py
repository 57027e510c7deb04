"""Where another frame of a shot shows what a frame shows, and how far that can be trusted (docs/method.md, 2.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..settings import DEFAULT_KEYFRAMES, KeyframeConfig
from .motion import Motion
from .warp import backward_warp, sampling_positions
from .windows import feather, local_mean, upsample


@dataclass(frozen=True)
class Correspondence:
    """From the pixels of one frame to another frame of the same shot."""

    flow: Tensor
    """(1, 2, H, W) in pixels, x first: what lies at p lies at p + flow(p) in the other frame."""
    trust: Tensor
    """(1, 1, H, W) in [0, 1]: how far the flow is trusted at each pixel."""


def identity(like: Tensor) -> Correspondence:
    """From a frame of the size of `like` (1, 3, H, W) to itself."""
    zeros = torch.zeros_like(like[:, :1])
    return Correspondence(torch.cat([zeros, zeros], dim=1), zeros + 1)


def compose(first: Correspondence, second: Correspondence) -> Correspondence:
    """The way of `first`, then of `second`: F(p) + F'(p + F(p)), trusted where both are."""
    onward = backward_warp(torch.cat([second.flow, second.trust], dim=1), first.flow)
    return Correspondence(first.flow + onward[:, :2], first.trust * (onward[:, 2:] > 0.9))


def correspondences_to(index: int, frame: Tensor, motions: Sequence[Motion]) -> list[Correspondence]:
    """From every frame of a segment to its frame number `index`. Trust is 0 or 1.

    Args:
        frame: that frame, (1, 3, H, W).
        motions: row k leads from frame k to frame k + 1.
    """
    later, earlier = [identity(frame)], [identity(frame)]
    for motion in motions[index:]:
        later.append(compose(Correspondence(motion.backward, motion.backward_mask), later[-1]))
    for motion in reversed(motions[:index]):
        earlier.append(compose(Correspondence(motion.forward, motion.forward_mask), earlier[-1]))
    return earlier[:0:-1] + later


def trusted_correspondence(
    found: Correspondence, frame: Tensor, other: Tensor, config: KeyframeConfig = DEFAULT_KEYFRAMES
) -> Correspondence:
    """The same flow, trusted where `frame` may take its stylized picture from `other`'s; edges are soft.

    That is where the flow leads back or both inputs (1, 3, H, W) look alike along it, and where it keeps marks in
    shape.
    """
    shown = torch.maximum(found.trust, looks_alike(frame, other, found.flow, config))
    in_shape = deformation(found.flow, config) < config.max_deformation
    return Correspondence(found.flow, feather(shown * in_shape))


def looks_alike(frame: Tensor, other: Tensor, flow: Tensor, config: KeyframeConfig = DEFAULT_KEYFRAMES) -> Tensor:
    """1 where the input `frame` looks as the input `other` does along the flow, else 0: (1, 1, H, W).

    In a flat sky no flow can be checked. There whatever looks the same will do.
    """
    mismatch = (frame - backward_warp(other, flow)).abs().mean(dim=1, keepdim=True)
    x, y = sampling_positions(flow).unbind(dim=1)
    height, width = frame.shape[-2:]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    alike = local_mean(mismatch, config.similarity_window) < config.similarity_tolerance
    return (alike & inside[:, None]).to(frame.dtype)


def deformation(flow: Tensor, config: KeyframeConfig = DEFAULT_KEYFRAMES) -> Tensor:
    """How much a flow (1, 2, H, W) stretches or shears marks: (1, 1, H, W), the mean of a window.

    It is the difference of the principal strains of the flow's Jacobian. Shift, zoom and turn have 0: they leave marks
    their shape. Where flow slides from a thing in front to the background it is large, and marks would be smeared.
    """
    across = F.pad(flow[..., 1:] - flow[..., :-1], (0, 1, 0, 0))
    down = F.pad(flow[..., 1:, :] - flow[..., :-1, :], (0, 0, 0, 1))
    stretch, shear = across[:, :1] - down[:, 1:], across[:, 1:] + down[:, :1]
    means = local_mean(torch.cat([stretch, shear], dim=1), config.deformation_window)
    return means.square().sum(dim=1, keepdim=True).sqrt()


def same_structure(frame: Tensor, other: Tensor, flow: Tensor, config: KeyframeConfig = DEFAULT_KEYFRAMES) -> Tensor:
    """1 where the shapes of two inputs are more alike than unlike along the flow, whatever their light, else 0.

    Both are made grey and lose their local means; then (x − y)² must lie below half of x² + y², in the mean of a
    window. In a dissolve every step from frame to frame is trusted, yet at its end nothing of the first picture is
    left.

    Args:
        frame, other: (1, 3, H, W).
        flow: (1, 2, H, W), from `frame` to `other`.

    Returns:
        (1, 1, H, W).
    """
    side, stride = config.structure_window, config.structure_stride

    def shapes(picture: Tensor) -> Tensor:
        grey = picture.mean(dim=1, keepdim=True)
        return grey - upsample(local_mean(grey, side, stride), stride, grey)

    x, y = shapes(frame), shapes(backward_warp(other, flow))
    likeness = (x.square() + y.square()) / 2 + config.similarity_tolerance**2 - (x - y).square()
    return (upsample(local_mean(likeness, side, stride), stride, x) > 0).to(frame.dtype)
