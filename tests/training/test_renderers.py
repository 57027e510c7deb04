"""Renderers: right kind of picture, clearly a style, and stable on video."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
import skimage.color

from style_a_video.styles.media import STYLE_NAMES
from style_a_video.styles.spec import PALETTES, SURFACES, TONES, StyleSpec
from style_a_video.training.contents import HELD_OUT_PHOTOGRAPHS, TRAINING_PHOTOGRAPHS, photographs, random_content
from style_a_video.training.renderers import PAINTED, RENDERERS, Chance, render
from style_a_video.training.renderers.common import (
    colours,
    kuwahara,
    line_integral_convolution,
    paint_strokes,
    stroke_paths,
    to_palette,
)
from style_a_video.training.renderers.finish import on_surface, recoloured, toned


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return photographs()["rocket"][100:228, 200:328].copy()


def test_every_style_has_a_renderer() -> None:
    assert set(RENDERERS) | set(PAINTED) == set(STYLE_NAMES)


@pytest.mark.parametrize("style", RENDERERS)
def test_renderer_paints(picture: np.ndarray, style: str) -> None:
    before = picture.copy()
    painted = render(picture, StyleSpec(style))
    np.testing.assert_array_equal(picture, before)
    assert painted.shape == picture.shape
    assert painted.dtype == np.float32
    assert painted.min() >= 0
    assert painted.max() <= 1
    assert np.abs(painted - picture).mean() > 0.02
    assert painted.std() > 0.03
    # Chance is the noise's and nothing else's: the same picture and noise give the same painting.
    np.testing.assert_array_equal(painted, render(picture, StyleSpec(style), Chance.of_seed(0, *picture.shape[:2])))


def test_a_picture_may_lie_in_memory_plane_by_plane(picture: np.ndarray) -> None:
    planes = np.ascontiguousarray(picture.transpose(2, 0, 1)).transpose(1, 2, 0)
    np.testing.assert_array_equal(render(planes, StyleSpec("mosaic")), render(picture, StyleSpec("mosaic")))


@pytest.mark.parametrize("style", RENDERERS)
def test_a_renderer_is_stable_on_video(style: str) -> None:
    """A camera that moves by eight cells, the noise with it: the same painting, but for what depends on the light of
    the whole frame."""
    scene = np.ascontiguousarray(photographs()["rocket"][60:220, 100:356])
    noise = np.random.default_rng(0).standard_normal((12, 40, 64), dtype=np.float32)

    def seen_from(left: int) -> np.ndarray:
        there = noise[:, :, left // 4 : left // 4 + 56]
        return render(np.ascontiguousarray(scene[:, left : left + 224]), StyleSpec(style), Chance(there, 160, 224))

    before, after = seen_from(0), seen_from(32)
    # Marks near the border know it.
    difference = np.abs(before[40:120, 72:184] - after[40:120, 40:152]).mean()
    # Panes are cut from the whole picture: another section of it is cut otherwise.
    assert difference < (0.15 if style == "stained glass" else 0.08)
    assert before[40:120, 72:184].std() > 0.03


def structure(picture: np.ndarray) -> float:
    """Mean distance over which the lightness stays alike: larger marks, larger value."""
    grey = picture.mean(axis=2) - picture.mean()
    power = np.abs(np.fft.rfft2(grey)) ** 2
    power[0, 0] = 0
    fy, fx = np.fft.fftfreq(grey.shape[0])[:, None], np.fft.rfftfreq(grey.shape[1])[None]
    return float(power.sum() / (power * np.hypot(fy, fx)).sum())


@pytest.mark.parametrize("style", ["mosaic", "pop art", "pixel art", "stained glass", "engraving"])
def test_scale_words_make_marks_larger(picture: np.ndarray, style: str) -> None:
    chances = [Chance.of_seed(seed, *picture.shape[:2]) for seed in range(4)]
    sizes = [
        np.mean([structure(render(picture, StyleSpec(style, scale=scale), chance)) for chance in chances])
        for scale in ("fine", "", "huge")
    ]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("style", RENDERERS)
def test_line_words_draw_more_or_less(picture: np.ndarray, style: str) -> None:
    bare, heavy = (render(picture, StyleSpec(style, line=line)) for line in ("none", "heavy"))
    if style == "mosaic":  # its grout is a gap, not a line: it only gets narrower
        assert np.abs(bare - heavy).mean() > 0
    elif style == "neon":
        assert heavy.mean() > bare.mean()
    else:
        assert heavy.mean() < bare.mean()


@pytest.mark.parametrize("palette", PALETTES)
def test_a_recoloured_picture_has_the_palettes_colours(picture: np.ndarray, palette: str) -> None:
    """Its hues (a, b of Lab) lie near the line through the ramp, dark to light, and light parts stay lighter than
    dark ones."""
    ramp = skimage.color.rgb2lab(colours(*PALETTES[palette])[None])[0]
    line = np.stack([np.interp(np.linspace(0, 4, 81), np.arange(5), ramp[:, k]) for k in (1, 2)], axis=1)
    after = skimage.color.rgb2lab(recoloured(picture, palette))
    distance = np.linalg.norm(after[..., None, 1:] - line, axis=-1).min(axis=-1)
    assert distance.mean() < 12
    before = skimage.color.rgb2lab(picture)[..., 0]
    assert np.corrcoef(before.ravel(), after[..., 0].ravel())[0, 1] > 0.8


@pytest.mark.parametrize("tone", TONES)
def test_tones(picture: np.ndarray, tone: str) -> None:
    before, after = skimage.color.rgb2lab(picture), skimage.color.rgb2lab(toned(picture, tone))
    lighter = after[..., 0].mean() - before[..., 0].mean()
    chroma = np.hypot(after[..., 1], after[..., 2]).mean() - np.hypot(before[..., 1], before[..., 2]).mean()
    yellower = after[..., 2].mean() - before[..., 2].mean()
    assert {
        "dark": lighter < -5, "pale": lighter > 5, "vivid": chroma > 3, "muted": chroma < -2, "warm": yellower > 3,
        "cool": yellower < -3, "misty": after[..., 0].std() < 0.7 * before[..., 0].std(),
    }[tone]  # fmt: skip


@pytest.mark.parametrize("surface", SURFACES)
def test_surfaces_are_a_fixed_relief(picture: np.ndarray, surface: str) -> None:
    grey = np.full_like(picture, 0.5)
    chance = Chance.of_seed(0, *picture.shape[:2])
    first, second = on_surface(grey, surface, chance), on_surface(picture, surface, chance)
    assert first.std() > 0.01
    # The relief is the same whatever is on it.
    relief, under = first.mean(axis=2) / 0.5, second.mean(axis=2) / (picture.mean(axis=2) + 1e-3)
    assert np.corrcoef(relief.ravel(), under.ravel())[0, 1] > 0.5


def test_strokes_are_laid_where_there_is_detail() -> None:
    canvas, heights = np.zeros((64, 64, 3), np.float32), np.zeros((64, 64), np.float32)
    detail = np.zeros((64, 64), np.float32)
    detail[:, 40:] = 1
    ones, zeros = np.ones((64, 64), np.float32), np.zeros((64, 64), np.float32)
    chance = Chance.of_seed(0, 64, 64)
    paint_strokes(chance, canvas, heights, np.ones_like(canvas), zeros, ones, 6.0, 8.0, 3.0, 0.0, 0, detail)
    assert canvas[:, :32].max() == 0
    assert canvas[:, 48:].mean() > 0.5
    assert heights[:, 48:].mean() > 0.1


def test_stroke_paths_follow_the_field() -> None:
    """On a circular field every point of a stroke keeps its distance from the centre."""
    y, x = np.mgrid[0:101, 0:101] - 50.0
    radius = np.hypot(x, y) + 1e-6
    seeds = np.array([[80.0, 50.0], [50.0, 20.0]], np.float32)
    paths = stroke_paths(seeds, (-y / radius).astype(np.float32), (x / radius).astype(np.float32), 10, 1.0)
    assert paths.shape == (2, 21, 2)
    np.testing.assert_allclose(np.hypot(*(paths - 50).transpose(2, 0, 1)), 30, atol=2.5)
    np.testing.assert_allclose(np.linalg.norm(np.diff(paths, axis=1), axis=2), 1.0, atol=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_contents(seed: int) -> None:
    content = random_content(np.random.default_rng(seed), 64)
    assert content.shape == (64, 64, 3)
    assert content.dtype == np.float32
    assert 0 <= content.min() <= content.max() <= 1
    np.testing.assert_array_equal(content, random_content(np.random.default_rng(seed), 64))


def test_no_photograph_is_missing_and_none_is_on_both_sides() -> None:
    assert set(photographs()) == set(TRAINING_PHOTOGRAPHS) | set(HELD_OUT_PHOTOGRAPHS)
    assert not set(TRAINING_PHOTOGRAPHS) & set(HELD_OUT_PHOTOGRAPHS)


def test_line_integral_convolution_averages_along_the_field() -> None:
    """Along x, it is SciPy's uniform filter along x."""
    texture = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    ones, zeros = np.ones((20, 30), np.float32), np.zeros((20, 30), np.float32)
    expected = scipy.ndimage.uniform_filter1d(texture, 7, axis=1)
    np.testing.assert_allclose(
        line_integral_convolution(texture, ones, zeros, 3)[:, 4:-4], expected[:, 4:-4], atol=1e-4
    )


def test_kuwahara_keeps_an_edge_and_removes_noise() -> None:
    edge = np.zeros((32, 32, 3), np.float32)
    edge[:, 16:] = 1
    noisy = np.clip(edge * 0.6 + 0.2 + np.random.default_rng(0).normal(0, 0.05, edge.shape), 0, 1).astype(np.float32)
    smooth = kuwahara(noisy, 4)
    assert smooth[:, 4:12].std() < 0.5 * noisy[:, 4:12].std()
    assert smooth[8:24, 18].mean() - smooth[8:24, 13].mean() > 0.5


def test_palette_is_nearest() -> None:
    palette = np.array([[0, 0, 0], [1, 1, 1], [1, 0, 0]], np.float32)
    picture = np.array([[[0.1, 0.1, 0.1], [0.9, 0.95, 0.9], [0.8, 0.1, 0.1]]], np.float32)
    np.testing.assert_array_equal(to_palette(picture, palette)[0], palette)
