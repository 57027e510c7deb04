"""What keeps frames together: flow, warp, occlusion mask; noise, keyframes and attention that follow the picture; the refiner."""

from .anchor import AnchorAttention, anchor_attention
from .flow import FlowEstimator, dis_flow, flow_both_ways, raft_flow, require_torchvision
from .motion import Motion, motion_between, picture_bytes, picture_tensor, with_motion
from .noise import WarpedNoise
from .propagation import (
    Reference,
    assembled,
    carried,
    change_of_light,
    detail_depth,
    fine_marks,
    guessed,
    links_to,
    next_keyframe,
)
from .refiner import Refined, Refiner, refine
from .warp import backward_warp, occlusion_mask

__all__ = [
    "AnchorAttention", "FlowEstimator", "Motion", "Reference", "Refined", "Refiner", "WarpedNoise", "anchor_attention", "assembled",
    "backward_warp", "carried", "change_of_light", "detail_depth", "dis_flow", "fine_marks", "flow_both_ways", "guessed", "links_to",
    "motion_between", "next_keyframe", "occlusion_mask", "picture_bytes", "picture_tensor", "raft_flow", "refine", "require_torchvision",
    "with_motion",
]  # fmt: skip
