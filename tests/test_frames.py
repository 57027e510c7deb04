"""Pictures between their forms: exact both ways, and one line for what is no video."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch

import style_a_video as sav
from style_a_video import frames

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 5, 7, 3), dtype=np.uint8)


def test_every_form_of_a_video_is_the_same_tensor() -> None:
    expected = torch.from_numpy(PIXELS.transpose(0, 3, 1, 2).astype(np.float32) / 255)
    images = [PIL.Image.fromarray(pixels) for pixels in PIXELS]
    for video in (PIXELS, PIXELS / 255, torch.from_numpy(PIXELS).permute(0, 3, 1, 2), expected, images):
        torch.testing.assert_close(frames.video_to_tensor(video), expected)


BAD: list[tuple[Any, str]] = [
    ([], "non-empty list"),
    (PIXELS[0], r"shape \(5, 7, 3\)"),
    (PIXELS[..., :2], "expected"),
    (PIXELS.astype(np.int32), "give uint8"),
    (PIXELS / 255 + 0.1, "outside"),
    (np.full((1, 4, 4, 3), np.nan), "outside"),
    ([PIL.Image.new("RGB", (4, 4)), PIL.Image.new("RGB", (5, 4))], "differ in size"),
]


@pytest.mark.parametrize(("video", "message"), BAD)
def test_what_is_no_video_is_one_line(video: Any, message: str) -> None:
    with pytest.raises(sav.InputError, match=message):
        frames.video_to_tensor(video)


def test_bytes_survive_the_way_there_and_back() -> None:
    np.testing.assert_array_equal(frames.tensor_to_pixels(frames.pixels_to_tensor(PIXELS)), PIXELS)
    np.testing.assert_array_equal(frames.tensor_to_pixels(frames.pixels_to_tensor(PIXELS[0]))[0], PIXELS[0])
    np.testing.assert_array_equal(frames.picture_to_pixels(frames.pixels_to_picture(PIXELS)), PIXELS)
    one = frames.tensor_to_picture(frames.pixels_to_tensor(PIXELS[1]))
    np.testing.assert_allclose(one, PIXELS[1] / 255, atol=1e-7)


def test_values_outside_the_range_are_clipped() -> None:
    found = frames.tensor_to_pixels(torch.tensor([-0.5, 0.25, 1.5]).view(1, 3, 1, 1))
    assert found.ravel().tolist() == [0, 64, 255]


@pytest.mark.parametrize("multiple", [1, 4, 8])
def test_padding_repeats_the_last_line(multiple: int) -> None:
    found = frames.pad_to_multiple(frames.pixels_to_tensor(PIXELS), multiple)
    height, width = (-(-side // multiple) * multiple for side in (5, 7))
    expected = np.pad(PIXELS, ((0, 0), (0, height - 5), (0, width - 7), (0, 0)), mode="edge")
    np.testing.assert_array_equal(frames.tensor_to_pixels(found), expected)


def test_output_types() -> None:
    tensor = frames.pixels_to_tensor(PIXELS)
    assert frames.tensor_to_output(tensor, "pt") is tensor
    array, images = (frames.tensor_to_output(tensor, kind) for kind in ("np", "pil"))
    np.testing.assert_allclose(array, PIXELS / 255, atol=1e-7)
    np.testing.assert_array_equal(np.stack([np.asarray(image) for image in images]), PIXELS)


def test_sizes_and_files() -> None:
    one = PIXELS[0]
    assert frames.resize_pixels(one, (7, 5)) is one
    assert frames.resize_pixels(one, (14, 10)).shape == (10, 14, 3)
    stored = PIL.Image.open(io.BytesIO(frames.encode_image(PIL.Image.fromarray(PIXELS[0]))))
    np.testing.assert_array_equal(np.asarray(stored), PIXELS[0])
