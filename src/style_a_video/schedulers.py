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
NOISE_SCHEDULE = (
    "num_train_timesteps",
    "beta_start",
    "beta_end",
    "beta_schedule",
    "trained_betas",
    "prediction_type",
    "rescale_betas_zero_snr",
)
"""What belongs to the model, whichever scheduler samples it."""


def build_scheduler(name: str, config: Any) -> Any:
    """The scheduler of that name, with the noise schedule of `config`, another scheduler's configuration."""
    import diffusers

    # Said anew: where the other scheduler had its defaults, `from_config` would take this one's, which may differ.
    schedule = {key: config[key] for key in NOISE_SCHEDULE if key in config}
    return getattr(diffusers, SCHEDULERS[name]).from_config(config, **schedule)
