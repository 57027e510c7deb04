"""Shot cuts, frame by frame, by PySceneDetect."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scenedetect import ContentDetector, FrameTimecode

THRESHOLD = 27.0
"""PySceneDetect's own default: mean change of hue, saturation and value, of 255."""


class ShotDetector:
    """Says of every frame whether a new shot begins with it. State is one frame, whatever the video's length."""

    def __init__(self) -> None:
        # A shot may be a single frame: a flash must not be warped into what follows it.
        self._detector = ContentDetector(threshold=THRESHOLD, min_scene_len=1)
        self._count = 0

    def begins_shot(self, pixels: NDArray[np.uint8]) -> bool:
        """`pixels`: (H, W, 3) uint8 RGB, the next frame. The first frame begins a shot."""
        # The detector counts frames; the rate only names their times.
        cuts = self._detector.process_frame(FrameTimecode(self._count, 25.0), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        self._count += 1
        return self._count == 1 or bool(cuts)
