"""What keeps frames together: flow, warp, occlusion mask; noise, keyframes and attention that follow the picture; the refiner."""

from .anchor import AnchorAttention, anchor_attention
from .flow import FlowEstimator, dis_flow, flow_both_ways, raft_flow
from .motion import Motion, motion_between, picture_bytes, picture_tensor, with_motion
from .noise import WarpedNoise
from .propagation import (
    Link,
    between,
    carried,
    covered,
    detail_depth,
    guessed,
    links_ahead,
    links_back,
    next_keyframe,
    step_back,
    with_detail,
)  # fmt: skip
from .refiner import Refined, Refiner, refine
from .warp import backward_warp, occlusion_mask

__all__ = [
    "AnchorAttention", "FlowEstimator", "Link", "Motion", "Refined", "Refiner", "WarpedNoise", "anchor_attention", "backward_warp",
    "between", "carried", "covered", "detail_depth", "dis_flow", "flow_both_ways", "guessed", "links_ahead", "links_back", "motion_between",
    "next_keyframe", "occlusion_mask", "picture_bytes", "picture_tensor", "raft_flow", "refine", "step_back", "with_detail", "with_motion",
]  # fmt: skip
