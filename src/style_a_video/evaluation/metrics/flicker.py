"""Flicker: warping error and temporal loss (docs/method.md, section 2.7). Flow and mask are the input video's."""

from __future__ import annotations

from torch import Tensor

from ...errors import InputError
from ...temporal import FlowEstimator, backward_warp, flow_both_ways


def warp_error(
    frames: Tensor, flows_prev: Tensor, masks_prev: Tensor, flows_first: Tensor, masks_first: Tensor
) -> float:
    """E_warp = 1/(T−1) Σ_{t≥2} [E_pair(O_t, O_1) + E_pair(O_t, O_{t−1})] (Lei et al., *Deep Video Prior*, 2020).

    Args:
        frames: (T, 3, H, W) in [0, 1], T ≥ 2: the output video.
        flows_prev: (T − 1, 2, H, W) in pixels, row t − 1 from frame t to frame t − 1, of the input video.
        masks_prev: (T − 1, 1, H, W), 1 where that flow is trusted.
        flows_first, masks_first: the same from frame t to frame 0.

    Raises:
        InputError: for fewer than two frames, when shapes do not fit, or no pixel of a pair is trusted.
    """
    if len(frames) < 2:
        raise InputError(f"{len(frames)} frames have no pair: warp error takes 2 or more")
    first = frames[:1].expand(len(frames) - 1, -1, -1, -1)
    long = pair_errors(frames[1:], first, flows_first, masks_first)
    short = pair_errors(frames[1:], frames[:-1], flows_prev, masks_prev)
    return float((long + short).mean())


def pair_errors(frames: Tensor, others: Tensor, flows: Tensor, masks: Tensor) -> Tensor:
    """E_pair(O_t, O_s) = Σ M·|O_t − W(O_s)| / Σ M for every pair, (N,) float64; |·| is the mean over channels.

    Args:
        frames, others: (N, 3, H, W), O_t and O_s.
        flows, masks: (N, 2, H, W) from t to s, in pixels, and (N, 1, H, W).

    Raises:
        InputError: when shapes do not fit, or no pixel of a pair is trusted.
    """
    _check(frames, others, flows, masks)
    area = masks.double().sum(dim=(1, 2, 3))
    if (area == 0).any():
        pair = int((area == 0).nonzero()[0])
        raise InputError(f"pair {pair} has no trusted pixel: leave it out (a cut?), or compare frames nearer in time")
    return masked_difference(frames, others, flows, masks).sum(dim=(1, 2, 3)) / area


def temporal_loss(frames: Tensor, flows: Tensor, masks: Tensor) -> float:
    """Mean over pairs and pixels of M ⊙ |O_n − W(O_{n−i})|; the distance i = T − N is read from the shapes.

    Args:
        frames: (T, 3, H, W) in [0, 1].
        flows: (N, 2, H, W) in pixels, row n from frame n + i to frame n, N = T − i, of the input video.
        masks: (N, 1, H, W).

    Raises:
        InputError: when the shapes do not fit.
    """
    distance = len(frames) - len(flows)
    if distance < 1 or not len(flows):
        raise InputError(
            f"{len(flows)} flows for {len(frames)} frames: temporal loss at distance i takes T - i, 1 or more"
        )
    _check(frames[distance:], frames[:-distance], flows, masks)
    return float(masked_difference(frames[distance:], frames[:-distance], flows, masks).mean())


def masked_difference(frames: Tensor, others: Tensor, flows: Tensor, masks: Tensor) -> Tensor:
    """M ⊙ |O_t − W(O_s)|, (N, 1, H, W) float64: the heat map of a pair."""
    warped = backward_warp(others.double(), flows.double())
    return masks.double() * (frames.double() - warped).abs().mean(dim=1, keepdim=True)


def flows_at_distance(estimate: FlowEstimator, frames: Tensor, distance: int) -> tuple[Tensor, Tensor]:
    """Flows and masks from every frame n + i of the input video to frame n: what `temporal_loss` takes.

    Args:
        frames: (T, 3, H, W) in [0, 1].
        distance: i, 1 to T − 1.

    Returns:
        (T − i, 2, H, W) in pixels and (T − i, 1, H, W).

    Raises:
        InputError: where no frame has another at that distance.
    """
    if not 1 <= distance < len(frames):
        raise InputError(f"distance {distance} between {len(frames)} frames: give 1 to {len(frames) - 1}")
    return flow_both_ways(estimate, frames[distance:], frames[:-distance])


def flows_to_first(estimate: FlowEstimator, frames: Tensor) -> tuple[Tensor, Tensor]:
    """Flows and masks from every later frame of the input video to its first: what `warp_error` takes.

    Args:
        frames: (T, 3, H, W) in [0, 1].

    Returns:
        (T − 1, 2, H, W) in pixels and (T − 1, 1, H, W).

    Raises:
        InputError: for fewer than two frames.
    """
    if len(frames) < 2:
        raise InputError(f"{len(frames)} frames have no pair: give 2 or more")
    return flow_both_ways(estimate, frames[1:], frames[:1].expand(len(frames) - 1, -1, -1, -1))


def _check(frames: Tensor, others: Tensor, flows: Tensor, masks: Tensor) -> None:
    count, _, height, width = frames.shape
    wanted = {"others": tuple(frames.shape), "flows": (count, 2, height, width), "masks": (count, 1, height, width)}
    found = {"others": tuple(others.shape), "flows": tuple(flows.shape), "masks": tuple(masks.shape)}
    for name, shape in wanted.items():
        if found[name] != shape:
            raise InputError(f"{name} are {found[name]}; frames {tuple(frames.shape)} need {shape}")
