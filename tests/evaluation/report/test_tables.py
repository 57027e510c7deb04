"""Means, ranks and confidence intervals."""

from __future__ import annotations

import numpy as np
import pytest

import style_a_video as sav
from style_a_video.evaluation.cache import Cell
from style_a_video.evaluation.report.tables import as_markdown, table

PENCIL = "Make it a pencil drawing."


def cell(method: str, clip: str, value: float, encoder: str = "φ", error: str = "") -> Cell:
    return Cell(method, clip, PENCIL, encoder, {} if error else {"warp_error": value, "style": value}, error)


def test_tables_rank_and_give_confidence() -> None:
    values = {"one": (0.1, 0.2, 0.3), "two": (0.2, 0.3, 0.4), "three": (0.3, 0.4, 0.5)}
    rows = table([cell(name, f"clip {k}", v) for name, row in values.items() for k, v in enumerate(row)])
    assert [row.entries["warp_error"].rank for row in rows] == [1, 2, 0]
    assert [row.entries["style"].rank for row in rows] == [0, 2, 1]
    # Every method is 0.1 above the next on every clip: of their order there is no doubt.
    assert rows[0].entries["style"].half_width == pytest.approx(0, abs=1e-9)
    assert "**0.2000 ± 0.0000**" in as_markdown(rows)
    # One method alone: t(0.975, 2) = 4.3027; deviation 0.1.
    alone = table([cell("one", f"clip {k}", v) for k, v in enumerate(values["one"])])
    assert alone[0].entries["style"].half_width == pytest.approx(4.30265 * 0.1 / np.sqrt(3), rel=1e-4)
    with pytest.raises(sav.InputError, match="cannot stand in one table"):
        table([cell("one", "a", 0.1), cell("one", "b", 0.1, "CLIP x")])
    failed = table(
        [cell("one", "a", 0.1), cell("one", "b", 0, error="broken")]
        + [cell(name, where, value) for name, value in (("two", 0.2), ("three", 0.3)) for where in "ab"]
    )
    assert [row.entries["warp_error"].rank for row in failed] == [0, 1, 2]


def test_a_row_that_failed_somewhere_has_an_interval_of_its_own() -> None:
    """How clips differ was found from the rows that have them all: it is not taken out of one that was not among
    them."""
    values = {"two": (0.1, 0.5, 0.9), "three": (0.2, 0.7, 0.9)}
    cells = [cell(name, where, v) for name, row in values.items() for where, v in zip("abc", row, strict=True)]
    short = [cell("one", "a", 0.1), cell("one", "b", 0.3), cell("one", "c", 0, error="broken")]
    half = table(cells + short)[2].entries["style"].half_width
    assert half == pytest.approx(table(short)[0].entries["style"].half_width)
    assert half == pytest.approx(12.7062 * np.std([0.1, 0.3], ddof=1) / np.sqrt(2), rel=1e-4)


def test_intervals_within_clips_against_numpy() -> None:
    """Cousineau's, with Morey's correction, by a loop over a table of 4 methods x 5 clips."""
    values = np.random.default_rng(0).normal(size=(4, 5)) + np.array([0.0, 5, -3, 8, 1])
    rows = table([cell(f"m{i}", f"c{j}", float(values[i, j])) for i in range(4) for j in range(5)])
    for i, row in enumerate(rows):
        left = [values[i, j] - values[:, j].mean() + values.mean() for j in range(5)]
        deviation = np.std(left, ddof=1) * np.sqrt(4 / 3)
        assert row.entries["style"].half_width == pytest.approx(2.776445 * deviation / np.sqrt(5), rel=1e-5)
        assert row.entries["style"].mean == pytest.approx(values[i].mean())


def test_what_prints_alike_ranks_alike() -> None:
    values = {"one": 0.5001, "two": 0.5003, "three": 0.4, "four": 0.3}
    rows = table([cell(name, "clip", value) for name, value in values.items()])
    assert [row.entries["style"].rank for row in rows] == [1, 1, 0, 0]
    rows = table([cell(name, "clip", value) for name, value in {"a": 0.5, "b": 0.4001, "c": 0.4003}.items()])
    assert [row.entries["style"].rank for row in rows] == [1, 2, 2]
