"""Measures of what came out. The core never imports this package."""

from .descriptor import style_descriptor
from .fidelity import edge_f_score, gradient_similarity, structural_similarity

__all__ = ["edge_f_score", "gradient_similarity", "structural_similarity", "style_descriptor"]
