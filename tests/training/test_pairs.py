"""Training pairs are kept on disk with their styles and their noise."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from style_a_video.styles.media import STYLE_NAMES
from style_a_video.training.budgets import SMOKE
from style_a_video.training.pairs import Pairs, in_parts, make_pairs, noise_of
from style_a_video.training.renderers import Chance, render


@pytest.mark.slow
@pytest.mark.xdist_group("pairs")
def test_pairs_are_kept_and_carry_their_specs(work: Path, tmp_path: Path) -> None:
    stamp = (work / "pairs" / "00000.npy").stat().st_mtime_ns
    make_pairs(work / "pairs", SMOKE.contents, seed=3, workers=1, material=None)
    assert (work / "pairs" / "00000.npy").stat().st_mtime_ns == stamp
    pairs = Pairs.open(work / "pairs")
    assert len(pairs) == SMOKE.contents
    assert pairs.spec(1, 0) is None
    for column, medium in enumerate(STYLE_NAMES, start=1):
        spec = pairs.spec(1, column)
        assert spec is not None
        assert spec.medium == medium
    again = render(
        (pairs.picture(1, 0) / 255).astype(np.float32), pairs.spec(1, 8), Chance(pairs.noise(1, 8), 256, 256)
    )
    assert np.abs(again * 255 - pairs.picture(1, 8)).mean() < 3
    # A row's noise is that of the number it was made under, whatever lies beside it.
    shutil.copytree(work / "pairs", tmp_path / "later")
    record = json.loads((tmp_path / "later" / "00000.json").read_text())
    (tmp_path / "later" / "00000.json").write_text(json.dumps(record | {"first": 40}))
    np.testing.assert_array_equal(Pairs.open(tmp_path / "later").noise(1, 3), noise_of(3, 41, 3))
    (tmp_path / "later" / "00000.json").write_text(json.dumps({"looks": record["looks"], "seed": 3}))
    with pytest.raises(ValueError, match="older recipe"):
        Pairs.open(tmp_path / "later")
    crops = pairs.crops(5, 32)(np.random.default_rng(0))
    assert crops.shape == (5, 3, 32, 32)
    assert -1 <= crops.min() < crops.max() <= 1
    with pytest.raises(FileNotFoundError):
        Pairs.open(tmp_path / "nothing")


def test_parts_are_cut_row_by_row() -> None:
    pictures = np.arange(2 * 4 * 6 * 1).reshape(2, 4, 6, 1)
    parts = in_parts(pictures, 2)
    assert parts.shape == (8, 2, 3, 1)
    for k, part in enumerate(parts):
        picture, row, column = k // 4, k % 4 // 2, k % 2
        np.testing.assert_array_equal(part, pictures[picture, 2 * row : 2 * row + 2, 3 * column : 3 * column + 3])
