"""Keyframe propagation against loops, known motion and known detail."""

import numpy as np
import pytest
import scipy.ndimage
import torch

from style_a_video.temporal import (
    Motion,
    Reference,
    assembled,
    carried,
    detail_depth,
    fine_marks,
    guessed,
    links_to,
    next_keyframe,
)
from style_a_video.temporal.propagation import (
    ALIKE,
    COARSE_PULL,
    MOST_CONTRAST,
    Link,
    alike,
    deformation,
    drawn_towards,
    same_structure,
    softened,
    with_marks,
)
from tests.temporal.test_warp import warp_loop

SIZE = (40, 48)


def ones():
    return torch.ones(1, 1, *SIZE)


def link(x, y, mask=None):
    flow = torch.zeros(1, 2, *SIZE)
    flow[:, 0], flow[:, 1] = x, y
    return Link(flow, ones() if mask is None else mask)


def motion(x, y, mask=None):
    """Everything moves by (x, y) in a frame; trusted, both ways, where `mask` is 1."""
    trusted = ones() if mask is None else mask
    return Motion(link(-x, -y).flow, trusted, link(x, y).flow, trusted, 0 * ones())


FLAT = [torch.full((1, 3, *SIZE), light) for light in (0.0, 0.5)]
"""Two input frames of one structure that nowhere look alike."""


def still(keyframe, mask=None, frames=FLAT):
    """A keyframe with one frame after it, trusted where `mask` is 1."""
    return Reference.at(0, keyframe, frames, [motion(0, 0, mask)], [1])


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


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        (0, [(0, 0), (-1, 0), (-3, 1), (-3.5, 0.5)]),
        (1, [(1, 0), (0, 0), (-2, 1), (-2.5, 0.5)]),
        (3, [(3.5, -0.5), (2.5, -0.5), (0.5, 0.5), (0, 0)]),
    ],
)
def test_links_of_uniform_motion_add_up(place, wanted):
    found = links_to(place, FLAT[0], [motion(1.0, 0.0), motion(2.0, -1.0), motion(0.5, 0.5)])
    assert all(one.mask.shape == (1, 1, *SIZE) and bool((one.mask[..., 8:-8, 8:-8] == 1).all()) for one in found)
    assert [one.flow[0, :, 20, 24].tolist() for one in found] == [pytest.approx(flow) for flow in wanted]


def test_a_keyframe_is_carried_whole_pixels_without_loss(picture):
    """By whole steps of the windows that depth is measured in, so that it is the same before and after."""
    found = carried(picture, fine_marks(picture), link(4, -4).flow)
    torch.testing.assert_close(found[..., 14:-14, 14:-14], picture[..., 10:-18, 18:-10], atol=5e-3, rtol=0)


