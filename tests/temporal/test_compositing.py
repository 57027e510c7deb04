"""What a frame takes from others: known masks, known colours, known marks."""

import pytest
import torch

from style_a_video.settings import DEFAULT_KEYFRAMES
from style_a_video.temporal import (
    composite,
    fill_missing,
    local_detail,
    next_keyframe,
    reference_frame,
    warp_stylized,
)
from tests.temporal.helpers import FLAT, SIZE, correspondence, motion, ones


def still(keyframe, mask=None, frames=FLAT):
    """A keyframe with one frame after it, trusted where `mask` is 1."""
    return reference_frame(0, keyframe, frames, [motion(0, 0, mask)], [1])


def test_a_keyframe_is_carried_whole_pixels_without_loss(picture):
    """By whole steps of the windows that depth is measured in, so that it is the same before and after."""
    found = warp_stylized(picture, local_detail(picture), correspondence(4, -4).flow)
    torch.testing.assert_close(found[..., 14:-14, 14:-14], picture[..., 10:-18, 18:-10], atol=5e-3, rtol=0)


def test_no_rims_grow_from_keyframe_to_keyframe():
    """Lead in grey glass, as every keyframe's own rendering has it too, somewhere else."""
    picture = torch.full((1, 3, *SIZE), 0.6)
    picture[..., 20:23] = 0.05
    rendered = picture.roll(5, dims=3)
    for _ in range(12):
        frames = [torch.full((1, 3, *SIZE), 0.5)] * 2
        picture = next_keyframe(rendered, frames[1], reference_frame(0, picture, frames, [motion(1 / 3, 0)], [1]), 1)
    inner = picture[..., 12:-12, :]
    assert float(inner.min()) < 0.2
    assert float(inner.max()) <= 0.65


def test_a_keyframe_keeps_its_marks_and_half_of_the_new_colour(picture):
    found = next_keyframe(picture + 0.08, FLAT[1], still(picture), 1)
    torch.testing.assert_close(found, picture + DEFAULT_KEYFRAMES.color_pull * 0.08, atol=2e-3, rtol=0)


def test_a_change_of_light_is_followed_within_a_few_keyframes(picture):
    brighter, keyframe = picture + 0.08, picture
    for _ in range(4):
        keyframe = next_keyframe(brighter, FLAT[1], still(keyframe), 1)
    assert float((brighter - keyframe).mean()) == pytest.approx(
        0.08 * (1 - DEFAULT_KEYFRAMES.color_pull) ** 4, abs=1e-3
    )


def test_keyframes_that_come_sooner_change_less_and_as_much_in_all(picture):
    brighter, keyframe = picture + 0.08, picture
    for _ in range(8):
        keyframe = next_keyframe(brighter, FLAT[1], still(keyframe), 1, intervals=1 / 8)
    whole = next_keyframe(brighter, FLAT[1], still(picture), 1)
    torch.testing.assert_close(keyframe, whole, atol=4e-3, rtol=0)
    first = next_keyframe(brighter, FLAT[1], still(picture), 1, intervals=1 / 8)
    assert float((first - picture).mean()) == pytest.approx(
        0.08 * (1 - (1 - DEFAULT_KEYFRAMES.color_pull) ** (1 / 8)), abs=1e-3
    )


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


def test_a_frame_is_composed_of_the_first_reference_then_the_next_and_what_none_shows_is_missing():
    near_mask, far_mask = ones(), ones()
    near_mask[..., 24:] = 0
    far_mask[..., 36:] = 0
    red, blue = (torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, *SIZE) for colour in ([1.0, 0, 0], [0, 0, 1.0]))
    found, missing = composite(1, [still(red, near_mask), still(blue, far_mask)], torch.zeros_like(red))
    torch.testing.assert_close(found[..., :18], red[..., :18])
    torch.testing.assert_close(found[..., 24:30], blue[..., 24:30])
    assert float(missing[..., :30].max()) == 0
    assert float(missing[..., 36:].min()) == 1
    alone = composite(1, [still(red, near_mask)], torch.zeros_like(red))[1]
    assert float(alone[..., 24:].min()) == 1


def test_a_share_of_what_both_show_is_the_seconds_and_the_rest_is_whose_it_was():
    near_mask, far_mask = ones(), ones()
    near_mask[..., 24:] = 0
    far_mask[..., :12] = 0
    red, blue = (torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, *SIZE) for colour in ([1.0, 0, 0], [0, 0, 1.0]))
    pair = [still(red, near_mask), still(blue, far_mask)]
    found, missing = composite(1, pair, torch.zeros_like(red), fade=0.25)
    torch.testing.assert_close(missing, composite(1, pair, torch.zeros_like(red))[1])
    # Away from the soft borders of the masks and from the reach of the marks' depth.
    torch.testing.assert_close(found[..., :4], red[..., :4], atol=0.02, rtol=0)
    torch.testing.assert_close(found[..., 40:], blue[..., 40:], atol=0.02, rtol=0)
    torch.testing.assert_close(found[..., 17:19], 0.75 * red[..., :2] + 0.25 * blue[..., :2], atol=0.06, rtol=0)


def test_what_is_missing_is_the_frame_in_the_pictures_colours(picture):
    """A stylization that is an affine map of colours is found exactly, whatever the warp left where it is missing."""
    change = torch.tensor([[0.5, 0.2, 0.0], [0.1, 0.3, 0.2], [0.0, 0.1, 0.6]])
    stylized = torch.einsum("ij,bjhw->bihw", change, picture) + 0.05
    missing = torch.zeros(1, 1, *picture.shape[-2:])
    missing[..., 5:25, 8:30] = 1
    ghost = stylized * (1 - missing) + missing
    # Exact but for the little pull towards the frame's own colours.
    torch.testing.assert_close(fill_missing(picture, ghost, missing), stylized, atol=0.01, rtol=0)


def test_colours_of_a_large_grey_picture_are_found_too():
    generator = torch.Generator().manual_seed(0)
    grey = torch.where(torch.rand(1, 1, 900, 1600, generator=generator) < 0.5, 0.96, 0.98).expand(1, 3, -1, -1)
    missing = torch.zeros(1, 1, 900, 1600)
    missing[..., :200, :] = 1
    found = fill_missing(grey, 0.5 * grey + 0.1, missing)
    torch.testing.assert_close(found, 0.5 * grey + 0.1, atol=1e-3, rtol=0)


def test_a_frame_of_which_nothing_is_known_is_itself(picture):
    torch.testing.assert_close(
        fill_missing(picture, torch.rand_like(picture), torch.ones_like(picture[:, :1])), picture
    )
