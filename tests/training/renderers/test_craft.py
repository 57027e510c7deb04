"""Marks that follow the picture: panes, stones and triangles lie along its edges."""

from __future__ import annotations

import numpy as np
import pytest

from style_a_video.styles import StyleSpec
from style_a_video.training.renderers import Chance, render
from style_a_video.training.renderers.craft import borders_of, corners_on_edges, means_of, segments, tesserae


@pytest.fixture
def disc() -> np.ndarray:
    """A light disc of radius 40 on a dark ground, (128, 128, 3)."""
    y, x = np.mgrid[0:128, 0:128] - 63.5
    inside = (np.hypot(x, y) < 40).astype(np.float32)
    return np.stack([0.15 + 0.7 * inside, 0.2 + 0.5 * inside, 0.4 + 0.1 * inside], axis=2).astype(np.float32)


def radius_of(points: np.ndarray) -> np.ndarray:
    return np.hypot(points[:, 0] - 63.5, points[:, 1] - 63.5)


def test_segments_end_at_edges(disc: np.ndarray) -> None:
    labels = segments(disc, 20.0, 7.0)
    inside = disc[..., 0] > 0.5
    for label in np.unique(labels):
        share = inside[labels == label].mean()
        assert min(share, 1 - share) < 0.1
    rows, columns = np.nonzero(borders_of(labels))
    assert (np.abs(radius_of(np.stack([columns, rows], 1)) - 40) < 2).sum() > 200


def test_means_are_those_of_the_labels(disc: np.ndarray) -> None:
    labels = np.random.default_rng(0).integers(0, 5, (128, 128)).astype(np.int32)
    expected = [disc[labels == k].mean(axis=0) for k in range(5)]
    np.testing.assert_allclose(means_of(disc, labels), expected, rtol=1e-4)


def test_tesserae_are_squares_along_the_field() -> None:
    """In a field at 30 degrees the stones are of one size, and their sides lie along it."""
    angle = np.deg2rad(30)
    vx, vy = (np.full((96, 96), value, np.float32) for value in (np.cos(angle), np.sin(angle)))
    starts = np.random.default_rng(0).uniform(0, 96, (144, 2)).astype(np.float32)
    labels, distance, sites = tesserae(starts, vx, vy, 8.0, rounds=25)
    counts = np.bincount(labels.ravel(), minlength=144)
    inner = (np.abs(sites - 48) < 36).all(axis=1)
    assert counts[inner].std() / counts[inner].mean() < 0.25
    k = int(np.argmin(np.abs(sites - 48).sum(axis=1)))
    rows, columns = np.nonzero(labels == k)
    dx, dy = columns - sites[k, 0], rows - sites[k, 1]
    along, across = vx[0, 0] * dx + vy[0, 0] * dy, vx[0, 0] * dy - vy[0, 0] * dx
    np.testing.assert_allclose(distance[rows, columns], np.maximum(np.abs(along), np.abs(across)), atol=1.0)


def test_corners_gather_on_edges(disc: np.ndarray) -> None:
    points = corners_on_edges(disc, Chance.of_seed(0, 128, 128), 13.0, 151)
    near = np.abs(radius_of(points) - 40) < 3
    ring = 2 * np.pi * 40
    assert near.sum() > ring / 13
    assert near.mean() > 3 * (ring * 6) / 128**2  # far more than their share of the area


def test_low_poly_is_flat_within_its_triangles(disc: np.ndarray) -> None:
    painted = render(disc, StyleSpec("low-poly"), Chance.of_seed(0, 128, 128))
    flat = (np.abs(np.diff(painted, axis=0)).max(axis=2) < 1e-3).mean()
    assert flat > 0.6
    assert abs(float(painted[60:68, 60:68].mean() - painted[2:10, 2:10].mean())) > 0.2
