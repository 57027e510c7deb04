"""Means over windows."""

import torch

from style_a_video.temporal.windows import soften

SIZE = (40, 48)


def test_a_softened_mask_is_nowhere_above_the_mask():
    mask = (torch.rand(1, 1, *SIZE, generator=torch.Generator().manual_seed(2)) > 0.3).float()
    mask[..., 10:30, 10:40] = 1
    soft = soften(mask)
    assert bool((soft <= mask).all())
    torch.testing.assert_close(soft[..., 14:26, 14:36], torch.ones(1, 1, 12, 22))
