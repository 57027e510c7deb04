"""Teachers: right kind of picture, clearly a style, and stable on video."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage

from style_a_video.models.styles import STYLE_NAMES
from style_a_video.training.contents import HELD_OUT_PHOTOGRAPHS, TRAINING_PHOTOGRAPHS, photographs, random_content
from style_a_video.training.teachers import TEACHERS
from style_a_video.training.teachers.common import jittered_grid, kuwahara, line_integral_convolution, to_palette


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return photographs()["rocket"][100:228, 200:328].copy()


def test_every_style_has_a_teacher() -> None:
    assert tuple(TEACHERS) == STYLE_NAMES


@pytest.mark.parametrize("style", TEACHERS)
def test_teacher_paints(picture: np.ndarray, style: str) -> None:
    painted = TEACHERS[style](picture, np.random.default_rng(0))
    assert painted.shape == picture.shape
    assert painted.dtype == np.float32
    assert painted.min() >= 0
    assert painted.max() <= 1
    assert np.abs(painted - picture).mean() > 0.02
    assert painted.std() > 0.03


@pytest.mark.parametrize("style", TEACHERS)
def test_marks_do_not_boil(picture: np.ndarray, style: str) -> None:
    """The same picture twice gives the same painting: no mark depends on per-frame chance."""
    first, second = (TEACHERS[style](picture, np.random.default_rng(seed)) for seed in (0, 1))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("seed", range(8))
def test_contents(seed: int) -> None:
    content = random_content(np.random.default_rng(seed), 64)
    assert content.shape == (64, 64, 3)
    assert content.dtype == np.float32
    assert 0 <= content.min() <= content.max() <= 1
    np.testing.assert_array_equal(content, random_content(np.random.default_rng(seed), 64))


def test_no_photograph_is_missing_and_none_is_on_both_sides() -> None:
    assert set(photographs()) == set(TRAINING_PHOTOGRAPHS) | set(HELD_OUT_PHOTOGRAPHS)
    assert not set(TRAINING_PHOTOGRAPHS) & set(HELD_OUT_PHOTOGRAPHS)


def test_line_integral_convolution_averages_along_the_field() -> None:
    """Along x, it is SciPy's uniform filter along x."""
    texture = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    ones, zeros = np.ones((20, 30), np.float32), np.zeros((20, 30), np.float32)
    expected = scipy.ndimage.uniform_filter1d(texture, 7, axis=1)
    np.testing.assert_allclose(
        line_integral_convolution(texture, ones, zeros, 3)[:, 4:-4], expected[:, 4:-4], atol=1e-4
    )


def test_kuwahara_keeps_an_edge_and_removes_noise() -> None:
    edge = np.zeros((32, 32, 3), np.float32)
    edge[:, 16:] = 1
    noisy = np.clip(edge * 0.6 + 0.2 + np.random.default_rng(0).normal(0, 0.05, edge.shape), 0, 1).astype(np.float32)
    smooth = kuwahara(noisy, 4)
    assert smooth[:, 4:12].std() < 0.5 * noisy[:, 4:12].std()
    assert smooth[8:24, 18].mean() - smooth[8:24, 13].mean() > 0.5


def test_palette_is_nearest() -> None:
    palette = np.array([[0, 0, 0], [1, 1, 1], [1, 0, 0]], np.float32)
    picture = np.array([[[0.1, 0.1, 0.1], [0.9, 0.95, 0.9], [0.8, 0.1, 0.1]]], np.float32)
    np.testing.assert_array_equal(to_palette(picture, palette)[0], palette)


def test_grid_covers_the_picture() -> None:
    points = jittered_grid(np.random.default_rng(0), 40, 60, 8.0, 0.2)
    y, x = np.mgrid[0:40, 0:60]
    nearest = np.min(np.hypot(points[:, 0, None, None] - x, points[:, 1, None, None] - y), axis=0)
    assert nearest.max() < 8.0
