"""Means over windows."""

import numpy as np
import pytest
import torch

from style_a_video.temporal.windows import feather, local_mean
from tests.temporal.helpers import SIZE


def test_a_feathered_mask_is_nowhere_above_the_mask():
    mask = (torch.rand(1, 1, *SIZE, generator=torch.Generator().manual_seed(2)) > 0.3).float()
    mask[..., 10:30, 10:40] = 1
    soft = feather(mask)
    assert bool((soft <= mask).all())
    torch.testing.assert_close(soft[..., 14:26, 14:36], torch.ones(1, 1, 12, 22))


@pytest.mark.parametrize(("side", "stride"), [(9, 1), (16, 4), (15, 5), (64, 16)])
@pytest.mark.parametrize("size", [(40, 52), (7, 61)])
@pytest.mark.parametrize("with_gradient", [False, True])
def test_means_over_the_part_of_a_window_that_lies_inside(
    side: int, stride: int, size: tuple[int, int], with_gradient: bool
) -> None:
    values = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(3))
    found = local_mean(values.clone().requires_grad_(with_gradient), side, stride).detach().numpy()
    margin = (side - stride) // 2
    for i, top in enumerate(range(-margin, size[0] - margin, stride)):
        for j, left in enumerate(range(-margin, size[1] - margin, stride)):
            window = values[:, :, max(top, 0) : top + side, max(left, 0) : left + side].numpy().astype(np.float64)
            np.testing.assert_allclose(found[:, :, i, j], window.mean((2, 3)), atol=1e-6)
    assert found.shape[2:] == (-(-size[0] // stride), -(-size[1] // stride))
