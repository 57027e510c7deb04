"""Image analogies: the search finds what an exhaustive one finds, and a picture comes out in the painting's paint."""

from __future__ import annotations

import numpy as np
import pytest

from style_a_video.errors import InputError
from style_a_video.styles import StyleSpec
from style_a_video.training.contents import photographs
from style_a_video.training.renderers import PAINTED, Chance, analogies, render
from style_a_video.training.renderers.analogies import REACH, Painting, analogy, drawn_towards, to_lab


@pytest.fixture(scope="module")
def painting() -> np.ndarray:
    """Stripes of three paints: what is copied from it is one of them."""
    rows = np.arange(96) // 6 % 3
    paints = np.array([[0.85, 0.3, 0.2], [0.2, 0.45, 0.8], [0.95, 0.9, 0.6]], np.float32)
    return np.ascontiguousarray(np.broadcast_to(paints[rows][:, None], (96, 120, 3)))


def test_patch_match_comes_near_an_exhaustive_search() -> None:
    rng = np.random.default_rng(0)
    known, searched = rng.random((24, 28, 7)).astype(np.float32), rng.random((14, 16, 7)).astype(np.float32)
    searched[2:9, 3:12] = known[5:12, 6:15]  # a part that is there: its patches have distance 0
    field = analogies._random_field(rng, (14, 16), (24, 28))
    used = np.zeros((24, 28), np.float32)
    flat = [values.reshape(len(values), -1) for values in (known, searched)]
    cost = analogies._costs(*flat, field, used)
    state = np.uint32(1)
    for sweep in range(8):
        state = np.uint32(analogies._sweep(*flat, field, cost, used, state, sweep % 2 == 1, 10_000))

    def distance(y: int, x: int, v: int, u: int) -> float:
        offsets = np.arange(-REACH, REACH + 1)
        one = known[np.ix_(v + offsets, u + offsets)]
        other = searched[np.ix_(y + offsets, x + offsets)]
        return float(np.square(one - other).sum())

    ratios = []
    for y in range(REACH, 14 - REACH):
        for x in range(REACH, 16 - REACH):
            assert cost[y, x] == pytest.approx(distance(y, x, *field[y, x]), rel=1e-4, abs=1e-4)
            best = min(distance(y, x, v, u) for v in range(REACH, 22) for u in range(REACH, 26))
            assert cost[y, x] >= best - 1e-3
            ratios.append((cost[y, x] + 1) / (best + 1))
    assert np.mean(ratios) < 1.15
    assert cost[4:7, 5:10].max() < 1e-4


def test_colours_are_drawn_towards_the_paintings(painting: np.ndarray) -> None:
    plain = to_lab(photographs()["rocket"][100:164, 200:264])
    known = Painting.of(painting, 96)
    unchanged = drawn_towards(plain, known, 0.0, 0.0)
    np.testing.assert_allclose(unchanged, plain, atol=1e-6)
    moved = drawn_towards(plain, known, 1.0, 1.0)
    np.testing.assert_allclose(moved[..., 1:].mean((0, 1)), known.mean[1:], atol=0.01)
    # As much of the picture as of the painting is light.
    light = [(values[..., 0] > 0.7).mean() for values in (moved, to_lab(painting))]
    assert light[0] == pytest.approx(light[1], abs=0.1)
    assert np.ptp(moved[..., 0]) == pytest.approx(np.ptp(to_lab(painting)[..., 0]), abs=0.05)


def test_a_picture_is_painted_in_the_paints_of_the_painting(painting: np.ndarray) -> None:
    picture = np.ascontiguousarray(photographs()["rocket"][100:164, 200:264])
    painted = analogy(picture, Painting.of(painting, 96), seed=3, light=1.0, chroma=1.0, keep=0.0)
    assert painted.shape == picture.shape
    np.testing.assert_array_equal(
        painted, analogy(picture, Painting.of(painting, 96), seed=3, light=1.0, chroma=1.0, keep=0.0)
    )
    paints = to_lab(painting).reshape(-1, 3)[::7]
    apart = np.linalg.norm(to_lab(painted)[:, :, None] - np.unique(paints.round(3), axis=0), axis=-1).min(-1)
    assert np.quantile(apart, 0.6) < 0.1
    # Its light follows the picture's.
    light = np.corrcoef(to_lab(painted)[..., 0].ravel(), to_lab(picture)[..., 0].ravel())[0, 1]
    assert light > 0.3


@pytest.mark.parametrize("medium", PAINTED)
def test_painted_media_take_a_painting_of_any_size(painting: np.ndarray, medium: str) -> None:
    picture = np.ascontiguousarray(photographs()["rocket"][100:150, 200:270])
    painted = render(picture, StyleSpec(medium, scale="fine"), Chance.of_seed(1, 50, 70), painting)
    assert painted.shape == picture.shape
    assert painted.dtype == np.float32
    assert 0 <= painted.min() < painted.max() <= 1
    with pytest.raises(InputError, match="train material"):
        render(picture, StyleSpec(medium))
