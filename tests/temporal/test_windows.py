"""Means over windows."""

import torch

from style_a_video.temporal.windows import feather
from tests.temporal.helpers import SIZE


def test_a_feathered_mask_is_nowhere_above_the_mask():
    mask = (torch.rand(1, 1, *SIZE, generator=torch.Generator().manual_seed(2)) > 0.3).float()
    mask[..., 10:30, 10:40] = 1
    soft = feather(mask)
    assert bool((soft <= mask).all())
    torch.testing.assert_close(soft[..., 14:26, 14:36], torch.ones(1, 1, 12, 22))
