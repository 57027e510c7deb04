"""Warping error and temporal loss against NumPy loops written from the equations, and answers that are known."""

import numpy as np
import pytest
import torch

import style_a_video as sav
from style_a_video.evaluation import flows_at_distance, flows_to_first
from tests.temporal.test_warp import warp_loop


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def random_case(rng, count=4, height=8, width=11):
    frames = rng.random((count, 3, height, width))
    flows = [rng.normal(0, 2, (count - 1, 2, height, width)) for _ in range(2)]
    masks = [(rng.random((count - 1, 1, height, width)) < 0.7).astype(float) for _ in range(2)]
    return frames, flows[0], masks[0], flows[1], masks[1]


def tensors(*arrays):
    return [torch.from_numpy(np.asarray(array)) for array in arrays]


def pair_loop(now, other, flow, mask):
    return (mask * np.abs(now - warp_loop(other, flow)).mean(axis=0)).sum() / mask.sum()


def test_warp_error_equals_the_loop(rng):
    frames, flows, masks, flows_first, masks_first = random_case(rng)
    wanted = 0.0
    for t in range(1, len(frames)):
        wanted += pair_loop(frames[t], frames[0], flows_first[t - 1], masks_first[t - 1])
        wanted += pair_loop(frames[t], frames[t - 1], flows[t - 1], masks[t - 1])
    wanted /= len(frames) - 1
    found = sav.evaluation.warp_error(*tensors(frames, flows, masks, flows_first, masks_first))
    assert found == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("distance", [1, 2])
def test_temporal_loss_equals_the_loop(rng, distance):
    frames, flows, masks, _, _ = random_case(rng)
    flows, masks = flows[: 4 - distance], masks[: 4 - distance]
    wanted = [
        (masks[n] * np.abs(frames[n + distance] - warp_loop(frames[n], flows[n])).mean(axis=0)).mean()
        for n in range(4 - distance)
    ]
    found = sav.evaluation.temporal_loss(*tensors(frames, flows, masks))
    assert found == pytest.approx(np.mean(wanted), abs=1e-9)


def test_a_video_that_follows_its_flow_scores_zero(rng):
    still = np.repeat(rng.random((1, 3, 8, 9)), 5, axis=0)
    flows, masks = np.zeros((4, 2, 8, 9)), np.ones((4, 1, 8, 9))
    assert sav.evaluation.warp_error(*tensors(still, flows, masks, flows, masks)) < 1e-12
    wide = rng.random((3, 8, 20))
    panned = np.stack([wide[:, :, k : k + 12] for k in range(5)])
    flows = np.zeros((4, 2, 8, 12))
    flows[:, 0] = 1.0
    masks = np.ones((4, 1, 8, 12))
    masks[..., -1] = 0
    assert sav.evaluation.temporal_loss(*tensors(panned, flows, masks)) < 1e-12


def test_a_video_that_moves_by_half_pixels_scores_its_interpolation(rng):
    """A wave under a pan of half a pixel a frame: a bilinear sample half-way between two of its values is off by (1 −
    cos(π/λ)) of its depth, so that much of it is left, at every odd distance to the first frame too."""
    wavelength, x = 16.0, np.arange(48)
    wave = [0.5 + 0.4 * np.sin(2 * np.pi * (x + 0.5 * k) / wavelength) for k in range(5)]
    frames = np.broadcast_to(np.stack(wave)[:, None, None], (5, 3, 8, 48)).copy()
    # Frame t shows at x what frame t − 1 has at x + 0.5.
    flows, flows_first = np.zeros((4, 2, 8, 48)), np.zeros((4, 2, 8, 48))
    flows[:, 0], flows_first[:, 0] = 0.5, 0.5 * np.arange(1, 5)[:, None, None]
    masks = np.ones((4, 1, 8, 48))
    masks[..., -3:] = 0
    lost = 0.4 * (1 - np.cos(np.pi / wavelength)) * 2 / np.pi
    found = sav.evaluation.warp_error(*tensors(frames, flows, masks, flows_first, masks))
    assert found == pytest.approx(1.5 * lost, rel=0.05)
    still = np.zeros_like(flows)
    assert sav.evaluation.warp_error(*tensors(frames, still, masks, still, masks)) > 20 * found


def test_white_noise_scores_a_third(rng):
    """|a − b| of two independent values uniform in [0, 1] is 1/3 in the mean: both terms of E_warp."""
    frames = rng.random((4, 3, 64, 64))
    flows, masks = np.zeros((3, 2, 64, 64)), np.ones((3, 1, 64, 64))
    assert sav.evaluation.warp_error(*tensors(frames, flows, masks, flows, masks)) == pytest.approx(2 / 3, abs=0.01)
    masks[..., 32:] = 0
    assert sav.evaluation.temporal_loss(*tensors(frames, flows, masks)) == pytest.approx(1 / 6, abs=0.005)


def test_an_empty_mask_is_said(rng):
    frames, flows, masks, flows_first, masks_first = random_case(rng)
    masks[1] = 0
    with pytest.raises(sav.InputError, match="pair 1 has no trusted pixel"):
        sav.evaluation.warp_error(*tensors(frames, flows, masks, flows_first, masks_first))


def test_shapes_that_do_not_fit(rng):
    frames, flows, masks, flows_first, masks_first = tensors(*random_case(rng))
    with pytest.raises(sav.InputError, match="masks are"):
        sav.evaluation.warp_error(frames, flows, masks[..., :-1], flows_first, masks_first)
    with pytest.raises(sav.InputError, match="flows are"):
        sav.evaluation.warp_error(frames, flows[:-1], masks, flows_first, masks_first)
    with pytest.raises(sav.InputError, match="2 or more"):
        sav.evaluation.warp_error(frames[:1], flows[:0], masks[:0], flows_first[:0], masks_first[:0])
    for distance in (0, len(frames)):
        with pytest.raises(sav.InputError, match="give 1 to"):
            sav.evaluation.flows_at_distance(sav.temporal.dis_flow(), frames, distance)
    with pytest.raises(sav.InputError, match="give 2 or more"):
        sav.evaluation.flows_to_first(sav.temporal.dis_flow(), frames[:1])
    with pytest.raises(sav.InputError, match="4 frames"):
        sav.evaluation.temporal_loss(frames, torch.zeros(4, 2, 8, 11), torch.zeros(4, 1, 8, 11))


def test_flows_of_the_input_video(rng):
    def fake(frames, others):
        return (frames - others)[:, :2] * 0 + (frames - others).mean(dim=(1, 2, 3), keepdim=True)

    frames = torch.arange(5.0).view(5, 1, 1, 1).expand(5, 3, 16, 16) / 10
    for flows, masks, wanted in (
        (*flows_at_distance(fake, frames, 2), [0.2, 0.2, 0.2]),
        (*flows_to_first(fake, frames), [0.1, 0.2, 0.3, 0.4]),
    ):
        assert masks.shape == (len(wanted), 1, 16, 16)
        torch.testing.assert_close(flows[:, 0, 0, 0], torch.tensor(wanted))
