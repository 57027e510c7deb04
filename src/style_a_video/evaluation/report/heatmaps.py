"""Where an output flickers: the warping error over the frames, drawn."""

from __future__ import annotations

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from torch import Tensor

from ...sheets import contact_sheet
from ..media import FULL_SCALE, heat_map

SHOWN = 8


class HeatMaps:
    """Collects the maps of some frames, evenly spread, as `measure` finds them."""

    def __init__(self, frames: int) -> None:
        self.wanted = set(np.unique(np.linspace(1, max(1, frames - 1), SHOWN).round().astype(int)).tolist())
        self.frames: dict[str, list[int]] = {"long": [], "short": []}
        self.rows: dict[str, list[NDArray[np.uint8]]] = {"long": [], "short": []}

    def __call__(self, frame: int, which: str, difference: Tensor) -> None:
        if frame in self.wanted:
            self.rows[which].append(heat_map(difference.numpy()))
            self.frames[which].append(frame)

    def sheet(self) -> PIL.Image.Image | None:
        """Both rows under their names; None when no frame has a pair."""
        labels = {
            "long": f"against the shot's first frame, frames {self._numbers('long')} "
            f"(black 0, brightest {FULL_SCALE} and more, grey not measured)",
            "short": f"against the frame before, frames {self._numbers('short')}",
        }
        rows = {labels[name]: pictures for name, pictures in self.rows.items() if pictures}
        return contact_sheet(rows) if rows else None

    def _numbers(self, which: str) -> str:
        return ", ".join(map(str, self.frames[which]))
