"""The measures themselves, as functions of frames."""

from .descriptor import style_descriptor
from .fidelity import edge_f_score, gradient_similarity, structural_similarity
from .flicker import flows_at_distance, flows_to_first, masked_difference, pair_errors, temporal_loss, warp_error
from .measures import Measures, measure, sharpness

__all__ = [
    "Measures",
    "edge_f_score",
    "flows_at_distance",
    "flows_to_first",
    "gradient_similarity",
    "masked_difference",
    "measure",
    "pair_errors",
    "sharpness",
    "structural_similarity",
    "style_descriptor",
    "temporal_loss",
    "warp_error",
]
