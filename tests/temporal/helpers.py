"""What the tests of this folder share: uniform motion, and frames that nowhere look alike."""

from __future__ import annotations

import torch

from style_a_video.temporal import Motion
from style_a_video.temporal.correspondence import Correspondence

SIZE = (40, 48)


def ones():
    return torch.ones(1, 1, *SIZE)


def correspondence(x, y, mask=None):
    flow = torch.zeros(1, 2, *SIZE)
    flow[:, 0], flow[:, 1] = x, y
    return Correspondence(flow, ones() if mask is None else mask)


def motion(x, y, mask=None):
    """Everything moves by (x, y) in a frame; trusted, both ways, where `mask` is 1."""
    trusted = ones() if mask is None else mask
    return Motion(correspondence(-x, -y).flow, trusted, correspondence(x, y).flow, trusted, 0 * ones())


FLAT = [torch.full((1, 3, *SIZE), light) for light in (0.0, 0.5)]
"""Two input frames of one structure that nowhere look alike."""
