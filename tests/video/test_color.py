"""Colour: HDR and wide gamut against the standards' formulas, guesses of the matrix, transparency."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import PIL.Image
import pytest

from style_a_video.video import VideoReader
from style_a_video.video.color import BACKGROUND, GAMMA, HLG, PQ, SHOULDER, TO_BT709, compressed, to_bt709

WHITE_NITS = 203.0
PRIMARIES = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}


def to_xyz(primaries: int) -> np.ndarray:
    """Linear RGB to XYZ from chromaticities, with white D65 (SMPTE RP 177)."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in PRIMARIES[primaries]]).T
    white = np.array([0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290])
    return columns * np.linalg.solve(columns, white)


@pytest.mark.parametrize("primaries", [9, 12])
def test_matrices_follow_from_the_chromaticities(primaries: int) -> None:
    expected = np.linalg.solve(to_xyz(1), to_xyz(primaries))
    np.testing.assert_allclose(TO_BT709[primaries], expected, atol=2e-3)


def pq_code(nits: float) -> float:
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = (nits / 10000) ** m1
    return ((c1 + c2 * power) / (1 + c3 * power)) ** m2


def hlg_code(nits: float) -> float:
    scene = (nits / 1000) ** (1 / 1.2)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return (3 * scene) ** 0.5 if scene <= 1 / 12 else a * np.log(12 * scene - b) + c


@pytest.mark.parametrize(("transfer", "encode"), [(PQ, pq_code), (HLG, hlg_code)])
def test_hdr_shows_what_sdr_can_show_as_it_is(transfer: int, encode: Callable[[float], float]) -> None:
    """A BT.709 colour below the shoulder, put into BT.2020 and HDR by the standards' formulas, comes back."""
    rng = np.random.default_rng(0)
    colours = rng.integers(5, 220, (40, 3))
    linear = (colours / 255) ** GAMMA
    wide = linear @ np.linalg.solve(to_xyz(9), to_xyz(1)).T
    codes = np.array([[encode(WHITE_NITS * value) for value in row] for row in wide])
    pixels = np.rint(65535 * codes).astype(np.uint16)[None]
    shown = to_bt709(pixels, transfer, 9)[0]
    kept = linear.max(axis=1) < SHOULDER
    assert kept.sum() > 20
    assert np.abs(shown[kept].astype(int) - colours[kept]).max() <= 2


def test_highlights_are_bent_without_a_step() -> None:
    light = np.linspace(0, 5, 2001, dtype=np.float32)
    bent = compressed(light)
    np.testing.assert_allclose(bent[light <= SHOULDER], light[light <= SHOULDER])
    slopes = np.diff(bent) / np.diff(light)
    assert slopes.min() >= 0
    assert np.abs(np.diff(slopes)).max() < 0.02
    assert 0.99 < bent[-1] <= 1


def _clip(path: Path, colour: tuple[int, int, int], size: tuple[int, int], tagged: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.colorspace = tagged
        picture = np.full((size[1], size[0], 3), colour, np.uint8)
        for _ in range(2):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            matrix = "ITU709" if size[1] > 576 else "ITU601"
            container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace=matrix)))
        container.mux(stream.encode(None))
    return path


# Small pictures in BT.601 are not tagged BT.709.
@pytest.mark.parametrize(("size", "tagged"), [((1280, 720), 1), ((1280, 720), 2), ((64, 48), 2)])
def test_untagged_video_has_the_matrix_of_its_size(tmp_path: Path, size: tuple[int, int], tagged: int) -> None:
    path = _clip(tmp_path / "in.mp4", (200, 60, 40), size, tagged)
    shown = next(VideoReader(path).frames()).pixels
    assert np.abs(shown[8, 8].astype(int) - (200, 60, 40)).max() <= 3


def test_transparent_pictures_lie_on_white(tmp_path: Path) -> None:
    pixels = np.full((20, 20, 4), (255, 0, 255, 0), np.uint8)
    pixels[:10] = (200, 60, 40, 255)
    pixels[10:12] = (0, 0, 0, 128)
    PIL.Image.fromarray(pixels).save(tmp_path / "a.png")
    shown = next(VideoReader(tmp_path / "a.png").frames()).pixels
    assert shown[4, 4].tolist() == [200, 60, 40]
    assert shown[16, 4].tolist() == list(BACKGROUND)
    assert abs(int(shown[10, 4, 0]) - 127) <= 1


def test_a_transparent_palette_lies_on_white(tmp_path: Path) -> None:
    picture = PIL.Image.new("P", (20, 20), 1)
    picture.putpalette([0, 0, 0, 200, 60, 40])
    picture.paste(0, (0, 10, 20, 20))
    picture.save(tmp_path / "a.png", transparency=0)
    shown = next(VideoReader(tmp_path / "a.png").frames()).pixels
    assert shown[4, 4].tolist() == [200, 60, 40]
    assert shown[16, 4].tolist() == list(BACKGROUND)
