"""Keyframe propagation (DESIGN 2.6): what a keyframe shows is carried along the flow to the frames around it, and to the next keyframe.

A picture warped from frame to frame is blurred a little every time. Here flows are composed instead of pictures, so that a frame is
sampled once from its keyframe; and what a warp takes from the depth of fine marks is given back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .motion import Motion
from .warp import backward_warp

DETAIL_WINDOW = 17
"""Side of the windows, in pixels, over which the depth of fine marks is measured."""
MOST_SHARPENING = 0.5
"""Of the high frequencies; more only makes rings."""
COARSE_WINDOW = 65
"""Side of the windows, in pixels, whose mean colour and contrast a keyframe draws towards those of its own rendering."""
COARSE_PULL = 0.5
"""How far they are drawn there: a change of light is followed within a few keyframes, the model's own flicker of colour halved."""


@dataclass(frozen=True)
class Link:
    """Where another frame of the shot shows what this one shows: flow (1, 2, H, W) in pixels, x first, and mask (1, 1, H, W), 1
    where the flow is trusted."""

    flow: Tensor
    mask: Tensor

    def beyond(self, further: Link) -> Link:
        """To the frame that the other frame's link `further` leads to: F(p) + F'(p + F(p)), trusted where both are."""
        mask = self.mask * backward_warp(further.mask, self.flow)
        return Link(self.flow + backward_warp(further.flow, self.flow), (mask > 0.9).to(mask.dtype))


def step_back(motion: Motion) -> Link:
    """To the frame before."""
    return Link(motion.backward, motion.backward_mask)


def links_back(motions: Sequence[Motion]) -> list[Link]:
    """From every frame after a keyframe to it; `motions[k]` is that of the k-th frame after it since the one before."""
    links: list[Link] = []
    for motion in motions:
        links.append(step_back(motion).beyond(links[-1]) if links else step_back(motion))
    return links


def links_ahead(motions: Sequence[Motion]) -> list[Link]:
    """From every frame before a keyframe to it; `motions[k]` is that of the frame after the k-th, the last the keyframe's own."""
    links: list[Link] = []
    for motion in reversed(motions):
        step = Link(motion.forward, motion.forward_mask)
        links.append(step.beyond(links[-1]) if links else step)
    return links[::-1]


def carried(keyframe: Tensor, link: Link) -> Tensor:
    """The stylized keyframe (1, 3, H, W) as the linked frame sees it, in [0, 1], its marks as deep as they were."""
    warped = backward_warp(keyframe, link.flow, "bicubic").clamp(0, 1)
    return with_detail(warped, backward_warp(detail_depth(keyframe), link.flow))


def next_keyframe(rendered: Tensor, before: Tensor, link: Link) -> Tensor:
    """A shot's next keyframe: the marks of the one before, the colours of its own rendering, and all of that where nothing leads back.

    Args:
        rendered: the keyframe as the model makes it, (1, 3, H, W) in [0, 1].
        before: the keyframe before it, (1, 3, H, W).
        link: from this keyframe to the one before.
    """
    kept = with_detail(backward_warp(before, link.flow, "bicubic").clamp(0, 1), detail_depth(rendered))
    trusted = softened(link.mask)
    # Light changes within a shot, and what is carried on and on must not drift.
    kept = drawn_towards(kept, rendered, trusted)
    return (trusted * kept + (1 - trusted) * rendered).clamp(0, 1)


def between(near: tuple[Tensor, Link], far: tuple[Tensor, Link] | None) -> tuple[Tensor, Tensor]:
    """A frame between two keyframes, from the nearer one, else from the farther: (picture (1, 3, H, W), missing (1, 1, H, W)).

    `missing` is 1 where neither keyframe shows what the frame does, with soft borders; there the picture is the nearer one's guess.
    """
    picture, missing = carried(*near), 1 - softened(near[1].mask)
    return (picture, missing) if far is None else covered(picture, missing, *far)


