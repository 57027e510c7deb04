"""How much of everything the recipes take. Imports nothing heavy, so that a wrong name is told at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BundledBudget:
    """How much of everything: by estimate twenty hours on two CPU cores, an hour on a GPU; never yet run whole."""

    contents: int = 1200
    first_stage_steps: int = 20_000
    """On 64² crops, batch 16."""
    decoder_steps: int = 3_000
    """On the same, of the decoder alone, where the first stage is that of a start: its latents stay what they are."""
    clip_steps: int = 3_000
    unet_steps: int = 60_000
    """On 128² crops, batch 16: smaller crops hold no large mark, and an area of them takes twice the time on a CPU."""
    unet_full_steps: int = 12_000
    """On whole 256² pictures, batch 8, so that attention knows the size it will meet."""
    sharpen_steps: int = 12_000
    """Against a critic, on whole 256² pictures, batch 8: larger marks need room."""


@dataclass(frozen=True)
class RefinerBudget:
    """How much of everything."""

    clips: int = 200
    steps: int = 1_000
    """Of 4 clips, 8 frames of 128² each."""
