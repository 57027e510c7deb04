"""Keyframe propagation against loops, known motion and known detail."""

import numpy as np
import pytest
import torch

from style_a_video.temporal import (
    Link,
    Motion,
    between,
    carried,
    detail_depth,
    guessed,
    links_ahead,
    links_back,
    next_keyframe,
)
from style_a_video.temporal.propagation import COARSE_PULL, drawn_towards, with_detail
from tests.temporal.test_warp import warp_loop

SIZE = (40, 48)


def ones():
    return torch.ones(1, 1, *SIZE)


def link(x, y, mask=None):
    flow = torch.zeros(1, 2, *SIZE)
    flow[:, 0], flow[:, 1] = x, y
    return Link(flow, ones() if mask is None else mask)


def motion(x, y):
    """Everything moves by (x, y) in a frame."""
    step, back = link(x, y).flow, link(-x, -y).flow
    return Motion(back, ones(), step, ones(), 0 * ones())


@pytest.fixture
def picture():
    grain = torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(grain, SIZE, mode="bicubic").clamp(0.1, 0.9)


def test_links_are_composed_as_the_equation_says():
    rng = np.random.default_rng(0)
    first, second = rng.uniform(-3, 3, (2, 2, *SIZE))
    masks = (rng.random((2, 1, *SIZE)) > 0.2).astype(float)
    near, far = (
        Link(torch.from_numpy(flow)[None], torch.from_numpy(mask)[None])
        for flow, mask in zip((first, second), masks, strict=True)
    )
    found = near.beyond(far)
    np.testing.assert_allclose(found.flow[0].numpy(), first + warp_loop(second, first), atol=1e-9)
    np.testing.assert_array_equal(found.mask[0].numpy(), (masks[0] * warp_loop(masks[1], first)) > 0.9)


def test_links_of_uniform_motion_add_up():
    motions = [motion(1.0, 0.0), motion(2.0, -1.0), motion(0.5, 0.5)]
    back, ahead = links_back(motions), links_ahead(motions)
    for found, wanted in zip(back, [(-1, 0), (-3, 1), (-3.5, 0.5)], strict=True):
        assert found.flow[0, :, 20, 24].tolist() == pytest.approx(wanted)
    for found, wanted in zip(ahead, [(3.5, -0.5), (2.5, -0.5), (0.5, 0.5)], strict=True):
        assert found.flow[0, :, 20, 24].tolist() == pytest.approx(wanted)


def test_a_keyframe_is_carried_whole_pixels_without_loss(picture):
    found = carried(picture, link(3, -2))
    torch.testing.assert_close(found[..., 12:-12, 12:-12], picture[..., 10:-14, 15:-9], atol=2e-3, rtol=0)


def test_marks_stay_as_deep_when_carried_by_half_a_pixel(picture):
    inner = np.s_[..., 12:-12, 12:-12]
    plain = torch.nn.functional.avg_pool2d(picture, 2, stride=1)
    lost = detail_depth(plain).mean() / detail_depth(picture).mean()
    kept = detail_depth(carried(picture, link(0.5, 0.5)))[inner].mean() / detail_depth(picture)[inner].mean()
    assert lost < 0.75
    assert kept > 0.9


def test_detail_is_the_deviation_of_the_laplacian():
    rng = np.random.default_rng(1)
    frames = rng.random((1, 3, 9, 9))
    grey = np.pad(frames[0].mean(0), 1, mode="edge")
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    found = detail_depth(torch.from_numpy(frames), window=17)
    assert float(found[0, 0, 4, 4]) == pytest.approx(np.sqrt((laplacian**2).mean() + 1e-5))


def test_marks_as_deep_as_wanted_are_left_alone(picture):
    torch.testing.assert_close(with_detail(picture, detail_depth(picture)), picture)


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_depth_is_brought_nearer_to_what_is_wanted_from_both_sides(picture, factor):
    depth = detail_depth(picture)
    found = detail_depth(with_detail(picture, depth * factor))
    assert float((found / depth).mean()) == pytest.approx(factor, abs=0.12)


def test_contrast_is_drawn_half_way_too(picture):
    """In the geometric mean, for a picture alike everywhere."""
    flat = 0.5 + 0.25 * (picture - picture.mean())
    found = drawn_towards(flat, 0.5 + (picture - picture.mean()), ones())
    assert float(found.std() / flat.std()) == pytest.approx(2.0, rel=0.05)


def test_a_keyframe_keeps_its_marks_and_half_of_the_new_colour(picture):
    brighter = picture + 0.08
    found = next_keyframe(brighter, picture, link(0, 0))
    torch.testing.assert_close(found, picture + COARSE_PULL * 0.08, atol=2e-3, rtol=0)


def test_a_change_of_light_is_followed_within_a_few_keyframes(picture):
    brighter, keyframe = picture + 0.08, picture
    for _ in range(4):
        keyframe = next_keyframe(brighter, keyframe, link(0, 0))
    assert float((brighter - keyframe).mean()) == pytest.approx(0.08 * (1 - COARSE_PULL) ** 4, abs=1e-3)


def test_a_keyframe_is_its_own_rendering_where_nothing_leads_back(picture):
    mask = ones()
    mask[..., :24] = 0
    other = 1 - picture
    found = next_keyframe(other, picture, link(0, 0, mask))
    torch.testing.assert_close(found[..., :20], other[..., :20])
    assert (found[..., 30:] - other[..., 30:]).abs().mean() > 0.1


def test_between_takes_the_nearer_then_the_farther_then_says_what_is_missing(picture):
    near_mask, far_mask = ones(), ones()
    near_mask[..., 24:] = 0
    far_mask[..., 36:] = 0
    red, blue = (torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, *SIZE) for colour in ([1.0, 0, 0], [0, 0, 1.0]))
    found, missing = between((red, link(0, 0, near_mask)), (blue, link(0, 0, far_mask)))
    torch.testing.assert_close(found[..., :20], red[..., :20])
    torch.testing.assert_close(found[..., 28:32], blue[..., 28:32])
    assert float(missing[..., :32].max()) == 0
    assert float(missing[..., 40:].min()) == 1
    alone = between((red, link(0, 0, near_mask)), None)[1]
    assert float(alone[..., 28:].min()) == 1


def test_what_is_missing_is_the_frame_in_the_pictures_colours(picture):
    """A stylization that is an affine map of colours is found exactly, whatever the warp left where it is missing."""
    change = torch.tensor([[0.5, 0.2, 0.0], [0.1, 0.3, 0.2], [0.0, 0.1, 0.6]])
    stylized = torch.einsum("ij,bjhw->bihw", change, picture) + 0.05
    missing = torch.zeros(1, 1, *picture.shape[-2:])
    missing[..., 5:25, 8:30] = 1
    ghost = stylized * (1 - missing) + missing
    # Exact but for the little pull towards the frame's own colours.
    torch.testing.assert_close(guessed(picture, ghost, missing), stylized, atol=0.01, rtol=0)


def test_a_frame_of_which_nothing_is_known_is_itself(picture):
    torch.testing.assert_close(guessed(picture, torch.rand_like(picture), torch.ones_like(picture[:, :1])), picture)
