"""Correspondences against loops and known motion."""

import numpy as np
import pytest
import torch

from style_a_video.settings import DEFAULT_KEYFRAMES
from style_a_video.temporal import (
    Motion,
    correspondences_to,
    reference_frame,
)
from style_a_video.temporal.correspondence import Correspondence, compose, deformation, looks_alike, same_structure
from tests.temporal.helpers import FLAT, SIZE, correspondence, motion, ones
from tests.temporal.test_warp import warp_loop


def test_correspondences_are_composed_as_the_equation_says():
    rng = np.random.default_rng(0)
    first, second = rng.uniform(-3, 3, (2, 2, *SIZE))
    masks = (rng.random((2, 1, *SIZE)) > 0.2).astype(float)
    near, far = (
        Correspondence(torch.from_numpy(flow)[None], torch.from_numpy(mask)[None])
        for flow, mask in zip((first, second), masks, strict=True)
    )
    found = compose(near, far)
    np.testing.assert_allclose(found.flow[0].numpy(), first + warp_loop(second, first), atol=1e-9)
    np.testing.assert_array_equal(found.trust[0].numpy(), (masks[0] * warp_loop(masks[1], first)) > 0.9)


@pytest.mark.parametrize(
    ("index", "wanted"),
    [
        (0, [(0, 0), (-1, 0), (-3, 1), (-3.5, 0.5)]),
        (1, [(1, 0), (0, 0), (-2, 1), (-2.5, 0.5)]),
        (3, [(3.5, -0.5), (2.5, -0.5), (0.5, 0.5), (0, 0)]),
    ],
)
def test_correspondences_of_uniform_motion_add_up(index, wanted):
    found = correspondences_to(index, FLAT[0], [motion(1.0, 0.0), motion(2.0, -1.0), motion(0.5, 0.5)])
    assert all(one.trust.shape == (1, 1, *SIZE) and bool((one.trust[..., 8:-8, 8:-8] == 1).all()) for one in found)
    assert [one.flow[0, :, 20, 24].tolist() for one in found] == [pytest.approx(flow) for flow in wanted]


@pytest.mark.parametrize(("zoom", "angle", "stretch"), [(1.2, 0.3, 0.0), (1.0, -0.2, 0.5), (0.8, 0.0, -0.3)])
def test_deformation_is_what_is_neither_zoom_nor_turn(zoom, angle, stretch):
    """F(p) = (A - 1)·p, A a zoom and turn after a stretch along x: the difference of what both diagonals do, by
    singular values for none of the turn."""
    turned = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    whole = turned @ np.diag([1 + stretch, 1.0])
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    flow = torch.from_numpy(np.einsum("ij,jhw->ihw", whole - np.eye(2), np.stack([x, y])))[None]
    found = deformation(flow + 7)[..., 6:-6, 6:-6]
    longest, shortest = np.linalg.svd(whole)[1]
    torch.testing.assert_close(found, torch.full_like(found, float(longest - shortest)))


def test_nothing_is_taken_along_a_flow_that_tears(picture):
    """Columns that slide apart by two pixels each, trusted both ways."""
    still_motion = motion(0, 0)
    torn = still_motion.backward.clone()
    torn[:, 0, :, 24:] = 2 * torch.arange(24.0)
    tearing = Motion(torn, ones(), still_motion.forward, ones(), 0 * ones())
    trusted = reference_frame(0, picture, FLAT, [tearing], [1]).correspondences[1].trust
    assert float(trusted[..., :16].min()) == 1
    assert float(trusted[..., 26:].max()) == 0


def test_structure_is_compared_in_the_mean_of_squares():
    """A loop over one window: (x - y)² against half of x² + y², without the mean of every pixel's own window."""
    rng = np.random.default_rng(3)
    x, noise = rng.random((2, 16, 16)) * 0.5
    for share in (0.2, 0.9):
        y = (1 - share) * x + share * noise
        pair = [torch.from_numpy(np.tile(v, (3, 2, 2)))[None] for v in (x, y)]
        found = same_structure(*pair, torch.zeros(1, 2, 32, 32, dtype=torch.float64))
        a, b = x - x.mean(), y - y.mean()
        wanted = ((a - b) ** 2).mean() < (a**2 + b**2).mean() / 2 + DEFAULT_KEYFRAMES.similarity_tolerance**2
        assert bool(found[0, 0, 16, 16]) == wanted == (share < 0.5)


def test_what_looks_the_same_along_the_flow_is_alike(picture):
    """The picture moved by three pixels, something else in a corner, and its border gone on for where nothing was
    seen."""
    frame = torch.cat([picture[..., 3:], picture[..., -1:].expand(-1, -1, -1, 3)], dim=3)
    frame[..., 20:, :20] += 2 * DEFAULT_KEYFRAMES.similarity_tolerance
    found = looks_alike(frame, picture, correspondence(3, 0).flow)
    assert float(found[..., :14, :45].min()) == 1
    assert float(found[..., 24:, :14].max()) == 0
    assert float(found[..., 45:].max()) == 0
