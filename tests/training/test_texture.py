"""The texture term against patches cut and sorted in NumPy, and what it sees and does not see."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from style_a_video.training import texture
from style_a_video.training.texture import LEVELS, SOFTENING, sliced_distance


def test_it_is_the_distance_of_sorted_projections() -> None:
    torch.manual_seed(3)
    made, wanted = torch.randn(2, 2, 3, 24, 16)
    torch.manual_seed(5)
    found = float(sliced_distance(made, wanted, directions=6))
    torch.manual_seed(5)
    levels = []
    pair = [made.numpy().astype(np.float64), wanted.numpy().astype(np.float64)]
    for _ in range(LEVELS):
        kernels = torch.randn(6, 3, 3, 3).numpy().astype(np.float64)
        for kernel in kernels[:3]:
            for plane in kernel:
                plane -= plane.mean()
        kernels = [kernel / np.sqrt((kernel**2).sum()) for kernel in kernels]
        values = []
        for number in range(2):
            for kernel in kernels:
                projected = [
                    sorted(
                        float((batch[number, :, y : y + 3, x : x + 3] * kernel).sum())
                        for y in range(batch.shape[2] - 2)
                        for x in range(batch.shape[3] - 2)
                    )
                    for batch in pair
                ]
                unit = np.std(projected[1], ddof=1) + SOFTENING
                values.append(np.mean((np.subtract(*projected) / unit) ** 2))
        levels.append(np.mean(values))
        pair = [(x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]) / 4 for x in pair]
    assert found == pytest.approx(np.mean(levels), rel=1e-4)


def test_it_sees_a_blur_and_not_a_shift() -> None:
    torch.manual_seed(0)
    marks = torch.randn(1, 4, 32, 32)
    shifted = marks.roll((9, 14), dims=(2, 3))
    blurred = F.avg_pool2d(F.pad(marks, (1, 1, 1, 1), mode="circular"), 3, stride=1)
    distances = []
    for other in (shifted, blurred):
        torch.manual_seed(1)
        distances.append(float(sliced_distance(other, marks)))
    # The bytes differ everywhere, their distribution hardly; a blur that squared error would prefer is far off.
    assert float(F.mse_loss(shifted, marks)) > float(F.mse_loss(blurred, marks))
    assert distances[0] < 0.2 * distances[1]


def test_large_pictures_are_compared_at_some_places(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    made, wanted = torch.randn(2, 1, 2, 32, 32)
    exact = float(sliced_distance(made, 2 * wanted))
    monkeypatch.setattr(texture, "MOST_PLACES", 300)
    assert float(sliced_distance(made, 2 * wanted)) == pytest.approx(exact, rel=0.3)
