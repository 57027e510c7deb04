"""Chance in the renderers: standard normal, local, the same everywhere, and readable from the noise alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from style_a_video.styles.spec import StyleSpec
from style_a_video.temporal import WarpedNoise
from style_a_video.training.renderers import render
from style_a_video.training.renderers.chance import CELL, CHANNELS, Chance, on_grid


def noise(seed: int, height: int = 64, width: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((CHANNELS, height, width), dtype=np.float32)


@pytest.mark.parametrize("sigma", [0.0, 0.7, 3.0, 10.0, 30.0, (12.0, 1.0)])
def test_fields_are_standard_normal(sigma: float | tuple[float, float]) -> None:
    """Away from the borders, where mirrored values count twice."""
    fields = [Chance(noise(k), 256, 256) for k in range(40)]
    values = np.stack([field.normal(sigma, 5) if sigma else field.white(5) for field in fields])[:, 60:-60, 60:-60]
    assert abs(values.mean()) < 0.15
    assert values.std() == pytest.approx(1, abs=0.12 if sigma == 30.0 else 0.05)
    assert np.mean(np.abs(values) < 1.96) == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("sigma", [0.0, 4.0])
def test_other_seeds_are_other_fields(sigma: float) -> None:
    """Of all fields, fine and coarse."""
    chance = Chance(noise(0), 256, 256)
    fields = np.stack([chance.normal(sigma, k) if sigma else chance.white(k) for k in range(CHANNELS)])
    between = np.corrcoef(fields.reshape(CHANNELS, -1)) - np.eye(CHANNELS)
    assert np.abs(between).max() < 0.2
    np.testing.assert_array_equal(chance.white(1), chance.white(1 + CHANNELS))


def test_the_places_of_a_cell_are_alike() -> None:
    """A lattice of dark and light places would show in even grain."""
    values = np.stack([Chance(noise(k), 256, 256).normal(0.8, 3) for k in range(8)])
    by_place = values.reshape(8, 64, CELL, 64, CELL).std(axis=(0, 1, 3))
    assert by_place.max() / by_place.min() < 1.7


def test_seen_from_afar_a_field_is_its_channel() -> None:
    field = noise(0)
    coarse = Chance(field, 256, 256).normal(6.0, 4)
    channel = cv2.GaussianBlur(np.kron(field[4], np.ones((CELL, CELL), np.float32)), (0, 0), 6.0)
    assert np.corrcoef(coarse.ravel(), channel.ravel())[0, 1] > 0.97


@pytest.mark.parametrize(("sigma", "alike"), [(2.5, 0.85), (4.0, 0.92), (8.0, 0.97)])
def test_coarse_fields_follow_motion_smaller_than_a_cell(sigma: float, alike: float) -> None:
    """Noise that `WarpedNoise` carries by one to three pixels shows the field warp_stylized so."""
    field = WarpedNoise(torch.from_numpy(noise(0))[None], torch.Generator().manual_seed(0))
    before = Chance(field.latents()[0].numpy(), 256, 256).normal(sigma, 2)
    flow, ones = torch.zeros(1, 2, 256, 256), torch.ones(1, 1, 256, 256)
    flow[:, 0] = 1.0
    for step in (1, 2, 3):
        field.advance(flow, ones)
        after = Chance(field.latents()[0].numpy(), 256, 256).normal(sigma, 2)
        found = np.corrcoef(before[32:-32, 32 : -32 - step].ravel(), after[32:-32, 32 + step : -32].ravel())[0, 1]
        assert found > alike


def test_a_cell_of_noise_is_a_cell_of_the_picture() -> None:
    """Fields are local: changing one latent changes its own pixels only."""
    before, after = noise(0), noise(0)
    after[:, 10, 20] += 1.0
    rows, columns = np.nonzero(Chance(before, 256, 256).white(3) != Chance(after, 256, 256).white(3))
    assert {rows.min(), rows.max()} == {10 * CELL, 10 * CELL + CELL - 1}
    assert {columns.min(), columns.max()} == {20 * CELL, 20 * CELL + CELL - 1}


@pytest.mark.parametrize("medium", ["engraving", "pointillism", "charcoal", "pencil"])
def test_marks_move_with_the_noise(medium: str) -> None:
    """On an even ground the picture of noise that is moved by two cells is the picture moved by as many pixels."""
    ground = np.full((160, 160, 3), 0.45, np.float32)
    field, shift = noise(0, 44, 44), 2
    still = render(ground, StyleSpec(medium), Chance(field[:, :40, :40], 160, 160))
    moved = render(ground, StyleSpec(medium), Chance(field[:, shift : 40 + shift, :40], 160, 160))
    aligned = still[32 + CELL * shift : 128 + CELL * shift, 32:128], moved[32:128, 32:128]
    apart = still[32:128, 32:128], moved[32:128, 32:128]
    assert np.abs(aligned[0] - aligned[1]).mean() < 0.3 * np.abs(apart[0] - apart[1]).mean()


@pytest.mark.parametrize("spacing", [2.1, 3.2, 5.0, 12.0, 30.0])
def test_points_are_some_spacings_apart(spacing: float) -> None:
    points = Chance(noise(1), 256, 256).points(spacing, 2)
    assert 0.6 < len(points) * 0.866 * spacing**2 / 256**2 < 1.2
    on_the_edge = ((points.min(axis=1) == 0) | (points.max(axis=1) == 255)).mean()
    # By area some 1.6 %.
    assert on_the_edge < (0.04 if spacing < 20 else 0.15)
    between = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    between[np.diag_indices(len(points))] = np.inf
    assert between.min() > 0.2 * spacing
    y, x = np.mgrid[0:256:4, 0:256:4]
    assert np.hypot(points[:, 0, None, None] - x, points[:, 1, None, None] - y).min(axis=0).max() < 2.5 * spacing


def test_values_at_points_are_uniform() -> None:
    """Over fields other than the one that the points are peaks of."""
    for seed in (2, 5, 11):
        values = []
        for k in range(4):
            chance = Chance(noise(k), 256, 256)
            values.append(chance.uniform_at(chance.points(6.0, 1), 1.2, seed))
        counts, _ = np.histogram(np.concatenate(values), 5, (0, 1))
        assert counts.min() > 0.16 * counts.sum()
        assert counts.max() < 0.27 * counts.sum()


@pytest.mark.parametrize("degrees", [80.0, 25.0, -45.0])
def test_waves_run_along_their_direction_with_their_period(degrees: float) -> None:
    phase = Chance(noise(4), 256, 256).wave_phase(degrees, 6.0, 1)[32:-32, 32:-32]
    angle = np.deg2rad(degrees)
    steps = [np.angle(np.exp(1j * np.diff(phase, axis=axis))) for axis in (1, 0)]
    for found, part in zip(steps, (np.cos(angle), np.sin(angle)), strict=True):
        assert np.median(found) == pytest.approx(2 * np.pi / 6.0 * part, abs=0.08)


def test_grids_are_powers_of_two() -> None:
    assert [on_grid(length) for length in (1.0, 5.2, 8.0, 12.8, 18.4, 40.0)] == [4, 4, 8, 16, 16, 32]


def test_every_scale_has_its_grid() -> None:
    picture = np.random.default_rng(0).random((64, 64, 3)).astype(np.float32)
    pictures = [render(picture, StyleSpec("pixel art", scale=scale)) for scale in ("fine", "", "bold", "huge")]
    for block, found in zip((4, 4, 8, 16), pictures, strict=True):
        blocks = found.reshape(64 // block, block, 64 // block, block, 3)
        assert np.ptp(blocks, axis=(1, 3)).max() == 0
    # The smallest blocks are the usual ones: a latent holds no smaller.
    assert len({found.tobytes() for found in pictures}) == 3


def test_noise_must_cover_the_picture() -> None:
    with pytest.raises(ValueError, match="has \\(12, 16, 17\\)"):
        Chance(noise(0, 16, 16), 64, 66)
    assert render(np.full((30, 50, 3), 0.4, np.float32), StyleSpec("mosaic")).shape == (30, 50, 3)


def test_one_cell_fills_a_small_picture() -> None:
    ground = np.full((24, 24, 3), 0.4, np.float32)
    for seed in range(6):
        assert np.isfinite(render(ground, StyleSpec("mosaic", scale="huge"), Chance.of_seed(seed, 24, 24))).all()
