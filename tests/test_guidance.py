"""Guidance against NumPy loops written from its text, and the laws that both forms obey."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from style_a_video.guidance import (
    BOTH,
    IMAGE,
    MASK,
    TEXT,
    UNCONDITIONAL,
    branch_weights,
    combine,
    combine_independent,
    combine_joint,
)

SCALE = st.floats(-10, 10, allow_nan=False)


def _predictions(seed: int = 0) -> list[torch.Tensor]:
    return [
        torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(seed + k), dtype=torch.float64)
        for k in range(4)
    ]


@pytest.mark.parametrize("scales", [(1.5, 7.5, 0.5), (0.0, 3.0, 0.0), (1.0, 1.0, 1.0), (-2.0, 0.3, 4.0)])
def test_independent_is_the_papers_equation(scales: tuple[float, float, float]) -> None:
    s_image, s_text, s_mask = scales
    none, image, text, mask = (p.numpy() for p in _predictions())
    expected = np.empty_like(none)
    for index in np.ndindex(none.shape):
        expected[index] = (
            (1 - s_image - s_text - s_mask) * none[index]
            + s_image * image[index]
            + s_text * text[index]
            + s_mask * mask[index]
        )
    actual = combine_independent(*_predictions(), s_image, s_text, s_mask)
    np.testing.assert_allclose(actual.numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("scales", [(1.5, 7.5, 0.5), (0.0, 3.0, 0.0), (1.0, 1.0, 1.0), (-2.0, 0.3, 4.0)])
def test_joint_is_the_nested_equation(scales: tuple[float, float, float]) -> None:
    s_image, s_text, s_mask = scales
    none, image, both, mask = (p.numpy() for p in _predictions())
    expected = np.empty_like(none)
    for index in np.ndindex(none.shape):
        expected[index] = (
            none[index]
            + s_image * (image[index] - none[index])
            + s_text * (both[index] - image[index])
            + s_mask * (mask[index] - none[index])
        )
    actual = combine_joint(*_predictions(), s_image, s_text, s_mask)
    np.testing.assert_allclose(actual.numpy(), expected, atol=1e-5)


@given(st.sampled_from(["independent", "joint"]), SCALE, SCALE, SCALE)
def test_weights_add_up_to_one(guidance: str, s_image: float, s_text: float, s_mask: float) -> None:
    assert sum(branch_weights(guidance, s_image, s_text, s_mask).values()) == pytest.approx(1.0, abs=1e-7)


@given(st.sampled_from(["independent", "joint"]), SCALE, SCALE, SCALE)
def test_equal_predictions_pass_through(guidance: str, s_image: float, s_text: float, s_mask: float) -> None:
    weights = branch_weights(guidance, s_image, s_text, s_mask)
    same = _predictions()[0]
    combined = combine(dict.fromkeys(weights, same), weights)
    torch.testing.assert_close(combined, same, atol=1e-5, rtol=1e-5)


@given(st.sampled_from(["independent", "joint"]), SCALE, SCALE, SCALE, st.floats(0.05, 0.95))
def test_combining_v_equals_combining_epsilon(guidance: str, s_i: float, s_t: float, s_m: float, signal: float) -> None:
    """ε = √ᾱ·v + √(1−ᾱ)·z is affine in v, and the weights add up to 1."""
    weights = branch_weights(guidance, s_i, s_t, s_m)
    z, *_ = _predictions(9)
    velocities = dict(zip(weights, _predictions(), strict=False))
    alpha, sigma = signal**0.5, (1 - signal) ** 0.5
    epsilons = {branch: alpha * v + sigma * z for branch, v in velocities.items()}
    torch.testing.assert_close(
        combine(epsilons, weights), alpha * combine(velocities, weights) + sigma * z, atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize(
    ("guidance", "scales", "branches"),
    [
        ("independent", (1.0, 2.0, 0.5), {UNCONDITIONAL, IMAGE, TEXT, MASK}),
        ("independent", (1.0, 2.0, 0.0), {UNCONDITIONAL, IMAGE, TEXT}),
        ("independent", (0.4, 0.4, 0.2), {IMAGE, TEXT, MASK}),
        ("independent", (0.0, 1.0, 0.0), {TEXT}),
        ("joint", (1.5, 7.5, 0.5), {UNCONDITIONAL, IMAGE, BOTH, MASK}),
        ("joint", (1.5, 7.5, 0.0), {UNCONDITIONAL, IMAGE, BOTH}),
        ("joint", (1.0, 3.0, 0.0), {IMAGE, BOTH}),
        ("joint", (1.0, 1.0, 0.0), {BOTH}),
    ],
)
def test_branches_with_zero_weight_are_left_out(
    guidance: str, scales: tuple[float, ...], branches: set[object]
) -> None:
    assert set(branch_weights(guidance, *scales)) == branches


def test_unknown_form_is_named() -> None:
    with pytest.raises(ValueError, match="'both'"):
        branch_weights("both", 1.0, 1.0, 0.0)
