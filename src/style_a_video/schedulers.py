"""Schedulers (samplers) by name, from diffusers. To add one, add a line to `SCHEDULERS`. Imports nothing heavy."""

from __future__ import annotations

from typing import Any

SCHEDULERS = {
    "ddim": "DDIMScheduler",
    "ddpm": "DDPMScheduler",
    "dpm++": "DPMSolverMultistepScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler-a": "EulerAncestralDiscreteScheduler",
    "lcm": "LCMScheduler",
    "unipc": "UniPCMultistepScheduler",
}
"""The names that `Settings.scheduler` takes, and diffusers' classes."""
KEPT = ("num_train_timesteps", "prediction_type", "rescale_betas_zero_snr")
"""The settings of the model's own scheduler that every other one keeps, besides its noise schedule."""


def scheduler_by_name(name: str, own: Any) -> Any:
    """The scheduler of that name, with the noise schedule of the model's own scheduler."""
    import diffusers

    # `from_config` would take the new class's defaults for what the model's scheduler left at its own.
    kept = {key: own.config[key] for key in KEPT if key in own.config}
    # As numbers: not every class can rescale a schedule to zero terminal SNR itself.
    return getattr(diffusers, SCHEDULERS[name]).from_config(own.config, trained_betas=own.betas.tolist(), **kept)
