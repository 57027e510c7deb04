"""Measures of pictures, against loops, known answers and each other."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
import skimage.color

from style_a_video.evaluation import edge_f_score, gradient_similarity, structural_similarity, style_descriptor
from style_a_video.styles.spec import StyleSpec
from style_a_video.training.contents import photographs
from style_a_video.training.renderers import render


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    return [photographs()[name][100:228, 200:328].copy() for name in ("rocket", "coins", "clock_motion", "chelsea")]


def test_descriptor_begins_with_the_moments_of_lab(pictures: list[np.ndarray]) -> None:
    lab = skimage.color.rgb2lab(pictures[0]).reshape(-1, 3)
    found = style_descriptor(pictures[0])
    assert found.shape == (50,)
    np.testing.assert_allclose(found[:3], lab.mean(0), atol=0.3)
    np.testing.assert_allclose(found[3:6], lab.std(0), atol=0.3)
    np.testing.assert_allclose(found[6:9] ** 3, ((lab - lab.mean(0)) ** 3).mean(0), rtol=0.05, atol=30)


def test_descriptor_sees_directions() -> None:
    x = np.mgrid[0:64, 0:64][1]
    stripes = np.repeat((0.5 + 0.4 * np.sin(x * 0.8))[..., None], 3, axis=2).astype(np.float32)
    upright, level = style_descriptor(stripes), style_descriptor(stripes.transpose(1, 0, 2))
    assert upright[11] + upright[18] > 0.95
    assert level[14] + level[15] > 0.95


def test_descriptor_tells_styles_apart_across_contents(pictures: list[np.ndarray]) -> None:
    """Media of one content are further apart than half of what separates contents: the right one is the nearest."""
    media = ("watercolor", "pencil", "pop art", "mosaic", "neon", "cyanotype", "linocut")
    for picture in pictures[1:]:
        noisy = np.clip(picture + np.random.default_rng(0).normal(0, 0.02, picture.shape), 0, 1).astype(np.float32)
        taught = np.stack([style_descriptor(render(picture, StyleSpec(medium))) for medium in media])
        asked = np.stack([style_descriptor(render(noisy, StyleSpec(medium))) for medium in media])
        spread = taught.std(axis=0) + 1e-6
        nearest = (np.linalg.norm((asked[:, None] - taught[None]) / spread, axis=2)).argmin(axis=1)
        np.testing.assert_array_equal(nearest, np.arange(len(media)))


def test_gradient_similarity_against_a_loop(pictures: list[np.ndarray]) -> None:
    def magnitude(picture: np.ndarray) -> np.ndarray:
        grey = (picture @ np.array([0.299, 0.587, 0.114], np.float32)) * 255
        height, width = grey.shape
        small = np.zeros((height // 2, width // 2))
        for i in range(height // 2):
            for j in range(width // 2):
                # OpenCV's 2x2 box ends at the pixel it is for; its border is mirrored without the edge pixel.
                rows, columns = (abs(2 * i - 1), 2 * i), (abs(2 * j - 1), 2 * j)
                small[i, j] = np.mean([grey[r, c] for r in rows for c in columns])
        gx = scipy.ndimage.prewitt(small, axis=1, mode="mirror") / 3
        gy = scipy.ndimage.prewitt(small, axis=0, mode="mirror") / 3
        return np.hypot(gx, gy)

    one, two = magnitude(pictures[0]), magnitude(pictures[1])
    expected = np.mean((2 * one * two + 170) / (one**2 + two**2 + 170))
    assert gradient_similarity(pictures[0], pictures[1]) == pytest.approx(expected, abs=1e-4)
    assert gradient_similarity(pictures[0], pictures[0]) == pytest.approx(1.0)


def test_edge_f_score() -> None:
    square = np.zeros((64, 64, 3), np.float32)
    square[16:48, 16:48] = 1
    assert edge_f_score(square, square) == pytest.approx(1.0)
    assert edge_f_score(np.roll(square, 2, axis=1), square) == pytest.approx(1.0)
    assert edge_f_score(np.roll(square, 12, axis=(0, 1)), square) < 0.4
    half = square.copy()
    half[:, 32:] = 0
    # Its own new edge is wrong (precision), two thirds of the square's outline are missing or moved (recall).
    assert 0.3 < edge_f_score(half, square) < 0.8
    assert edge_f_score(np.zeros_like(square), square) == 0.0
    assert edge_f_score(np.zeros_like(square), np.zeros_like(square)) == 1.0


def test_structural_similarity_falls_with_noise(pictures: list[np.ndarray]) -> None:
    noise = np.random.default_rng(0).normal(0, 1, pictures[0].shape)
    values = [
        structural_similarity(pictures[0], np.clip(pictures[0] + a * noise, 0, 1).astype(np.float32))
        for a in (0, 0.05, 0.2)
    ]
    assert values[0] == pytest.approx(1.0)
    assert values[0] > values[1] > values[2]
