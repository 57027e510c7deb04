"""Contact sheets show what they say."""

from __future__ import annotations

import numpy as np
import pytest

from style_a_video.sheets import LABEL_HEIGHT, contact_sheet, labelled_grid


def test_sheet_has_a_row_per_label() -> None:
    pictures = [np.full((20, 30, 3), value, np.uint8) for value in (0, 120)]
    sheet = contact_sheet({"input": pictures, "output": pictures}, height=40)
    assert sheet.size[1] >= 2 * (40 + LABEL_HEIGHT)
    pixels = np.asarray(sheet)
    assert (pixels[LABEL_HEIGHT + 20, 10] == 0).all()
    assert (pixels[LABEL_HEIGHT + 20, 4 + 60 + 4 + 10] == 120).all()


@pytest.mark.parametrize("count", [1, 4, 5])
def test_grid_holds_every_cell(count: int) -> None:
    cells = {f"style {k}": np.full((20, 30, 3), 10 * k, np.uint8) for k in range(count)}
    sheet = labelled_grid(cells, columns=4, height=40)
    assert sheet.size[1] // (40 + LABEL_HEIGHT) == -(-count // 4)