def test_marks_stay_as_deep_when_carried_by_half_a_pixel(picture):
    inner = np.s_[..., 12:-12, 12:-12]
    plain = torch.nn.functional.avg_pool2d(picture, 2, stride=1)
    lost = detail_depth(plain).mean() / detail_depth(picture).mean()
    kept = (
        detail_depth(carried(picture, fine_marks(picture), link(0.5, 0.5).flow))[inner].mean()
        / detail_depth(picture)[inner].mean()
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
    np.testing.assert_allclose(detail_depth(torch.from_numpy(frames))[0, 0].numpy(), wanted, rtol=1e-9)


def test_marks_as_deep_as_wanted_are_left_alone(picture):
    torch.testing.assert_close(with_marks(picture, fine_marks(picture)), picture)


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_depth_is_brought_nearer_to_what_is_wanted_from_both_sides(picture, factor):
    depth = detail_depth(picture)
    found = detail_depth(with_marks(picture, fine_marks(0.5 + factor * (picture - 0.5))))
    assert float((found / depth).mean()) == pytest.approx(factor, abs=0.12)


def test_marks_tell_of_the_extremes_near_by(picture):
    depth, darkest, brightest = fine_marks(picture).split([1, 3, 3], dim=1)
    footprint = np.ones((1, 1, 3, 3))
    torch.testing.assert_close(depth, detail_depth(picture))
    np.testing.assert_array_equal(darkest, scipy.ndimage.minimum_filter(picture.numpy(), footprint=footprint))
    np.testing.assert_array_equal(brightest, scipy.ndimage.maximum_filter(picture.numpy(), footprint=footprint))


def test_no_rims_grow_beside_a_strong_line_that_is_carried_again_and_again():
    """Lead in grey glass: a third of a pixel to the right, sharpened, and so on."""
    picture = torch.full((1, 3, *SIZE), 0.6)
    picture[..., 20:23] = 0.05
    for _ in range(12):
        picture = carried(picture, fine_marks(picture), link(-1 / 3, 0).flow)
    inner = picture[..., 12:-12, :]
    assert 0.05 - 1e-3 <= float(inner.min()) < 0.15
    assert float(inner.max()) <= 0.6 + 1e-3


def test_no_rims_grow_from_keyframe_to_keyframe():
    """Lead in grey glass, as every keyframe's own rendering has it too, somewhere else."""
    picture = torch.full((1, 3, *SIZE), 0.6)
    picture[..., 20:23] = 0.05
    rendered = picture.roll(5, dims=3)
    for _ in range(12):
        frames = [torch.full((1, 3, *SIZE), 0.5)] * 2
        picture = next_keyframe(rendered, frames[1], Reference.at(0, picture, frames, [motion(1 / 3, 0)], [1]), 1)
    inner = picture[..., 12:-12, :]
    assert float(inner.min()) < 0.2
    assert float(inner.max()) <= 0.65


@pytest.mark.parametrize(("factor", "wanted"), [(1.6, 1.6), (0.7, 0.7), (9.0, MOST_CONTRAST)])
def test_contrast_is_taken_whole_within_reason(picture, factor, wanted):
    flat = 0.5 + 0.3 * (picture - picture.mean())
    found = drawn_towards(flat, 0.5 + 0.3 * factor * (picture - picture.mean()), ones())
    assert float(found.std() / flat.std()) == pytest.approx(wanted, rel=0.05)


def test_a_keyframe_keeps_its_marks_and_half_of_the_new_colour(picture):
    found = next_keyframe(picture + 0.08, FLAT[1], still(picture), 1)
    torch.testing.assert_close(found, picture + COARSE_PULL * 0.08, atol=2e-3, rtol=0)


def test_a_change_of_light_is_followed_within_a_few_keyframes(picture):
    brighter, keyframe = picture + 0.08, picture
    for _ in range(4):
        keyframe = next_keyframe(brighter, FLAT[1], still(keyframe), 1)
    assert float((brighter - keyframe).mean()) == pytest.approx(0.08 * (1 - COARSE_PULL) ** 4, abs=1e-3)


def test_keyframes_that_come_sooner_change_less_and_as_much_in_all(picture):
    brighter, keyframe = picture + 0.08, picture
    for _ in range(8):
        keyframe = next_keyframe(brighter, FLAT[1], still(keyframe), 1, intervals=1 / 8)
    whole = next_keyframe(brighter, FLAT[1], still(picture), 1)
    torch.testing.assert_close(keyframe, whole, atol=4e-3, rtol=0)
    first = next_keyframe(brighter, FLAT[1], still(picture), 1, intervals=1 / 8)
    assert float((first - picture).mean()) == pytest.approx(0.08 * (1 - (1 - COARSE_PULL) ** (1 / 8)), abs=1e-3)


def test_a_keyframe_is_its_own_rendering_where_nothing_leads_back(picture):
    mask = ones()
    mask[..., :24] = 0
    other = 1 - picture
    found = next_keyframe(other, FLAT[1], still(picture, mask), 1)
    torch.testing.assert_close(found[..., :24], other[..., :24])
    assert (found[..., 30:] - other[..., 30:]).abs().mean() > 0.1


def test_a_keyframe_is_its_own_rendering_where_the_input_has_become_something_else(picture):
    """As in a dissolve, whose every step is trusted. A change of light alone is not something else."""
    other, frames = 1 - picture, [picture, picture.flip(3)]
    torch.testing.assert_close(
        next_keyframe(other, frames[1], still(picture, None, frames), 1), other, atol=0.02, rtol=0
    )
    darker = [picture, picture * 0.7]
    found = next_keyframe(other, darker[1], still(picture, None, darker), 1)
    assert (found - other).abs().mean() > 0.1


@pytest.mark.parametrize(("zoom", "angle", "stretch"), [(1.2, 0.3, 0.0), (1.0, -0.2, 0.5), (0.8, 0.0, -0.3)])
def test_deformation_is_what_is_neither_zoom_nor_turn(zoom, angle, stretch):
    """F(p) = (A - 1)·p, A a zoom and turn after a stretch along x: the difference of what both diagonals do, by singular values for none
    of the turn."""
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
    trusted = Reference.at(0, picture, FLAT, [tearing], [1]).ways[1].trusted
    assert float(trusted[..., :16].min()) == 1
    assert float(trusted[..., 26:].max()) == 0


def test_structure_is_told_in_the_mean_of_squares():
    """A loop over one window: (x - y)² against half of x² + y², without the mean of every pixel's own window."""
    rng = np.random.default_rng(3)
    x, noise = rng.random((2, 16, 16)) * 0.5
    for share in (0.2, 0.9):
        y = (1 - share) * x + share * noise
        pair = [torch.from_numpy(np.tile(v, (3, 2, 2)))[None] for v in (x, y)]
        found = same_structure(*pair, torch.zeros(1, 2, 32, 32, dtype=torch.float64))
        a, b = x - x.mean(), y - y.mean()
        wanted = ((a - b) ** 2).mean() < (a**2 + b**2).mean() / 2 + ALIKE**2
        assert bool(found[0, 0, 16, 16]) == wanted == (share < 0.5)


def test_a_frame_is_assembled_from_the_first_reference_then_the_next_and_what_none_shows_is_missing():
    near_mask, far_mask = ones(), ones()
    near_mask[..., 24:] = 0
    far_mask[..., 36:] = 0
    red, blue = (torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, *SIZE) for colour in ([1.0, 0, 0], [0, 0, 1.0]))
    found, missing = assembled(1, [still(red, near_mask), still(blue, far_mask)], torch.zeros_like(red))
    torch.testing.assert_close(found[..., :18], red[..., :18])
    torch.testing.assert_close(found[..., 24:30], blue[..., 24:30])
    assert float(missing[..., :30].max()) == 0
    assert float(missing[..., 36:].min()) == 1
    alone = assembled(1, [still(red, near_mask)], torch.zeros_like(red))[1]
    assert float(alone[..., 24:].min()) == 1


