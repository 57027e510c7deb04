"""What keeps frames together: optical flow, backward warp, occlusion mask, and noise that moves with the picture."""

from .flow import FlowEstimator, dis_flow, flow_both_ways, raft_flow
from .motion import Motion, motion_between, picture_bytes, picture_tensor, with_motion
from .noise import WarpedNoise
from .refiner import Refined, Refiner, refine
from .warp import backward_warp, occlusion_mask

__all__ = [
    "FlowEstimator", "Motion", "Refined", "Refiner", "WarpedNoise", "backward_warp", "dis_flow", "flow_both_ways", "motion_between", "occlusion_mask",
    "picture_bytes", "picture_tensor", "raft_flow", "refine", "with_motion",
]  # fmt: skip
