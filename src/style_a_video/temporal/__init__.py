"""What keeps the frames of a shot together: flow, warps, correspondences; noise and attention; the refiner."""

from .anchor import AnchorAttention, anchor_attention
from .compositing import (
    ReferenceFrame,
    color_drift,
    composite,
    fill_missing,
    next_keyframe,
    reference_frame,
    warp_stylized,
)
from .correspondence import Correspondence, compose, correspondences_to
from .detail import detail_strength, local_detail, match_detail, match_local_statistics
from .flow import FlowEstimator, flow_both_ways, flow_estimator
from .flow_estimators.dis import estimator as dis_flow
from .flow_estimators.raft import estimator as raft_flow
from .motion import Motion, motion_between, with_motion
from .noise import WarpedNoise
from .refiner import Refined, Refiner, refine
from .warp import backward_warp, occlusion_mask

__all__ = [
    "AnchorAttention",
    "Correspondence",
    "FlowEstimator",
    "Motion",
    "ReferenceFrame",
    "Refined",
    "Refiner",
    "WarpedNoise",
    "anchor_attention",
    "backward_warp",
    "color_drift",
    "compose",
    "composite",
    "correspondences_to",
    "detail_strength",
    "dis_flow",
    "fill_missing",
    "flow_both_ways",
    "flow_estimator",
    "local_detail",
    "match_detail",
    "match_local_statistics",
    "motion_between",
    "next_keyframe",
    "occlusion_mask",
    "raft_flow",
    "reference_frame",
    "refine",
    "warp_stylized",
    "with_motion",
]
