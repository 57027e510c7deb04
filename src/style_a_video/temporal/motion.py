"""The motion between neighbouring frames of a shot. No motion crosses a cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from ..devices import threads
from ..frames import Pixels, pixels_to_tensor
from .flow import FlowEstimator
from .warp import backward_warp, occlusion_mask


@dataclass(frozen=True)
class Motion:
    """Between frame f and the frame before it, of one shot.

    Flows are (B, 2, H, W) in pixels, x first; the other tensors are (B, 1, H, W).
    """

    backward: Tensor
    """F_{f→f−1}: for every pixel of frame f, where it was."""
    backward_mask: Tensor
    """On frame f: 1 where `backward` is trusted."""
    forward: Tensor
    """F_{f−1→f}: for every pixel of frame f − 1, where it went."""
    forward_mask: Tensor
    """On frame f − 1: 1 where `forward` is trusted."""
    mismatch: Tensor
    """On frame f: mean over channels of |I^f − W(I^{f−1})|, in [0, 1]; small where the flow explains the input."""


class Frame(Protocol):
    """Anything with a picture."""

    @property
    def pixels(self) -> Pixels:
        """(H, W, 3) uint8 RGB."""


AnyFrame = TypeVar("AnyFrame", bound=Frame)


def with_motion(
    frames: Iterable[AnyFrame], estimate: FlowEstimator, begins_shot: Callable[[Pixels], bool]
) -> Iterator[tuple[AnyFrame, Motion | None]]:
    """Every frame with its motion since the frame before it; None where a shot begins. Holds two frames at a time."""
    before: Tensor | None = None
    for frame in frames:
        with threads(1):
            now = pixels_to_tensor(frame.pixels)
            cut = begins_shot(frame.pixels)
            motion = None if cut or before is None else motion_between(estimate, before, now)
        yield frame, motion
        before = now


def motion_between(estimate: FlowEstimator, before: Tensor, now: Tensor) -> Motion:
    """Motion from frames `before` to frames `now`, both (B, 3, H, W) in [0, 1]."""
    both = estimate(torch.cat([before, now]), torch.cat([now, before]))
    forward, backward = both.chunk(2)
    backward_mask, forward_mask = occlusion_mask(both, torch.cat([backward, forward])).chunk(2)
    mismatch = (now - backward_warp(before, backward)).abs().mean(dim=1, keepdim=True)
    return Motion(backward, backward_mask, forward, forward_mask, mismatch)
