"""Backward warp and occlusion mask against loops written from the equations."""

import numpy as np
import pytest
import torch

import style_a_video as sav


def warp_loop(image, flow):
    """(C, H, W), (2, H, W): bilinear sample at p + flow(p), positions clamped to the picture."""
    channels, height, width = image.shape
    result = np.zeros((channels, height, width))
    for y in range(height):
        for x in range(width):
            px = min(max(x + flow[0, y, x], 0), width - 1)
            py = min(max(y + flow[1, y, x], 0), height - 1)
            x0, y0 = int(np.floor(px)), int(np.floor(py))
            x1, y1 = min(x0 + 1, width - 1), min(y0 + 1, height - 1)
            ax, ay = px - x0, py - y0
            result[:, y, x] = (1 - ay) * ((1 - ax) * image[:, y0, x0] + ax * image[:, y0, x1]) + ay * (
                (1 - ax) * image[:, y1, x0] + ax * image[:, y1, x1]
            )
    return result


def mask_loop(forward, backward):
    _, height, width = backward.shape
    there = warp_loop(forward, backward)
    result = np.zeros((1, height, width))
    for y in range(height):
        for x in range(width):
            bw, fw = backward[:, y, x], there[:, y, x]
            consistent = ((bw + fw) ** 2).sum() < 0.01 * ((bw**2).sum() + (fw**2).sum()) + 0.5
            inside = -0.5 <= x + bw[0] <= width - 0.5 and -0.5 <= y + bw[1] <= height - 0.5
            result[0, y, x] = consistent and inside
    return result


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_warp_equals_the_loop(rng):
    image, flow = rng.random((2, 3, 9, 13)), rng.normal(0, 4, (2, 2, 9, 13))
    found = sav.temporal.backward_warp(torch.from_numpy(image), torch.from_numpy(flow)).numpy()
    wanted = np.stack([warp_loop(i, f) for i, f in zip(image, flow, strict=True)])
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_whole_pixel_motion_is_a_shift(rng):
    image = torch.from_numpy(rng.random((1, 3, 8, 10)))
    flow = torch.zeros(1, 2, 8, 10, dtype=torch.float64)
    flow[:, 0], flow[:, 1] = 2, -1
    found = sav.temporal.backward_warp(image, flow)
    torch.testing.assert_close(found[..., 1:, :-2], image[..., :-1, 2:])


def test_mask_equals_the_loop(rng):
    backward = rng.normal(1.0, 0.4, (3, 2, 11, 9))
    forward = -backward + rng.normal(0, 0.3, backward.shape)
    found = sav.temporal.occlusion_mask(torch.from_numpy(forward), torch.from_numpy(backward)).numpy()
    wanted = np.stack([mask_loop(f, b) for f, b in zip(forward, backward, strict=True)])
    assert 0.2 < wanted.mean() < 0.8
    np.testing.assert_array_equal(found, wanted)


def test_what_comes_into_the_picture_is_not_trusted():
    flow = torch.zeros(1, 2, 6, 8)
    flow[:, 0] = 3.0  # the camera pans right: frame f shows, at x, what was at x + 3
    mask = sav.temporal.occlusion_mask(-flow, flow)
    assert mask[..., :-3].eq(1).all()
    assert mask[..., -3:].eq(0).all()


def test_a_still_picture_is_trusted_everywhere():
    flow = torch.zeros(2, 2, 5, 7)
    assert sav.temporal.occlusion_mask(flow, flow).eq(1).all()


@pytest.mark.parametrize(
    ("image", "flow"),
    [
        ((1, 3, 4, 4), (1, 2, 4, 5)),
        ((1, 3, 4, 4), (1, 3, 4, 4)),
        ((3, 4, 4), (1, 2, 4, 4)),
        ((2, 3, 4, 4), (1, 2, 4, 4)),
    ],
)
def test_shapes_that_do_not_fit(image, flow):
    with pytest.raises(ValueError, match="expected"):
        sav.temporal.backward_warp(torch.zeros(image), torch.zeros(flow))


def test_positions_need_more_bits_than_half_precision_has():
    with pytest.raises(ValueError, match="float32"):
        sav.temporal.backward_warp(torch.zeros(1, 3, 4, 4, dtype=torch.bfloat16), torch.zeros(1, 2, 4, 4))
