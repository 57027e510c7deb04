"""One shard of training pairs for all tests that need one: rendering it takes seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from style_a_video.training.budgets import SMOKE
from style_a_video.training.pairs import make_pairs


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training folder with one shard of pairs."""
    folder = tmp_path_factory.mktemp("work")
    make_pairs(folder / "pairs", SMOKE.contents, seed=3, workers=1, material=None)
    return folder
