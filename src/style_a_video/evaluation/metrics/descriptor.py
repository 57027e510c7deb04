"""A plain descriptor of style that no part of the model saw: colour moments, directions, energies of several scales."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
"""(H, W, 3) RGB in [0, 1]."""

BANDS = 5
ORIENTATIONS = 8


def style_descriptor(picture: Picture) -> NDArray[np.float64]:
    """Descriptor of one picture, (50,): entries have different units, so scale them before comparing.

    9 moments (mean, deviation, cube root of the third moment of L, a, b), mean chroma and its deviation; for 2 scales
    8 shares of gradient energy by direction; for 5 bands of a Laplacian pyramid the log energy and log kurtosis of L
    and of chroma; the share of pixels that are darker than 20 and lighter than 80; the share on strong edges.
    """
    lab = cv2.cvtColor(np.ascontiguousarray(picture, dtype=np.float32), cv2.COLOR_RGB2LAB).astype(np.float64)
    lightness, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    centred = lab - lab.mean((0, 1))
    moments = np.concatenate([lab.mean((0, 1)), lab.std((0, 1)), np.cbrt((centred**3).mean((0, 1)))])
    tails = [(lightness < 20).mean(), (lightness > 80).mean(), _edge_share(lightness)]
    return np.concatenate(
        [
            moments,
            [chroma.mean(), chroma.std()],
            *(_orientations(lightness, sigma) for sigma in (0.8, 2.5)),
            _band_statistics(lightness, chroma),
            tails,
        ]
    )


def _gradient(plane: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return cv2.Sobel(plane, cv2.CV_64F, 1, 0, scale=1 / 8), cv2.Sobel(plane, cv2.CV_64F, 0, 1, scale=1 / 8)


def _orientations(lightness: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    gx, gy = _gradient(cv2.GaussianBlur(lightness, (0, 0), sigma))
    angle = np.mod(np.arctan2(gy, gx), np.pi)
    histogram, _ = np.histogram(angle, ORIENTATIONS, (0, np.pi), weights=gx**2 + gy**2)
    return histogram / (histogram.sum() + 1e-9)


def _band_statistics(lightness: NDArray[np.float64], chroma: NDArray[np.float64]) -> NDArray[np.float64]:
    values = []
    for plane in (lightness, chroma):
        for _ in range(BANDS):
            low = cv2.GaussianBlur(plane, (0, 0), 1.6)
            band = plane - low
            values += [np.log(band.std() + 0.1), np.log((band**4).mean() / (band.var() ** 2 + 1e-6) + 1.0)]
            plane = low[::2, ::2]
    return np.array(values)


def _edge_share(lightness: NDArray[np.float64]) -> float:
    gx, gy = _gradient(lightness)
    return float((np.hypot(gx, gy) > 6).mean())
