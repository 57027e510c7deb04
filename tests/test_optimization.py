"""Sampling optimization: the loss and x̂_0 against NumPy, and both gradients against finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler

from style_a_video.guidance import branch_weights, combine
from style_a_video.optimization import (
    alpha_cumprod_at,
    clip_image_embedding,
    constant_prediction,
    content_loss,
    predict_clean,
    prediction_of,
)
from style_a_video.sampling import Conditions, ContentGuide, _content_gradient, evaluate_branches
from tests.conftest import tiny_pipeline


def test_content_loss_is_one_minus_cosine() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 3, 7))
    expected = [
        1 - sum(x * y for x, y in zip(p, q, strict=True)) / np.sqrt(sum(p**2) * sum(q**2))
        for p, q in zip(a, b, strict=True)
    ]
    np.testing.assert_allclose(content_loss(torch.tensor(a), torch.tensor(b)).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction", "sample"])
def test_clean_prediction_inverts_the_forward_process(prediction_type: str) -> None:
    rng = np.random.default_rng(1)
    clean, noise = rng.normal(size=(2, 2, 3, 4, 4))
    for alpha_cumprod in (0.9, 0.4, 0.01):
        alpha, sigma = np.sqrt(alpha_cumprod), np.sqrt(1 - alpha_cumprod)
        noisy = alpha * clean + sigma * noise
        output = {"epsilon": noise, "v_prediction": alpha * noise - sigma * clean, "sample": clean}[prediction_type]
        found = predict_clean(torch.tensor(output), torch.tensor(noisy), torch.tensor(alpha_cumprod), prediction_type)
        np.testing.assert_allclose(found.numpy(), clean, atol=1e-5)


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction", "sample"])
def test_constant_prediction_keeps_the_value_and_has_a_gradient(prediction_type: str) -> None:
    z = torch.randn(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    output, alpha_cumprod = torch.randn(1, 2, 3, 3, dtype=torch.float64), torch.tensor(0.3)
    constant, kind = constant_prediction(output, z, alpha_cumprod, prediction_type)
    clean = predict_clean(constant, z, alpha_cumprod, kind)
    torch.testing.assert_close(clean, predict_clean(output, z, alpha_cumprod, prediction_type))
    factor = {"epsilon": 0.3**-0.5, "v_prediction": 0.3**0.5, "sample": 0.3**0.5}[prediction_type]
    gradient = torch.autograd.grad(clean.sum(), z)[0]
    torch.testing.assert_close(gradient, torch.full_like(z, factor))


def test_unknown_prediction_type() -> None:
    with pytest.raises(ValueError, match="flow"):
        predict_clean(torch.zeros(1), torch.zeros(1), torch.tensor(0.5), "flow")
    with pytest.raises(ValueError, match="flow"):
        prediction_of(torch.zeros(1), torch.zeros(1), torch.tensor(0.5), "flow")


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction", "sample"])
def test_the_prediction_of_a_clean_sample_predicts_it(prediction_type: str) -> None:
    clean, z = torch.randn(2, 3, 4, 5), torch.randn(2, 3, 4, 5)
    alpha_cumprod = torch.tensor(0.3)
    prediction = prediction_of(clean, z, alpha_cumprod, prediction_type)
    torch.testing.assert_close(predict_clean(prediction, z, alpha_cumprod, prediction_type), clean)


@pytest.mark.parametrize("scheduler_class", [DDIMScheduler, EulerDiscreteScheduler])
@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
def test_clean_prediction_equals_the_schedulers_own(scheduler_class: Any, prediction_type: str) -> None:
    """A peer: `pred_original_sample` of diffusers' schedulers, also where z_t is scaled to σ-space (Euler)."""
    scheduler = scheduler_class(
        prediction_type=prediction_type, **({"clip_sample": False} if scheduler_class is DDIMScheduler else {})
    )
    scheduler.set_timesteps(7)
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(1, 4, 3, 3, generator=generator, dtype=torch.float64) * scheduler.init_noise_sigma
    output = torch.randn(1, 4, 3, 3, generator=generator, dtype=torch.float64)
    timestep = scheduler.timesteps[0]
    sample = scheduler.scale_model_input(z, timestep)
    mine = predict_clean(output, sample, alpha_cumprod_at(scheduler, timestep), prediction_type)
    theirs = scheduler.step(output, timestep, z).pred_original_sample
    torch.testing.assert_close(mine, theirs.double(), atol=1e-4, rtol=1e-4)


