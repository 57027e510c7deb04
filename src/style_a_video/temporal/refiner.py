"""The local refinement network (docs/method.md, section 2.5).

It makes the steady frame R^f of a shot from the stylized frames P^f and P^{f−1} and the steady frame R^{f−1}.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from ..frames import pad_to_multiple
from ..settings import DEFAULT_KEYFRAMES
from .correspondence import deformation
from .detail import local_detail, match_detail
from .motion import Motion
from .warp import backward_warp

Form = Literal["warped", "paper"]
MAX_KEPT = 0.9
"""Largest share of W(R^{f−1}) in R^f. It is warped anew in every frame; without some of P^f long shots blur."""


class Refiner(ModelMixin, ConfigMixin):
    """A residual on P^f, from two branches that are fused, at half resolution.

    Args:
        form: "paper" sees P^f, P^{f−1} and R^{f−1} where they are. "warped" sees P^f, W(P^{f−1}) and W(R^{f−1}), and
            mask and mismatch of the motion. Its residual is g·(W(R^{f−1}) − P^f) + r. The gate g in [0, MAX_KEPT] is
            predicted too; it closes where the flow stretches marks.
        width: channels of every layer.
        blocks: residual blocks after the fusion.
    """

    @register_to_config
    def __init__(self, form: Form = "warped", width: int = 16, blocks: int = 2) -> None:
        super().__init__()
        evidence = 2 if form == "warped" else 0
        self.pair = nn.Conv2d(4 * (6 + evidence), width, 3, padding=1)
        self.refined = nn.Conv2d(4 * (3 + evidence), width, 3, padding=1)
        self.fuse = nn.Conv2d(2 * width, width, 3, padding=1)
        self.body = nn.ModuleList(_Residual(width) for _ in range(blocks))
        self.out = nn.Conv2d(width, 4 * (4 if form == "warped" else 3), 3, padding=1)
        with torch.no_grad():
            # An untrained refiner draws next to nothing of its own.
            for parameter in self.out.parameters():
                parameter.mul_(0.01)

    def forward(self, stylized: Tensor, stylized_before: Tensor, refined_before: Tensor, motion: Motion) -> Tensor:
        """R^f (B, 3, H, W) from P^f, P^{f−1}, R^{f−1}, all (B, 3, H, W) in [0, 1]; not clamped."""
        height, width = stylized.shape[-2:]
        warped = self.config.form == "warped"
        if warped:
            # Bicubic: R^{f−1} is warped anew every frame, and bilinear weights would blur a shot away.
            both, flows = torch.cat([stylized_before, refined_before]), torch.cat([motion.backward] * 2)
            stylized_before, refined_before = backward_warp(both, flows, "bicubic").chunk(2)
        evidence = [motion.backward_mask, motion.mismatch * 4] if warped else []
        dtype = self.out.weight.dtype  # the layers' own; pictures stay float32
        pair = F.relu(self.pair(_halved([stylized, stylized_before, *evidence]).to(dtype)))
        refined = F.relu(self.refined(_halved([refined_before, *evidence]).to(dtype)))
        features = F.relu(self.fuse(torch.cat([pair, refined], dim=1)))
        for block in self.body:
            features = block(features)
        predicted = _smoothed(F.pixel_shuffle(self.out(features), 2)[..., :height, :width].to(stylized.dtype))
        if not warped:
            return stylized + predicted
        # Every flow stretches what is kept once more; on a turning head marks would become scratches.
        unstretched = (1 - deformation(motion.backward) / DEFAULT_KEYFRAMES.max_keyframe_deformation).clamp(min=0)
        gate = MAX_KEPT * torch.sigmoid(predicted[:, 3:]) * motion.backward_mask * unstretched
        return stylized + gate * (refined_before - stylized) + predicted[:, :3]


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.second(F.relu(self.first(features)))


def _smoothed(planes: Tensor) -> Tensor:
    """By 1, 2, 1 along both axes, (B, C, H, W).

    A plane that is shuffled from four channels can hold a checkerboard, which would add up from frame to frame.
    """
    padded = F.pad(planes, (1, 1, 1, 1), mode="replicate")
    rows = padded[..., :-1] + padded[..., 1:]
    rows = rows[..., :-1] + rows[..., 1:]
    columns = rows[..., :-1, :] + rows[..., 1:, :]
    return (columns[..., :-1, :] + columns[..., 1:, :]) / 16


def _halved(planes: list[Tensor]) -> Tensor:
    """All planes at half resolution, four channels for one; nothing is lost."""
    return F.pixel_unshuffle(pad_to_multiple(torch.cat(planes, dim=1), 2), 2)


@dataclass(frozen=True)
class Refined:
    """What the next frame of a shot needs of this one: P^f and R^f, (B, 3, H, W) in [0, 1]."""

    stylized: Tensor
    refined: Tensor


def refine(refiner: Refiner, stylized: Tensor, before: Refined | None, motion: Motion | None) -> Refined:
    """R^f for one frame, (B, 3, H, W) in [0, 1], its detail as strong as P^f's.

    Where a shot begins (`motion` is None) it is P^f itself. A frame that the video repeats stays what it was.
    """
    if before is None or motion is None:
        return Refined(stylized, stylized)
    if torch.equal(stylized, before.stylized):
        return before
    steady = refiner(stylized, before.stylized, before.refined, motion).clamp(0, 1)
    return Refined(stylized, match_detail(steady, local_detail(stylized)))
