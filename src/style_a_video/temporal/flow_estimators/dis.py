"""Dense Inverse Search, by OpenCV: fast on a CPU, needs no weights."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from ...frames import tensor_to_pixels
from ..flow import FlowEstimator


def estimator(*, device: str | torch.device = "cpu", fast: bool = False) -> FlowEstimator:
    """DIS (Kroeger et al., 2016), which always computes on the CPU.

    It is OpenCV's "medium" preset with smaller patches, a smoother field and, unless `fast`, the finest scale too. So a
    flat sky is not carried along by what passes in front of it (errors: `benchmarks/temporal.py`).
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setPatchSize(5)
    search.setVariationalRefinementAlpha(100.0)
    search.setFinestScale(1 if fast else 0)
    search.setVariationalRefinementIterations(5)
    if fast:
        search.setPatchStride(4)
        search.setGradientDescentIterations(12)

    def estimate(frames: Tensor, others: Tensor) -> Tensor:
        pairs = zip(_grey(frames), _grey(others), strict=True)
        flows = [search.calc(frame, other, None) for frame, other in pairs]
        return torch.from_numpy(np.stack(flows)).permute(0, 3, 1, 2).contiguous().to(frames.device)

    return estimate


def _grey(frames: Tensor) -> list[Any]:
    return [cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) for pixels in tensor_to_pixels(frames.detach().float())]