def test_a_share_of_what_both_show_is_the_seconds_and_the_rest_is_whose_it_was():
    near_mask, far_mask = ones(), ones()
    near_mask[..., 24:] = 0
    far_mask[..., :12] = 0
    red, blue = (torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, *SIZE) for colour in ([1.0, 0, 0], [0, 0, 1.0]))
    pair = [still(red, near_mask), still(blue, far_mask)]
    found, missing = assembled(1, pair, torch.zeros_like(red), share=0.25)
    torch.testing.assert_close(missing, assembled(1, pair, torch.zeros_like(red))[1])
    # Away from the soft borders of the masks and from the reach of the marks' depth.
    torch.testing.assert_close(found[..., :4], red[..., :4], atol=0.02, rtol=0)
    torch.testing.assert_close(found[..., 40:], blue[..., 40:], atol=0.02, rtol=0)
    torch.testing.assert_close(found[..., 17:19], 0.75 * red[..., :2] + 0.25 * blue[..., :2], atol=0.06, rtol=0)


def test_a_softened_mask_is_nowhere_above_the_mask():
    mask = (torch.rand(1, 1, *SIZE, generator=torch.Generator().manual_seed(2)) > 0.3).float()
    mask[..., 10:30, 10:40] = 1
    soft = softened(mask)
    assert bool((soft <= mask).all())
    torch.testing.assert_close(soft[..., 14:26, 14:36], torch.ones(1, 1, 12, 22))


def test_what_looks_the_same_along_the_link_is_alike(picture):
    """The picture moved by three pixels, something else in a corner, and its border gone on for where nothing was seen."""
    frame = torch.cat([picture[..., 3:], picture[..., -1:].expand(-1, -1, -1, 3)], dim=3)
    frame[..., 20:, :20] += 2 * ALIKE
    found = alike(frame, picture, link(3, 0).flow)
    assert float(found[..., :14, :45].min()) == 1
    assert float(found[..., 24:, :14].max()) == 0
    assert float(found[..., 45:].max()) == 0


def test_what_is_missing_is_the_frame_in_the_pictures_colours(picture):
    """A stylization that is an affine map of colours is found exactly, whatever the warp left where it is missing."""
    change = torch.tensor([[0.5, 0.2, 0.0], [0.1, 0.3, 0.2], [0.0, 0.1, 0.6]])
    stylized = torch.einsum("ij,bjhw->bihw", change, picture) + 0.05
    missing = torch.zeros(1, 1, *picture.shape[-2:])
    missing[..., 5:25, 8:30] = 1
    ghost = stylized * (1 - missing) + missing
    # Exact but for the little pull towards the frame's own colours.
    torch.testing.assert_close(guessed(picture, ghost, missing), stylized, atol=0.01, rtol=0)


def test_colours_of_a_large_grey_picture_are_found_too():
    generator = torch.Generator().manual_seed(0)
    grey = torch.where(torch.rand(1, 1, 900, 1600, generator=generator) < 0.5, 0.96, 0.98).expand(1, 3, -1, -1)
    missing = torch.zeros(1, 1, 900, 1600)
    missing[..., :200, :] = 1
    found = guessed(grey, 0.5 * grey + 0.1, missing)
    torch.testing.assert_close(found, 0.5 * grey + 0.1, atol=1e-3, rtol=0)


def test_a_frame_of_which_nothing_is_known_is_itself(picture):
    torch.testing.assert_close(guessed(picture, torch.rand_like(picture), torch.ones_like(picture[:, :1])), picture)
