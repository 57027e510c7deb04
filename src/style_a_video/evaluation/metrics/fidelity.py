"""How near a picture is to another in structure: SSIM, gradient magnitude similarity, edges."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .descriptor import Picture


def structural_similarity(first: Picture, second: Picture) -> float:
    """Mean SSIM of two RGB pictures (Wang et al., 2004), by scikit-image."""
    import skimage.metrics

    return float(skimage.metrics.structural_similarity(first, second, channel_axis=2, data_range=1.0))


def gradient_similarity(first: Picture, second: Picture) -> float:
    """Mean gradient magnitude similarity (Xue et al., 2014, before their pooling by deviation): 1 for equal pictures.

    (2·g₁·g₂ + c) / (g₁² + g₂² + c) with Prewitt gradients g of the lightness in [0, 255], halved in size, c = 170.
    """
    one, two = (_prewitt_magnitude(_halved_grey(picture)) for picture in (first, second))
    return float(((2 * one * two + 170.0) / (one**2 + two**2 + 170.0)).mean())


def edge_f_score(picture: Picture, reference: Picture, tolerance: int = 2) -> float:
    """F-score of the picture's Canny edges against the reference's, both matched within `tolerance` pixels."""
    import skimage.feature

    edges, wanted = (skimage.feature.canny(_grey(image), sigma=2.0) for image in (picture, reference))
    if not edges.any() or not wanted.any():
        return float(edges.any() == wanted.any())
    kernel = np.ones((2 * tolerance + 1,) * 2, np.uint8)
    precision = cv2.dilate(wanted.astype(np.uint8), kernel)[edges].mean()
    recall = cv2.dilate(edges.astype(np.uint8), kernel)[wanted].mean()
    return float(2 * precision * recall / (precision + recall + 1e-9))


def _grey(picture: Picture) -> NDArray[np.float32]:
    return cv2.cvtColor(np.ascontiguousarray(picture, dtype=np.float32), cv2.COLOR_RGB2GRAY)


def _halved_grey(picture: Picture) -> NDArray[np.float32]:
    return cv2.blur(_grey(picture) * 255, (2, 2))[::2, ::2]


def _prewitt_magnitude(grey: NDArray[np.float32]) -> NDArray[np.float64]:
    kernel = np.array([[1, 0, -1]] * 3, np.float64) / 3
    gx, gy = cv2.filter2D(grey, -1, kernel), cv2.filter2D(grey, -1, kernel.T)
    return np.hypot(gx, gy)
