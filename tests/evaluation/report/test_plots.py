"""Plots of a report."""

from __future__ import annotations

import io

import PIL.Image

from style_a_video.evaluation.cache import Cell
from style_a_video.evaluation.report.plots import curves
from style_a_video.evaluation.report.tables import table

PENCIL = "Make it a pencil drawing."


def test_a_sweep_is_drawn_over_its_values() -> None:
    rows = table([cell(f"s = {value}", "a", value) for value in (0.0, 1.0, 3.0)])
    drawn = {drop: curves(rows, {"s = 0.0": 0.0, "s = 1.0": 1.0, "s = 3.0": drop}) for drop in (3.0, 9.0)}
    sizes = {PIL.Image.open(io.BytesIO(found)).size for found in drawn.values()}
    assert len(sizes) == 1
    assert drawn[3.0] != drawn[9.0]


def cell(method: str, clip: str, value: float, encoder: str = "φ", error: str = "") -> Cell:
    return Cell(method, clip, PENCIL, encoder, {} if error else {"warp_error": value, "style": value}, error)
