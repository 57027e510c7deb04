"""Exercises: they show where the teachers' marks lie, and their windows carry the noise that says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from style_a_video.training import first_stage, unet
from style_a_video.training.exercises import EXERCISES, FIRST_COLUMN, Exercises, make_exercises
from style_a_video.training.pairs import noise_of
from style_a_video.training.teachers import Chance


@pytest.mark.parametrize("kind", EXERCISES)
def test_an_exercise_is_a_picture_of_its_noise(kind: str) -> None:
    pictures = [EXERCISES[kind](Chance.of_seed(seed, 64, 80)) for seed in (0, 0, 1)]
    assert pictures[0].shape == (64, 80, 3)
    assert 0 <= pictures[0].min() < pictures[0].max() <= 1
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert np.abs(pictures[0] - pictures[2]).mean() > 0.05


def test_borders_lie_between_two_nearest_points() -> None:
    """Against a loop: dark where the two nearest points are equally far."""
    chance = Chance.of_seed(0, 48, 48)
    points = chance.points(20.0, 110)
    y, x = np.mgrid[0:48, 0:48]
    distances = np.sort(cdist(np.stack([x.ravel(), y.ravel()], 1), points), axis=1)
    even = (distances[:, 1] - distances[:, 0]).reshape(48, 48)
    shown = EXERCISES["exercise in large borders"](chance)[..., 0]
    assert shown[even < 0.2].max() < 0.1
    assert shown[even > 12].min() > 0.9


def test_windows_of_exercises_carry_their_noise(tmp_path: Path) -> None:
    torch.manual_seed(0)
    vae = first_stage.build()
    exercises = make_exercises(vae, tmp_path / "exercises.npy", 1, seed=5)
    assert exercises.latents.shape == (1, len(EXERCISES), 12, 64, 64)
    stamp = (tmp_path / "exercises.npy").stat().st_mtime_ns
    make_exercises(vae, tmp_path / "exercises.npy", 1, seed=5)
    assert (tmp_path / "exercises.npy").stat().st_mtime_ns == stamp
    # Latents that say where they were cut.
    kinds, y, x = np.meshgrid(np.arange(len(EXERCISES)), np.arange(64), np.arange(64), indexing="ij")
    marked = np.repeat(np.stack([kinds, y, x], axis=1), 4, axis=1)[None].astype(np.float16)
    for seed in range(5):
        clean, noise, words = Exercises(marked, 5).window(np.random.default_rng(seed), 16)
        kind, top, left = (int(clean[4 * k, 0, 0]) for k in range(3))
        assert words == list(EXERCISES)[kind]
        np.testing.assert_array_equal(noise, noise_of(5, 0, FIRST_COLUMN + kind)[:, top : top + 16, left : left + 16])


def test_a_share_of_the_windows_are_exercises() -> None:
    class NoPairs:
        def spec(self, _row: int, _column: int) -> None:
            return None

        def noise(self, _row: int, _column: int) -> np.ndarray:
            return np.zeros((12, 64, 64), np.float32)

    exercises = Exercises(np.ones((2, len(EXERCISES), 12, 64, 64), np.float16), 0)
    latents = np.full((2, 4, 12, 64, 64), 2, np.float16)
    draw = unet.random_windows(latents, NoPairs(), 200, 16, exercises=exercises)
    windows = draw(np.random.default_rng(0))
    drawn = windows.clean.amax(dim=(1, 2, 3)) == 1
    # The noise of pairs is zero here, that of exercises is not.
    torch.testing.assert_close(windows.noise.abs().amax(dim=(1, 2, 3)) > 0, drawn)
    assert float(drawn.float().mean()) == pytest.approx(unet.EXERCISE_SHARE, abs=0.1)
    assert float(windows.image[drawn].abs().max()) == 0
    assert {words for words, exercise in zip(windows.words, drawn, strict=True) if exercise} <= set(EXERCISES)