def _problem(mode: str) -> tuple[Any, Any, torch.Tensor, Any, ContentGuide]:
    """A float64 pipeline, latents, a timestep and a content guide."""
    pipeline = tiny_pipeline()
    for module in (pipeline.unet, pipeline.vae, pipeline.image_encoder):
        module.double()
    pipeline.scheduler = DDIMScheduler(clip_sample=False)
    pipeline.scheduler.set_timesteps(4)
    generator = torch.Generator().manual_seed(3)
    images = torch.rand(1, 3, 16, 16, generator=generator, dtype=torch.float64)
    conditions = Conditions(
        torch.randn(1, 4, 8, 8, generator=generator, dtype=torch.float64),
        torch.randn(1, 6, 16, generator=generator, dtype=torch.float64),
        torch.zeros(1, 6, 16, dtype=torch.float64),
    )
    weights = branch_weights("joint", 1.5, 3.0, 0.0)
    embed = clip_image_embedding(pipeline.image_encoder, None)

    def precise_embed(x: torch.Tensor) -> torch.Tensor:
        # As clip_image_embedding, but without its step down to float32, which finite differences would feel.
        small = torch.nn.functional.interpolate(x, size=(16, 16), mode="bilinear", antialias=True)
        mean, std = (torch.tensor(v, dtype=torch.float64).view(1, 3, 1, 1) for v in (MEAN, STD))
        return pipeline.image_encoder(pixel_values=(small - mean) / std).image_embeds

    torch.testing.assert_close(embed(images), precise_embed(images).float(), atol=1e-5, rtol=1e-5)

    def decode(z: torch.Tensor) -> torch.Tensor:
        return pipeline.vae.decode(z).sample / 2 + 0.5

    def evaluate(z: torch.Tensor, timestep: Any, mask: torch.Tensor | None) -> tuple[torch.Tensor, None]:
        return combine(evaluate_branches(pipeline.unet, z, timestep, weights, conditions, None), weights), None

    timestep = pipeline.scheduler.timesteps[2]
    z = torch.randn(1, 4, 8, 8, generator=generator, dtype=torch.float64)
    return pipeline, evaluate, z, timestep, ContentGuide(precise_embed(images), precise_embed, decode, 1.0, mode)


MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


@pytest.mark.parametrize("mode", ["exact", "decoder"])
def test_gradient_against_finite_differences(mode: str) -> None:
    pipeline, evaluate, z, timestep, guide = _problem(mode)
    gradient, _ = _content_gradient(evaluate, pipeline.scheduler, z, timestep, None, guide)
    alpha_cumprod = pipeline.scheduler.alphas_cumprod[timestep].double()
    constant = evaluate(z, timestep, None)[0]

    def loss(latents: torch.Tensor) -> float:
        noise = evaluate(latents, timestep, None)[0] if mode == "exact" else constant
        clean = (latents - (1 - alpha_cumprod).sqrt() * noise) / alpha_cumprod.sqrt()
        a, b = guide.embed(guide.decode(clean)), guide.target
        return float(1 - (a * b).sum() / (a.norm() * b.norm()))

    rng = np.random.default_rng(0)
    with torch.no_grad():
        for _ in range(6):
            index = tuple(int(rng.integers(n)) for n in z.shape)
            step = torch.zeros_like(z)
            step[index] = 1e-5
            difference = (loss(z + step) - loss(z - step)) / 2e-5
            assert float(gradient[index]) == pytest.approx(difference, rel=1e-3, abs=1e-9)


def test_the_two_gradients_differ() -> None:
    """If they did not, the UNet would not be differentiated at all."""
    pipeline, evaluate, z, timestep, exact = _problem("exact")
    through, _ = _content_gradient(evaluate, pipeline.scheduler, z, timestep, None, exact)
    decoder = ContentGuide(exact.target, exact.embed, exact.decode, 1.0, "decoder")
    constant, _ = _content_gradient(evaluate, pipeline.scheduler, z, timestep, None, decoder)
    assert float((through - constant).abs().max()) > 1e-3 * float(constant.abs().max())
