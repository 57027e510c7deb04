"""Known affine motion: its flow against the points themselves, and what was seen before."""

from __future__ import annotations

import numpy as np

from style_a_video.affine import affine_flow, sample, seen_before, similarity

ORIGIN = np.zeros(2)


def test_the_flow_leads_back_to_where_the_point_was() -> None:
    """A point of the texture, found by hand in both frames."""
    before = similarity(1.2, 0.1, np.array([3.0, 4.0]), np.array([20.0, 10.0]))
    now = similarity(1.1, -0.2, np.array([5.0, 2.0]), np.array([21.0, 12.0]))
    flow = affine_flow(now, before, 16, 12)
    for x, y in ((0, 0), (7, 3), (15, 11)):
        texture_point = now @ [x, y, 1]
        there = np.linalg.solve(before, texture_point)[:2]
        np.testing.assert_allclose([x, y] + flow[:, y, x], there, atol=1e-9)


def test_a_similarity_turns_scales_and_moves() -> None:
    matrix = similarity(2.0, np.pi / 2, np.array([1.0, 1.0]), np.array([10.0, 20.0]))
    np.testing.assert_allclose(matrix @ [1, 1, 1], [10, 20, 1])
    np.testing.assert_allclose(matrix @ [2, 1, 1], [10, 22, 1], atol=1e-12)


def test_a_texture_is_sampled_at_whole_pixels_without_loss() -> None:
    texture = np.random.default_rng(0).random((20, 30, 3)).astype(np.float32)
    shifted = sample(texture, similarity(1.0, 0.0, ORIGIN, np.array([4.0, 3.0])), 10, 8)
    np.testing.assert_allclose(shifted, texture[3:11, 4:14], atol=1e-6)


def test_what_comes_in_at_the_border_or_from_behind_was_not_seen() -> None:
    flow = np.zeros((2, 4, 6))
    flow[0] = 2.0
    now, before = np.zeros((4, 6), bool), np.zeros((4, 6), bool)
    before[:, 3] = True
    found = seen_before(flow, now, before)
    assert found.tolist() == [[True, False, True, True, False, False]] * 4
