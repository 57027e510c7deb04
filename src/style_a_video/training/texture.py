"""The texture term: are the marks of a prediction spread like the teacher's, wherever they lie?

Why: squared error teaches the mean of all places where a mark may lie, and a critic has to find out for itself what tells a mean from
marks. A picture and its teacher's are a pair here, so their distributions can be compared without one.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

LEVELS = 3
"""Of a pyramid of halves: patches of 12, 24 and 48 pixels of the bundled first stage."""
MOST_PLACES = 1024
"""At which patches are compared: sorting is what costs."""
SOFTENING = 0.03
"""Added to the deviations that distances are measured in, so that what hardly varies counts little."""


def sliced_distance(predicted: Tensor, real: Tensor, directions: int = 64) -> Tensor:
    """Sliced 2-Wasserstein distance between the 3x3 patches of two batches (B, C, h, w), picture by picture; a scalar.

    Patches are projected on random directions, half of which see no mean; the sorted projections are compared in units of their
    deviation in `real`, at every level of a pyramid (Heitz et al., *A Sliced Wasserstein Loss for Neural Texture Synthesis*, 2021).
    Directions and places are drawn from torch's global generator.
    """
    levels = []
    for _ in range(LEVELS):
        kernels = torch.randn(directions, real.shape[1], 3, 3, device=real.device)
        kernels[: directions // 2] -= kernels[: directions // 2].mean(dim=(2, 3), keepdim=True)
        kernels /= kernels.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        made, wanted = (F.conv2d(latents, kernels).flatten(2) for latents in (predicted, real))
        if made.shape[2] > MOST_PLACES:
            places = torch.randperm(made.shape[2], device=real.device)[:MOST_PLACES]
            made, wanted = made[..., places], wanted[..., places]
        unit = wanted.std(dim=2, keepdim=True) + SOFTENING
        difference = (made.sort(dim=2).values - wanted.sort(dim=2).values) / unit
        levels.append(difference.square().mean())
        predicted, real = F.avg_pool2d(predicted, 2), F.avg_pool2d(real, 2)
    return torch.stack(levels).mean()
