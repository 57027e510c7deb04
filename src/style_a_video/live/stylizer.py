"""One frame in, the same frame in the style out, for programs that have frames and want them now."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np

from ..errors import InputError
from ..frames import Pixels
from ..models import load_pipeline
from ..models.loading import load_refiner
from ..pipeline import StyleAVideoPipeline
from ..settings import Settings
from ..stream import stylized_frames
from ..video import VideoFrame

LIVE: dict[str, Any] = {"keyframe_interval": 1, "batch_size": 1}
"""Nothing waits for a later frame."""


def checked(prompt: str, settings: Mapping[str, Any]) -> Settings:
    """The settings of a live stream. Raises InputError for those that it cannot have, and for an empty prompt."""
    chosen = Settings(**settings)
    if chosen.keyframe_interval != 1:
        raise InputError("a live stream has no keyframe_interval: nothing waits for a later frame")
    if chosen.style_image is None and not (isinstance(prompt, str) and prompt.strip()):
        raise InputError('the prompt is empty: describe the style, e.g. "a pencil drawing"')
    return chosen


class LiveStylizer:
    """Stylizes frame after frame, as a stream does that never looks ahead; memory does not grow.

    Every frame is denoised in full, and the refinement network steadies it by the frame before.

    >>> stylizer = LiveStylizer("a pencil drawing")                                 # doctest: +SKIP
    >>> shown = stylizer(frame)                                                     # doctest: +SKIP

    Args:
        prompt: the style, one sentence. May be empty beside `style_image`.
        pipeline: the model; the bundled one by default, or that of `model`.
        settings: others of `Settings`, e.g. `size`, `strength`, `preserve_color`, `style_image`, `seed`.

    Raises:
        InputError: for settings that are out of range or that this model cannot use.
    """

    def __init__(self, prompt: str, pipeline: StyleAVideoPipeline | None = None, **settings: Any) -> None:
        model = checked(prompt, LIVE | settings).model
        self.pipeline = pipeline or load_pipeline(model)
        has_fast = bool(self.pipeline.config.fast_defaults)
        self.settings, self.prompt = checked(prompt, LIVE | {"fast": has_fast} | settings), prompt
        self._refiner = load_refiner()
        self._waiting: deque[VideoFrame] = deque()
        self._shape: tuple[int, ...] = ()
        self._begin()

    def change(self, prompt: str | None = None, **settings: Any) -> None:
        """Another prompt, other settings, or both, from the next frame on. Raises InputError as the class does."""
        wanted = self.prompt if prompt is None else prompt
        chosen = checked(wanted, dict(self.settings) | settings)
        self.pipeline.resolve(chosen)
        if chosen.model != self.settings.model:
            raise InputError("a live stream keeps its model: make another LiveStylizer")
        self.settings, self.prompt = chosen, wanted
        self._begin()

    def __call__(self, frame: Pixels) -> Pixels:
        """The frame in the style, of the same size: both (H, W, 3) uint8 RGB.

        It is worked at `settings.size` and enlarged again. Raises InputError for anything else than such a frame.
        """
        if not isinstance(frame, np.ndarray) or frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise InputError("a frame is an array (H, W, 3) of uint8, RGB")
        if frame.shape != self._shape:
            self._shape = frame.shape
            self._begin()
        height, width = frame.shape[:2]
        scale = self._size / min(height, width)
        size = tuple(max(2, 2 * round(side * scale / 2)) for side in (width, height))
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        self._waiting.append(VideoFrame(np.asarray(small), 0))
        try:
            stylized = next(self._stream).pixels
        except BaseException:
            self._begin()  # a generator that raised is at its end
            raise
        return np.asarray(cv2.resize(stylized, (width, height), interpolation=cv2.INTER_CUBIC))

    def _begin(self) -> None:
        self._size = self.pipeline.resolve(self.settings).size
        self._waiting.clear()
        refiner = self._refiner if self.settings.refine else None
        self._stream = stylized_frames(self.pipeline, self._frames(), self.prompt, self.settings, refiner)

    def _frames(self) -> Iterator[VideoFrame]:
        while True:
            yield self._waiting.popleft()
