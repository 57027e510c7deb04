"""Local statistics against loops, and what matching them does."""

import numpy as np
import pytest
import scipy.ndimage
import torch

from style_a_video.settings import DEFAULT_KEYFRAMES
from style_a_video.temporal import (
    detail_strength,
    local_detail,
    match_detail,
    match_local_statistics,
    warp_stylized,
)
from tests.temporal.helpers import SIZE, correspondence, ones


def test_marks_stay_as_deep_when_carried_by_half_a_pixel(picture):
    inner = np.s_[..., 12:-12, 12:-12]
    plain = torch.nn.functional.avg_pool2d(picture, 2, stride=1)
    lost = detail_strength(plain).mean() / detail_strength(picture).mean()
    kept = (
        detail_strength(warp_stylized(picture, local_detail(picture), correspondence(0.5, 0.5).flow))[inner].mean()
        / detail_strength(picture)[inner].mean()
    )
    assert lost < 0.75
    assert kept > 0.9


def test_detail_is_the_deviation_of_the_laplacian_in_windows():
    rng = np.random.default_rng(1)
    frames = rng.random((1, 3, 23, 30))
    grey = np.pad(frames[0].mean(0), 1, mode="edge")
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    starts = [np.arange(-6, side - 6, 4) for side in (23, 30)]  # windows of 16 around squares of 4
    depth = np.array([
        [np.sqrt((laplacian[max(y, 0) : y + 16, max(x, 0) : x + 16] ** 2).mean() + 1e-5) for x in starts[1]]
        for y in starts[0]
    ])  # fmt: skip
    rows = np.array([np.interp(np.arange(23), starts[0] + 7.5, column) for column in depth.T])
    wanted = np.array([np.interp(np.arange(30), starts[1] + 7.5, row) for row in rows.T])
    np.testing.assert_allclose(detail_strength(torch.from_numpy(frames))[0, 0].numpy(), wanted, rtol=1e-9)


def test_detail_as_strong_as_wanted_is_left_alone(picture):
    torch.testing.assert_close(match_detail(picture, local_detail(picture)), picture)


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_detail_is_brought_nearer_to_what_is_wanted_from_both_sides(picture, factor):
    depth = detail_strength(picture)
    found = detail_strength(match_detail(picture, local_detail(0.5 + factor * (picture - 0.5))))
    assert float((found / depth).mean()) == pytest.approx(factor, abs=0.12)


def test_local_detail_holds_the_extremes_near_by(picture):
    depth, darkest, brightest = local_detail(picture).split([1, 3, 3], dim=1)
    footprint = np.ones((1, 1, 3, 3))
    torch.testing.assert_close(depth, detail_strength(picture))
    np.testing.assert_array_equal(darkest, scipy.ndimage.minimum_filter(picture.numpy(), footprint=footprint))
    np.testing.assert_array_equal(brightest, scipy.ndimage.maximum_filter(picture.numpy(), footprint=footprint))


def test_no_rims_grow_beside_a_strong_line_that_is_carried_again_and_again():
    """Lead in grey glass: a third of a pixel to the right, sharpened, and so on."""
    picture = torch.full((1, 3, *SIZE), 0.6)
    picture[..., 20:23] = 0.05
    for _ in range(12):
        picture = warp_stylized(picture, local_detail(picture), correspondence(-1 / 3, 0).flow)
    inner = picture[..., 12:-12, :]
    assert 0.05 - 1e-3 <= float(inner.min()) < 0.15
    assert float(inner.max()) <= 0.6 + 1e-3


@pytest.mark.parametrize(("factor", "wanted"), [(1.6, 1.6), (0.7, 0.7), (9.0, DEFAULT_KEYFRAMES.max_contrast_gain)])
def test_contrast_is_taken_whole_within_reason(picture, factor, wanted):
    flat = 0.5 + 0.3 * (picture - picture.mean())
    found = match_local_statistics(flat, 0.5 + 0.3 * factor * (picture - picture.mean()), ones())
    assert float(found.std() / flat.std()) == pytest.approx(wanted, rel=0.05)
