"""Measures of what came out. The core never imports this package."""

from .descriptor import style_descriptor
from .fidelity import edge_f_score, gradient_similarity, structural_similarity
from .temporal import flows_at_distance, flows_to_first, pair_errors, temporal_loss, warp_error

__all__ = [
    "edge_f_score", "flows_at_distance", "flows_to_first", "gradient_similarity", "pair_errors", "structural_similarity",
    "style_descriptor", "temporal_loss", "warp_error",
]  # fmt: skip
