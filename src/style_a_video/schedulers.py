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


def build_scheduler(name: str, config: Any) -> Any:
    """The scheduler of that name, with the noise schedule of `config`, another scheduler's configuration."""
    import diffusers

    return getattr(diffusers, SCHEDULERS[name]).from_config(config)
