"""All eight orientations: against the matrix applied to coordinates, and EXIF against Pillow."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest

from style_a_video.video import VideoReader
from style_a_video.video.orientation import orientation_of
from tests.conftest import moving_picture


@pytest.mark.parametrize(
    "matrix",
    [
        (*diagonal, *other) if straight else (*other, *diagonal)
        for straight, diagonal, other in product((True, False), product((1, -1), repeat=2), ((0, 0),))
    ],
)
def test_every_pixel_goes_where_the_matrix_puts_it(matrix: tuple[int, int, int, int]) -> None:
    first, second, third, fourth = matrix
    a, d, b, c = (first, second, 0, 0) if third == fourth == 0 else (0, 0, third, fourth)
    values = np.array([a, b, 0, c, d, 0, 0, 0, 1 << 14], np.int32) * (1 << 16)
    frame = SimpleNamespace(side_data={"DISPLAYMATRIX": values.tobytes()})
    picture = np.arange(3 * 5).reshape(3, 5, 1).astype(np.uint8)
    orientation = orientation_of(frame)
    shown = orientation.apply(picture)
    places = {}
    for y, x in product(range(3), range(5)):
        places[a * x + c * y, b * x + d * y] = int(picture[y, x, 0])
    left, top = (min(place[k] for place in places) for k in (0, 1))
    assert shown.shape[:2] == orientation.size(5, 3)[::-1]
    for (x, y), value in places.items():
        assert shown[y - top, x - left, 0] == value


@pytest.mark.parametrize("tag", range(1, 9))
def test_exif_as_pillow_shows_it(tmp_path: Path, tag: int) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = tag
    PIL.Image.fromarray(moving_picture(1, 64, 32)[0]).save(tmp_path / "a.jpg", exif=exif, quality=95)
    expected = np.asarray(PIL.ImageOps.exif_transpose(PIL.Image.open(tmp_path / "a.jpg")))
    shown = next(VideoReader(tmp_path / "a.jpg").frames()).pixels
    assert shown.shape == expected.shape
    assert np.abs(shown.astype(int) - expected).mean() < 6
