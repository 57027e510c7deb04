"""The baselines without diffusion, against NumPy and by what they are for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import style_a_video as sav
from style_a_video.demo import demo_clip
from style_a_video.evaluation.clips import clip_of
from style_a_video.evaluation.methods import classical
from style_a_video.evaluation.methods.classical import adain, gram
from style_a_video.frames import pixels_to_tensor

PENCIL = "Make it a pencil drawing."


def test_statistics_transfer_against_numpy() -> None:
    rng = np.random.default_rng(0)
    content, style = rng.normal(2, 3, (2, 4, 5, 6)), rng.normal(-1, 0.5, (1, 4, 7, 8))
    found = adain(torch.from_numpy(content), torch.from_numpy(style)).numpy()
    np.testing.assert_allclose(found.mean((2, 3)), style.mean((2, 3)).repeat(2, 0), atol=1e-6)
    np.testing.assert_allclose(found.std((2, 3), ddof=1), style.std((2, 3), ddof=1).repeat(2, 0), atol=1e-5)
    for one, other in zip(found.reshape(8, -1), content.reshape(8, -1), strict=True):
        assert np.corrcoef(one, other)[0, 1] == pytest.approx(1)
    expected = np.einsum("bchw,bdhw->bcd", content, content) / 30
    np.testing.assert_allclose(gram(torch.from_numpy(content)).numpy(), expected, atol=1e-9)


def test_statistics_transfer_knows_the_models_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same pictures, whatever the scaling factor of the latents."""
    style = pixels_to_tensor(demo_clip(2, 64, 48).frames[1:])
    monkeypatch.setattr(classical, "_style_picture", lambda *_: style)
    pipeline = sav.load_pipeline("bundled", device="cpu", dtype=torch.float32)
    small = clip_of("small", demo_clip(2, 64, 48).frames[:1])
    first = classical.statistics_transfer(pipeline).run(small, PENCIL)
    pipeline.vae.register_to_config(scaling_factor=0.5)
    torch.testing.assert_close(classical.statistics_transfer(pipeline).run(small, PENCIL), first)


def test_optimization_takes_the_styles_statistics() -> None:
    """After it the Gram matrices are much nearer to the style picture's than the frame's own."""
    pipeline = sav.load_pipeline("bundled", device="cpu", dtype=torch.float32)
    small = clip_of("small", demo_clip(2, 64, 48).frames[:1])
    output = classical.gatys(pipeline).run(small, PENCIL)
    layers = list(pipeline.vae.encoder.layers)[: max(classical.FEATURE_LAYERS) + 1]

    def grams(pictures: Tensor) -> list[Tensor]:
        x, found = pictures, []
        for number, layer in enumerate(layers):
            x = layer(x)
            if number in classical.FEATURE_LAYERS:
                found.append(x)
        return found

    with torch.no_grad():
        # These are the features that the encoder itself computes: its last layer gives the latents.
        x = pictures = pixels_to_tensor(small.pixels)
        for layer in pipeline.vae.encoder.layers:
            x = layer(x)
        torch.testing.assert_close(x, pipeline.vae.encode(pictures * 2 - 1).latents)
        wanted = [gram(x) for x in grams(classical._style_picture(pipeline, PENCIL))]
        before, after = (
            float(classical.style_loss(grams(x), wanted)) for x in (pixels_to_tensor(small.pixels), output)
        )
    assert after < 0.3 * before
