"""RAFT, by torchvision: slower than DIS, best on a GPU."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ...dependencies import require
from ...devices import threads
from ...errors import InputError
from ..flow import FlowEstimator

SMALLEST_SIDE = 128
"""RAFT correlates pictures an eighth of the size over four levels: below this, the last one is empty."""


def estimator(*, device: str | torch.device = "cpu", fast: bool = False) -> FlowEstimator:
    """RAFT, small (Teed and Deng, 2020). torchvision fetches its weights on first use. `fast` changes nothing.

    Raises InputError when torchvision is not installed, or its weights cannot be fetched.
    """
    require("torchvision", "RAFT", "pip install torchvision, or use dis, which needs nothing more")
    from torchvision.models.optical_flow import Raft_Small_Weights, raft_small

    try:
        model = raft_small(weights=Raft_Small_Weights.DEFAULT).eval().to(device)
    except OSError as error:
        raise InputError(
            f"RAFT's weights cannot be fetched ({error}): connect for the first use, or use dis"
        ) from error

    own = torch.get_num_threads()  # the caller may compute in one, as suits DIS

    @torch.no_grad()
    def estimate(frames: Tensor, others: Tensor) -> Tensor:
        height, width = frames.shape[-2:]
        # RAFT wants multiples of 8.
        bottom, right = (max(SMALLEST_SIDE, -(-side // 8) * 8) - side for side in (height, width))
        padded = [F.pad(x * 2 - 1, (0, right, 0, bottom), mode="replicate").to(device) for x in (frames, others)]
        with threads(own):
            flow: Tensor = model(*padded)[-1][..., :height, :width]
        return flow.float().to(frames.device)

    return estimate
