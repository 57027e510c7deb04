"""The denoising loop against a NumPy DDIM loop written from the method, and its UNet evaluations in every mode."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler
from torch import nn

from style_a_video.guidance import branch_weights
from style_a_video.sampling import Conditions, ContentGuide, denoise
from style_a_video.self_attention import AttentionRecord

FRAMES, CHANNELS, H, W = 2, 3, 4, 6


class ToyUNet(nn.Module):
    """ε = tanh(a·z + b·slot + c·mean(text) + d·t), and an attention output that depends on the slot."""

    def __init__(self, record: AttentionRecord) -> None:
        super().__init__()
        self.record, self.calls, self.evaluations = record, 0, 0

    def forward(self, inputs: torch.Tensor, timestep: Any, encoder_hidden_states: torch.Tensor) -> SimpleNamespace:
        self.calls += 1
        self.evaluations += len(inputs) // FRAMES
        z, slot = inputs.chunk(2, dim=1)
        text = encoder_hidden_states.mean(dim=(1, 2)).view(-1, 1, 1, 1)
        self.record.output = (z + 2 * slot).flatten(2).transpose(1, 2)
        return SimpleNamespace(sample=torch.tanh(0.5 * z + 0.8 * slot + text + 0.0003 * float(timestep)))


def _toy(z: np.ndarray, slot: np.ndarray, text: float, t: float) -> np.ndarray:
    return np.tanh(0.5 * z + 0.8 * slot + text + 0.0003 * t)


def _setup() -> tuple[ToyUNet, AttentionRecord, DDIMScheduler, torch.Tensor, Conditions]:
    generator = torch.Generator().manual_seed(0)
    record = AttentionRecord()
    scheduler = DDIMScheduler(clip_sample=False, timestep_spacing="trailing")
    scheduler.set_timesteps(4)
    z = torch.randn(FRAMES, CHANNELS, H, W, generator=generator, dtype=torch.float64)
    frame = torch.randn(FRAMES, CHANNELS, H, W, generator=generator, dtype=torch.float64)
    text = torch.full((1, 5, 8), 0.3, dtype=torch.float64)
    return ToyUNet(record), record, scheduler, z, Conditions(frame, text, torch.full_like(text, -0.1))


def _numpy_denoise(guidance: str, scales: tuple[float, float, float], refresh: str, weight: float) -> np.ndarray:
    """Sections 2.2 to 2.4 of the method in plain NumPy, one frame at a time. L_s of the toy problem is ½‖x̂_0 −
    target‖² / n."""
    _, _, scheduler, z_all, conditions = _setup()
    alpha_cumprod = scheduler.alphas_cumprod.double().numpy()
    s_image, s_text, s_mask = scales
    results = []
    for f in range(FRAMES):
        z, frame = z_all[f].numpy().copy(), conditions.frame[f].numpy()
        nothing, previous = np.zeros_like(frame), None
        steps = [int(t) for t in scheduler.timesteps]
        for t in steps:

            def mask_of(z: np.ndarray, frame: np.ndarray = frame) -> np.ndarray:
                average = (z + 2 * frame).mean(axis=0)
                return (average > average.mean())[None]

            def guided(
                z: np.ndarray, mask: np.ndarray, t: int = t, frame: np.ndarray = frame, nothing: np.ndarray = nothing
            ) -> np.ndarray:
                none, image = _toy(z, nothing, -0.1, t), _toy(z, frame, -0.1, t)
                masked = _toy(z, mask * frame, -0.1, t)
                if guidance == "independent":
                    text = _toy(z, nothing, 0.3, t)
                    return (1 - s_image - s_text - s_mask) * none + s_image * image + s_text * text + s_mask * masked
                both = _toy(z, frame, 0.3, t)
                return none + s_image * (image - none) + s_text * (both - image) + s_mask * (masked - none)

            now = mask_of(z)
            mask = now if refresh == "exact" or previous is None else previous
            a = alpha_cumprod[t]
            noise = guided(z, mask)
            if weight:
                clean = (z - np.sqrt(1 - a) * noise) / np.sqrt(a)
                gradient = (clean - 1.0) / clean.size / np.sqrt(a)  # "decoder": ε̃ is a constant
                z = z - weight * gradient
                noise = guided(z, now)
            clean = (z - np.sqrt(1 - a) * noise) / np.sqrt(a)
            before = t - 1000 // 4
            a_before = alpha_cumprod[before] if before >= 0 else 1.0
            z = np.sqrt(a_before) * clean + np.sqrt(1 - a_before) * noise
            previous = now
        results.append(z)
    return np.stack(results)


@pytest.mark.parametrize("guidance", ["independent", "joint"])
@pytest.mark.parametrize("refresh", ["exact", "lagged"])
@pytest.mark.parametrize("scales", [(1.5, 3.0, 0.7), (1.2, 2.0, 0.0)])
def test_loop_equals_numpy(guidance: str, refresh: str, scales: tuple[float, float, float]) -> None:
    unet, record, scheduler, z, conditions = _setup()
    weights = branch_weights(guidance, *scales)
    result = denoise(unet, scheduler, z, scheduler.timesteps, weights, conditions, record, refresh)
    np.testing.assert_allclose(result.numpy(), _numpy_denoise(guidance, scales, refresh, 0.0), rtol=1e-6, atol=1e-5)


def test_content_step_equals_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """2.4 with a loss whose gradient is known by hand: the step is taken from z_t − λ·Δz_t with its ε̃."""
    from style_a_video import sampling

    monkeypatch.setattr(
        sampling, "content_loss", lambda clean, target: 0.5 * ((clean - target) ** 2).mean(dim=(1, 2, 3))
    )
    unet, record, scheduler, z, conditions = _setup()
    guide = ContentGuide(torch.ones_like(z), lambda x: x, lambda x: x, 5.0, "decoder")
    weights = branch_weights("joint", 1.5, 3.0, 0.7)
    result = denoise(unet, scheduler, z, scheduler.timesteps, weights, conditions, record, "exact", guide)
    np.testing.assert_allclose(result.numpy(), _numpy_denoise("joint", (1.5, 3.0, 0.7), "exact", 5.0), atol=1e-5)


IDENTITY_GUIDE = {"embed": lambda x: x.flatten(1), "decode": lambda x: x}


@pytest.mark.parametrize(
    ("guidance", "scales", "refresh", "content", "calls", "evaluations"),
    [
        ("joint", (1.5, 3.0, 0.0), "exact", None, [1] * 4, [3] * 4),
        ("joint", (1.0, 1.0, 0.0), "exact", None, [1] * 4, [1] * 4),
        ("independent", (1.5, 3.0, 0.0), "lagged", None, [1] * 4, [3] * 4),
        ("independent", (1.5, 3.0, 0.7), "exact", None, [2] * 4, [4] * 4),
        ("joint", (1.5, 3.0, 0.7), "exact", None, [2] * 4, [4] * 4),
        ("joint", (1.5, 3.0, 0.7), "lagged", None, [2, 1, 1, 1], [4] * 4),
        # s_I = s_T: the (c_I, ∅) branch has no weight, but makes the mask.
        ("joint", (2.0, 2.0, 0.7), "lagged", None, [2, 1, 1, 1], [4] * 4),
        ("joint", (1.5, 3.0, 0.0), "exact", "decoder", [2] * 4, [6] * 4),
        ("joint", (1.5, 3.0, 0.0), "exact", "exact", [2] * 4, [6] * 4),
        ("joint", (1.5, 3.0, 0.7), "exact", "exact", [3] * 4, [8] * 4),
        ("joint", (1.5, 3.0, 0.7), "lagged", "decoder", [3, 2, 2, 2], [8] * 4),
    ],
)
def test_number_of_unet_evaluations(
    guidance: str,
    scales: tuple[float, ...],
    refresh: str,
    content: str | None,
    calls: list[int],
    evaluations: list[int],
) -> None:
    unet, record, scheduler, z, conditions = _setup()
    counted: list[tuple[int, int]] = []

    def count(_index: int, _timestep: Any, latents: torch.Tensor) -> torch.Tensor:
        counted.append((unet.calls, unet.evaluations))
        unet.calls = unet.evaluations = 0
        return latents

    guide = ContentGuide(torch.ones_like(z).flatten(1), **IDENTITY_GUIDE, weight=1.0, mode=content) if content else None
    weights = branch_weights(guidance, *scales)
    denoise(unet, scheduler, z, scheduler.timesteps, weights, conditions, record, refresh, guide, on_step_end=count)
    assert counted == list(zip(calls, evaluations, strict=True))
