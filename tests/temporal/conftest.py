"""Fixtures: what the tests of this folder share: uniform motion, and frames that nowhere look alike."""

from __future__ import annotations

import pytest
import torch

from tests.temporal.helpers import SIZE


@pytest.fixture
def picture():
    grain = torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(grain, SIZE, mode="bicubic").clamp(0.1, 0.9)
