"""Measures of what came out, comparisons and ablations. The core never imports this package."""

from .metrics import (
    edge_f_score,
    flows_at_distance,
    flows_to_first,
    gradient_similarity,
    pair_errors,
    structural_similarity,
    style_descriptor,
    temporal_loss,
    warp_error,
)

__all__ = [
    "edge_f_score",
    "flows_at_distance",
    "flows_to_first",
    "gradient_similarity",
    "pair_errors",
    "structural_similarity",
    "style_descriptor",
    "temporal_loss",
    "warp_error",
]
