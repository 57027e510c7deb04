"""Noise that moves with the picture and stays Gaussian white noise.

Interpolating a noise field along the flow smears it: variance falls, neighbours become alike. So noise is carried as
particles, as in Burgert et al., *Go-with-the-Flow* (2025): values are moved, never mixed. A cell that several
particles reach keeps one; a cell that none reaches gets a fresh value. Which particle wins depends on positions
alone, so every cell of every frame is an independent standard normal value. Latent cells are large against the motion
of a frame, so particles live on a finer grid, and a latent cell is the sum of its k² particles' values divided by k:
a standard normal value again.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .warp import sampling_positions


class WarpedNoise:
    """The noise of a shot, frame after frame.

    Args:
        first: noise of the shot's first frame, (1, C, h, w), standard normal.
        generator: of the fresh values.
        fineness: k, particles along each side of a latent cell.
    """

    def __init__(self, first: Tensor, generator: torch.Generator | None, fineness: int = 4) -> None:
        self.generator = generator
        self.fineness = fineness
        channels, height, width = first.shape[1:]
        self.size = (height * fineness, width * fineness)
        fresh = self._fresh(channels)
        # Given what a cell sums up to, its particles are normal values with their mean moved there.
        mean = F.avg_pool2d(fresh[None], fineness)
        cells = F.interpolate(first.cpu().float() / fineness - mean, scale_factor=fineness, mode="nearest")[0]
        self.values = fresh + cells
        self.offsets = torch.zeros(2, *self.size)
        """Where in its cell the particle is, in cells from its centre, x first: motion below a cell must add up."""

    def latents(self) -> Tensor:
        """(1, C, h, w), standard normal."""
        return F.avg_pool2d(self.values[None], self.fineness) * self.fineness

    def advance(self, flow_forward: Tensor, trusted: Tensor) -> None:
        """Carry the noise from frame f − 1 to frame f.

        Args:
            flow_forward: (1, 2, H, W) in pixels, from frame f − 1 to frame f.
            trusted: (1, 1, H, W), 0 where frame f − 1 shows what frame f no longer does: particles end there.
        """
        height, width = self.size
        scale = torch.tensor([width / flow_forward.shape[-1], height / flow_forward.shape[-2]]).view(1, 2, 1, 1)
        motion = F.interpolate(flow_forward.cpu().float(), self.size, mode="bilinear", align_corners=False) * scale
        kept = F.interpolate(trusted.cpu().float(), self.size, mode="nearest").flatten() > 0.5
        x, y = (sampling_positions(motion)[0] + self.offsets).flatten(1)
        # Not round(), which sends halves to even numbers: a uniform motion would collide with itself.
        column, row = (x + 0.5).floor().long(), (y + 0.5).floor().long()
        kept &= (column >= 0) & (column < width) & (row >= 0) & (row < height)
        source = torch.nonzero(kept)[:, 0]
        target = (row * width + column)[source]
        offset = torch.stack([x - column, y - row])[:, source]
        source, target, offset = _one_each(source, target, offset, height * width)
        values = self._fresh(len(self.values)).flatten(1)
        offsets = torch.zeros(2, height * width)
        values[:, target] = self.values.flatten(1)[:, source]
        offsets[:, target] = offset
        self.values, self.offsets = values.view(-1, height, width), offsets.view(2, height, width)

    def _fresh(self, channels: int) -> Tensor:
        device = self.generator.device if self.generator else "cpu"
        return torch.randn(channels, *self.size, generator=self.generator, device=device).cpu()


def _one_each(source: Tensor, target: Tensor, offset: Tensor, cells: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of the particles that reach one cell keep the one nearest to its centre."""
    order = offset.square().sum(dim=0).argsort(descending=True, stable=True)
    # The highest rank of a cell is its nearest particle's.
    winner = torch.full((cells,), -1).scatter_reduce_(0, target[order], torch.arange(len(order)), reduce="amax")
    kept = order[winner[winner >= 0]]
    return source[kept], target[kept], offset[:, kept]
