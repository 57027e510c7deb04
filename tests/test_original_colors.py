"""`preserve_color`: the frame's chroma, the picture's luma."""

from __future__ import annotations

import colorsys

import numpy as np
import torch

from style_a_video.original_colors import with_colors_of
from style_a_video.settings import Settings
from style_a_video.stream import stylized_frames
from tests.conftest import tiny_pipeline
from tests.stream.helpers import ONE_STEP, shot, video


def test_luma_and_chroma_pixel_by_pixel() -> None:
    rng = np.random.default_rng(0)
    frames, pictures = rng.random((2, 3, 6, 5)), rng.random((2, 3, 6, 5))
    found = with_colors_of(torch.from_numpy(frames), torch.from_numpy(pictures)).numpy()
    for n, y, x in np.ndindex(2, 6, 5):
        frame_luma, frame_i, frame_q = yuv(frames[n, :, y, x])
        picture_luma = yuv(pictures[n, :, y, x])[0]
        luma, i, q = yuv(found[n, :, y, x])
        np.testing.assert_allclose((i, q), (frame_i, frame_q), atol=1e-9)
        if abs(luma - picture_luma) > 1e-9:  # then one of the colours lies on the border of the cube
            assert min(found[n, :, y, x].min(), 1 - found[n, :, y, x].max()) < 1e-9
            assert abs(luma - picture_luma) < abs(frame_luma - picture_luma)


def yuv(color: np.ndarray) -> tuple[float, float, float]:
    red, green, blue = color
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return luma, (blue - luma) / 1.8556, (red - luma) / 1.5748


def test_a_grey_frame_makes_a_grey_picture_and_a_grey_picture_a_coloured_one() -> None:
    grey, colored = torch.full((1, 3, 4, 4), 0.5), torch.tensor([0.6, 0.4, 0.3]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    assert float(with_colors_of(grey, colored).std(dim=1).max()) < 1e-6
    found = with_colors_of(colored, grey)[0, :, 0, 0].tolist()
    assert abs(colorsys.rgb_to_hls(*found)[0] - colorsys.rgb_to_hls(0.6, 0.4, 0.3)[0]) < 1e-6


def test_the_stream_keeps_the_frames_chroma() -> None:
    pictures = shot(3, 4)
    settings = Settings(**ONE_STEP, keyframe_interval=2, preserve_color=True, refine=False)
    found = np.stack([one.pixels for one in stylized_frames(tiny_pipeline(), video(pictures), "a cat", settings)])
    chroma, expected = (np.stack([one[..., 0] - one[..., 1], one[..., 2] - one[..., 1]]).mean(axis=(1, 2, 3))
                        for one in (found.astype(float), np.stack(pictures).astype(float)))  # fmt: skip
    np.testing.assert_allclose(chroma, expected, atol=1)
