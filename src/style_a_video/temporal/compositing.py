"""What a frame takes from other stylized frames of its shot (docs/method.md, section 2.6).

A picture that is warped from frame to frame is blurred each time. Here flows are composed instead, so that a frame is
sampled once from its keyframe.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..settings import DEFAULT_KEYFRAMES, KeyframeConfig
from .correspondence import (
    Correspondence,
    correspondences_to,
    deformation,
    same_structure,
    trusted_correspondence,
)
from .detail import local_detail, match_detail, match_local_statistics
from .motion import Motion
from .warp import backward_warp
from .windows import feather, local_mean, upsample


@dataclass(frozen=True)
class ReferenceFrame:
    """A stylized frame of a segment that other frames take their picture from."""

    index: int
    """Its number in the segment."""
    frame: Tensor
    """The input, (1, 3, H, W) in [0, 1]."""
    stylized: Tensor
    """(1, 3, H, W) in [0, 1]."""
    detail: Tensor
    """`local_detail` of the stylized frame, (1, 7, H, W)."""
    correspondences: dict[int, Correspondence]
    """By number, from other frames of the segment to this one."""


def reference_frame(
    index: int,
    stylized: Tensor,
    frames: Sequence[Tensor],
    motions: Sequence[Motion],
    takers: Iterable[int],
    config: KeyframeConfig = DEFAULT_KEYFRAMES,
) -> ReferenceFrame:
    """Frame number `index` of a segment, for the frames whose numbers are `takers`.

    Args:
        stylized: (1, 3, H, W) in [0, 1].
        frames: the inputs of the segment, (1, 3, H, W) in [0, 1].
        motions: row k leads from frame k to frame k + 1.
    """
    found = correspondences_to(index, frames[index], motions)
    trusted = {taker: trusted_correspondence(found[taker], frames[taker], frames[index], config) for taker in takers}
    return ReferenceFrame(index, frames[index], stylized, local_detail(stylized, config), trusted)


def composite(
    index: int,
    references: Sequence[ReferenceFrame],
    drift: Tensor,
    fade: float = 0.0,
    config: KeyframeConfig = DEFAULT_KEYFRAMES,
) -> tuple[Tensor, Tensor]:
    """The stylized frame `index` from its first reference, what that does not show from the second, and so on.

    Args:
        drift: (1, 3, H, W), by how much the colours of this frame's pixels change from frame to frame.
        fade: weight of the second reference where both of the first two show the pixel, 0 to 0.5.

    Returns:
        The picture (1, 3, H, W) in [0, 1], and what is missing (1, 1, H, W): 1 where no reference shows what the frame
        does, with soft edges. There the picture is the untrusted warp of the first reference.
    """

    def as_seen_by(reference: ReferenceFrame) -> Tensor:
        flow = reference.correspondences[index].flow
        warped = warp_stylized(reference.stylized, reference.detail, flow, config)
        return warped + drift * (index - reference.index)

    picture, missing = as_seen_by(references[0]), 1 - references[0].correspondences[index].trust
    for number, reference in enumerate(references[1:]):
        trust = reference.correspondences[index].trust
        filled = missing * trust
        share = fade if number == 0 else 0.0
        # With the first on top, the second fills what that misses. With the second on top, it also shows wherever it
        # is trusted. `share` blends the two.
        weight = (1 - share) * filled + share * (1 - (1 - missing) * (1 - trust))
        if weight.any():
            detail = local_detail(picture, config) if share else None
            picture = picture + weight * (as_seen_by(reference) - picture)
            # Where the two differ, their mean has fainter marks than either.
            picture = picture if detail is None else match_detail(picture, detail, config)
        missing = missing - filled
    return picture.clamp(0, 1), missing


def fill_missing(frame: Tensor, stylized: Tensor, missing: Tensor) -> Tensor:
    """The stylized picture with what is missing of it taken from the input frame, in the picture's colours.

    The colours come from the affine map of RGB that fits best, in least squares, where nothing is missing. What a warp
    leaves in a gap is a second copy of the thing in front; the model would paint over it, not remove it.

    Args:
        frame, stylized: (1, 3, H, W) in [0, 1].
        missing: (1, 1, H, W) in [0, 1].
    """
    known = 1 - missing
    # In float64: over the pixels of a large grey picture the sums are nearly of rank two.
    colors = torch.cat([frame, torch.ones_like(known)], dim=1).flatten(2)[0].double()  # (4, pixels)
    weighted = colors * known.flatten(2)[0]
    # The identity is a small ridge term: it favours the input's own colours where almost nothing is known.
    moments = weighted @ colors.T + torch.eye(4, device=frame.device, dtype=torch.float64)
    change = torch.linalg.solve(moments, weighted @ (stylized - frame).flatten(2)[0].T.double())  # (4, 3)
    recolored = frame + (change.T @ colors).view_as(frame).to(frame.dtype)
    return stylized + missing * (recolored.clamp(0, 1) - stylized)


def color_drift(before: ReferenceFrame, after: ReferenceFrame, config: KeyframeConfig = DEFAULT_KEYFRAMES) -> Tensor:
    """Change per frame of the mean colour of large windows between two keyframes, (1, 3, H, W) on the later one.

    Without it the colours would jump half-way, where the other keyframe becomes the nearer one.
    """
    side, stride = config.color_window, config.color_stride
    earlier = backward_warp(before.stylized, before.correspondences[after.index].flow)
    trust = before.correspondences[after.index].trust
    area = local_mean(trust, side, stride).clamp(min=0.1)
    change = local_mean((after.stylized - earlier) * trust, side, stride) / area
    return upsample(change, stride, earlier) / (after.index - before.index)


def warp_stylized(stylized: Tensor, detail: Tensor, flow: Tensor, config: KeyframeConfig = DEFAULT_KEYFRAMES) -> Tensor:
    """A stylized frame (1, 3, H, W) along a flow (1, 2, H, W), with the detail (1, 7, H, W) that it had; in [0, 1]."""
    return match_detail(*_warp_both(stylized, detail, flow), config)


def next_keyframe(
    rendered: Tensor,
    frame: Tensor,
    before: ReferenceFrame,
    index: int,
    intervals: float = 1.0,
    config: KeyframeConfig = DEFAULT_KEYFRAMES,
) -> Tensor:
    """A keyframe with the marks of the one before it, whose colours follow its own rendering: (1, 3, H, W) in [0, 1].

    Where nothing leads back to the one before, or the shapes there are others, it is its own rendering.

    Args:
        rendered: the keyframe as the model makes it of the input `frame`, both (1, 3, H, W) in [0, 1].
        before: the keyframe before it.
        index: number of the new keyframe in the segment.
        intervals: distance from the one before, in keyframe intervals; a shot's last keyframe may come sooner.
    """
    found = before.correspondences[index]
    in_shape = deformation(found.flow, config) < config.max_keyframe_deformation
    trust = found.trust * feather(same_structure(frame, before.frame, found.flow, config) * in_shape)
    kept, _ = _warp_both(before.stylized, before.detail, found.flow)
    # Light changes within a shot, and what is carried on and on must not drift.
    kept = match_local_statistics(kept, rendered, trust, intervals, config)
    kept = match_detail(kept, local_detail(rendered, config), config)
    return (trust * kept + (1 - trust) * rendered).clamp(0, 1)


def _warp_both(stylized: Tensor, detail: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """A picture (1, 3, H, W) and its local detail (1, 7, H, W) along the flow."""
    detail = backward_warp(detail, flow)
    warped = backward_warp(stylized, flow, "bicubic")
    # Bicubic weights make rims of their own.
    return warped.clamp(detail[:, 1:4], detail[:, 4:]), detail