def covered(picture: Tensor, missing: Tensor, source: Tensor, link: Link) -> tuple[Tensor, Tensor]:
    """The picture with what is missing of it taken from another stylized frame, as far as that shows it; and what is missing still."""
    if not missing.any():
        return picture, missing
    trusted = missing * softened(link.mask)
    return picture * (1 - trusted) + carried(source, link) * trusted, missing - trusted


def guessed(frame: Tensor, picture: Tensor, missing: Tensor) -> Tensor:
    """The stylized picture (1, 3, H, W) with what is `missing` of it (1, 1, H, W) taken from the input frame (1, 3, H, W) itself, all in
    [0, 1], in the picture's colours: the affine map of RGB that fits best, in least squares, where nothing is missing.

    A warp leaves a second copy of what stands in front there, and the last steps alone would paint over it, not remove it.
    """
    known = 1 - missing
    colours = torch.cat([frame, torch.ones_like(known)], dim=1).flatten(2)[0]  # (4, pixels)
    weighted = colours * known.flatten(2)[0]
    # A little of a pixel pulls towards the frame's own colours, where next to nothing is known.
    moments = weighted @ colours.T + torch.eye(4, device=frame.device)
    change = torch.linalg.solve(moments, weighted @ (picture - frame).flatten(2)[0].T)  # (4, 3)
    recoloured = frame + (change.T @ colours).view_as(frame)
    return picture + missing * (recoloured.clamp(0, 1) - picture)


def softened(mask: Tensor, side: int = 5) -> Tensor:
    """A mask with a slope of a few pixels for an edge."""
    return box_mean(mask, side)


def box_mean(values: Tensor, side: int, stride: int = 1) -> Tensor:
    """Mean over windows of side² pixels (odd side), those of them inside the picture; one axis after the other."""
    columns = F.avg_pool2d(values, (side, 1), (stride, 1), (side // 2, 0), count_include_pad=False)
    return F.avg_pool2d(columns, (1, side), (1, stride), (0, side // 2), count_include_pad=False)


def drawn_towards(frames: Tensor, wanted: Tensor, mask: Tensor) -> Tensor:
    """Frames (B, 3, H, W) with mean colour and contrast of large windows drawn towards those of `wanted`, by COARSE_PULL.

    Both are measured over the pixels of `mask` (B, 1, H, W) alone.
    """
    area = box_mean(mask, COARSE_WINDOW).clamp(min=1e-4)

    def statistics(values: Tensor) -> tuple[Tensor, Tensor]:
        mean = box_mean(values * mask, COARSE_WINDOW) / area
        variance = box_mean(values.square() * mask, COARSE_WINDOW) / area - mean.square()
        return mean, (variance.clamp(min=0) + 1e-4).sqrt()

    (mean, deviation), (wanted_mean, wanted_deviation) = statistics(frames), statistics(wanted)
    contrast = (wanted_deviation / deviation) ** COARSE_PULL
    return mean + COARSE_PULL * (wanted_mean - mean) + (frames - mean) * contrast


def detail_depth(frames: Tensor, window: int = DETAIL_WINDOW, stride: int = 1) -> Tensor:
    """Depth of fine marks: deviation of the grey frames' Laplacian in windows, (B, 3, H, W) -> (B, 1, h, w)."""
    grey = F.pad(frames.mean(dim=1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]], device=frames.device, dtype=frames.dtype)
    squared = F.conv2d(grey, kernel[None, None]).square()
    return (box_mean(squared, window, stride) + 1e-5).sqrt()


def with_detail(frames: Tensor, depth: Tensor) -> Tensor:
    """Frames (B, 3, H, W) sharpened where their marks are less deep than `depth` (B, 1, H, W), and softened where they are deeper,
    by MOST_SHARPENING at most."""
    amount = (depth / detail_depth(frames) - 1).clamp(-MOST_SHARPENING, MOST_SHARPENING)
    binomial = torch.tensor([1.0, 4, 6, 4, 1], device=frames.device, dtype=frames.dtype) / 16
    kernel = (binomial[:, None] * binomial).expand(3, 1, 5, 5)
    blurred = F.conv2d(F.pad(frames, (2, 2, 2, 2), mode="replicate"), kernel, groups=3)
    return (frames + amount * (frames - blurred)).clamp(0, 1)
