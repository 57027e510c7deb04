"""Chance in the teachers: standard normal, local, the same everywhere, and readable from the noise alone."""

from __future__ import annotations

import numpy as np
import pytest

from style_a_video.models.looks import Look
from style_a_video.training.teachers import render
from style_a_video.training.teachers.chance import CELL, CHANNELS, Chance, on_grid


def noise(seed: int, height: int = 64, width: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((CHANNELS, height, width), dtype=np.float32)


@pytest.mark.parametrize("sigma", [0.0, 0.7, 3.0, 10.0, (12.0, 1.0)])
def test_fields_are_standard_normal(sigma: float | tuple[float, float]) -> None:
    fields = [Chance(noise(k), 256, 256) for k in range(24)]
    values = np.stack([field.normal(sigma, 5) if sigma else field.white(5) for field in fields])
    assert abs(values.mean()) < 0.1
    assert values.std() == pytest.approx(1, abs=0.06)
    assert np.mean(np.abs(values) < 1.96) == pytest.approx(0.95, abs=0.015)


def test_another_seed_is_another_field() -> None:
    chance = Chance(noise(0), 256, 256)
    first, second = chance.white(1), chance.white(2)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.05
    np.testing.assert_array_equal(first, chance.white(1))


def test_a_cell_of_noise_is_a_cell_of_the_picture() -> None:
    """Fields are local: changing one latent changes its own pixels only."""
    before, after = noise(0), noise(0)
    after[:, 10, 20] += 1.0
    rows, columns = np.nonzero(Chance(before, 256, 256).white(3) != Chance(after, 256, 256).white(3))
    assert {rows.min(), rows.max()} == {10 * CELL, 10 * CELL + CELL - 1}
    assert {columns.min(), columns.max()} == {20 * CELL, 20 * CELL + CELL - 1}


@pytest.mark.parametrize("medium", ["stained glass", "engraving", "van gogh", "pointillism", "charcoal"])
def test_marks_move_with_the_noise(medium: str) -> None:
    """On an even ground the picture of noise that is moved by two cells is the picture moved by as many pixels."""
    y, x = np.mgrid[0:160, 0:160] / 160
    ground = np.repeat((0.3 + 0.4 * ((x - 0.5) ** 2 + (y - 0.5) ** 2))[..., None], 3, axis=2).astype(np.float32)
    field, shift = noise(0, 44, 44), 2
    still = render(np.full_like(ground, 0.45), Look(medium), Chance(field[:, :40, :40], 160, 160))
    moved = render(np.full_like(ground, 0.45), Look(medium), Chance(field[:, shift : 40 + shift, :40], 160, 160))
    aligned = still[32 + CELL * shift : 128 + CELL * shift, 32:128], moved[32:128, 32:128]
    apart = still[32:128, 32:128], moved[32:128, 32:128]
    assert np.abs(aligned[0] - aligned[1]).mean() < 0.3 * np.abs(apart[0] - apart[1]).mean()


@pytest.mark.parametrize("spacing", [5.0, 12.0, 30.0])
def test_points_are_some_spacings_apart(spacing: float) -> None:
    points = Chance(noise(1), 256, 256).points(spacing, 2)
    assert 0.5 < len(points) * 0.866 * spacing**2 / 256**2 < 1.2
    between = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    between[np.diag_indices(len(points))] = np.inf
    assert between.min() > 0.25 * spacing
    y, x = np.mgrid[0:256:4, 0:256:4]
    assert np.hypot(points[:, 0, None, None] - x, points[:, 1, None, None] - y).min(axis=0).max() < 2.5 * spacing


def test_values_at_points() -> None:
    chance = Chance(noise(3), 256, 256)
    values = chance.uniform_at(chance.points(4.0, 1), 1.0, 2)
    counts, _ = np.histogram(values, 5, (0, 1))
    assert counts.min() > 0.12 * len(values)
    assert counts.sum() == len(values)


@pytest.mark.parametrize("degrees", [80.0, 25.0, -45.0])
def test_waves_run_along_their_direction_with_their_period(degrees: float) -> None:
    phase = Chance(noise(4), 256, 256).wave_phase(degrees, 6.0, 1)[32:-32, 32:-32]
    angle = np.deg2rad(degrees)
    steps = [np.angle(np.exp(1j * np.diff(phase, axis=axis))) for axis in (1, 0)]
    for found, part in zip(steps, (np.cos(angle), np.sin(angle)), strict=True):
        assert np.median(found) == pytest.approx(2 * np.pi / 6.0 * part, abs=0.08)


def test_grids_are_powers_of_two() -> None:
    assert [on_grid(length) for length in (1.0, 5.2, 8.0, 12.8, 18.4, 40.0)] == [4, 4, 8, 16, 16, 32]
