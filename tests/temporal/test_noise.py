"""Warped noise: still standard normal and white after a hundred frames, and it does move with the picture."""

import pytest
import torch

import style_a_video as sav


def turning_zoom(height, width, angle=0.02, zoom=1.01):
    """Forward flow (1, 2, H, W) of a picture that turns and grows about its centre."""
    y, x = torch.meshgrid(torch.arange(height) - height / 2, torch.arange(width) - width / 2, indexing="ij")
    c, s = zoom * torch.cos(torch.tensor(angle)), zoom * torch.sin(torch.tensor(angle))
    return torch.stack([c * x - s * y - x, s * x + c * y - y])[None]


def noise_of(height=24, width=32, channels=4, fineness=4):
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(1, channels, height, width, generator=generator)
    return first, sav.temporal.WarpedNoise(first, generator, fineness)


@pytest.mark.parametrize("fineness", [1, 4])
def test_the_first_frame_gets_the_noise_that_was_given(fineness):
    first, noise = noise_of(fineness=fineness)
    torch.testing.assert_close(noise.latents(), first)


@pytest.mark.parametrize("zoom", [0.985, 1.0, 1.015])
def test_standard_normal_and_white_after_a_hundred_frames(zoom):
    _, noise = noise_of()
    flow, trusted = turning_zoom(96, 128, zoom=zoom), torch.ones(1, 1, 96, 128)
    for _ in range(100):
        noise.advance(flow, trusted)
    z = noise.latents()[0]
    count = z.numel()
    assert abs(z.mean()) < 4 / count**0.5
    assert abs(z.var() - 1) < 4 * (2 / count) ** 0.5
    for a, b in ((z[:, 1:], z[:, :-1]), (z[..., 1:], z[..., :-1]), (z[:1], z[1:2])):
        assert abs((a * b).mean()) < 4 / a.numel() ** 0.5
    fourth_moment = (z**4).mean()
    assert abs(fourth_moment - 3) < 4 * (96 / count) ** 0.5


def test_it_follows_motion_far_below_a_cell():
    first, noise = noise_of()
    flow, trusted = torch.zeros(1, 2, 96, 128), torch.ones(1, 1, 96, 128)
    flow[:, 0] = 0.25  # a sixteenth of a latent cell a frame
    for _ in range(32):  # 8 pixels: two cells
        noise.advance(flow, trusted)
    moved = noise.latents()
    torch.testing.assert_close(moved[..., 2:], first[..., :-2])
    assert abs((moved[..., :2] * first[..., :2]).mean()) < 0.3


def test_half_a_cell_is_half_of_each_neighbour():
    first, noise = noise_of(fineness=2)
    flow = torch.zeros(1, 2, 96, 128)
    flow[:, 0] = 2.0
    noise.advance(flow, torch.ones(1, 1, 96, 128))
    moved = noise.latents()
    for neighbour in (first[..., 1:], first[..., :-1]):
        correlation = (moved[..., 1:] * neighbour).mean()
        assert 0.4 < correlation < 0.6


def test_what_is_covered_ends_and_what_appears_is_fresh():
    first, noise = noise_of()
    trusted = torch.ones(1, 1, 96, 128)
    trusted[..., 64:] = 0
    noise.advance(torch.zeros(1, 2, 96, 128), trusted)
    z = noise.latents()
    torch.testing.assert_close(z[..., :16], first[..., :16])
    assert abs((z[..., 16:] * first[..., 16:]).mean()) < 4 / z[..., 16:].numel() ** 0.5


def test_particles_that_meet_are_not_mixed():
    _, noise = noise_of(fineness=1)
    before = noise.values.clone()
    flow = torch.zeros(1, 2, 24, 32)
    flow[:, 0, :, 0] = 1.0  # the first column moves onto the second, which stays
    noise.advance(flow, torch.ones(1, 1, 24, 32))
    torch.testing.assert_close(noise.values[..., 2:], before[..., 2:])
    one_of_both = (noise.values[..., 1] == before[..., 1]) | (noise.values[..., 1] == before[..., 0])
    assert one_of_both.all()
    assert (noise.values[..., 0] != before[..., 0]).all()
