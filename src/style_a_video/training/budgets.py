"""How much of everything the recipes take. Imports nothing heavy, so that a wrong name is told at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BundledBudget:
    """How much of everything: some fifteen hours on two CPU cores."""

    contents: int = 400
    """Each is rendered in every medium."""
    first_stage_steps: int = 9_000
    """On 96² crops, batch 8."""
    image_encoder_steps: int = 2_000
    """Of 64 pictures."""
    reader_steps: int = 2_100
    """Of 128 sentences."""
    text_embedding_steps: int = 3_000
    """Of 64 sentences or style pictures. A finished model that is trained further keeps what it has."""
    unet_pictures: int = 80_000
    """By squared error alone. Of these and of the next, four quarters count as one."""
    critic_pictures: int = 150_000
    """Against the critic."""


SMOKE = BundledBudget(
    contents=2,
    first_stage_steps=2,
    image_encoder_steps=2,
    reader_steps=2,
    text_embedding_steps=2,
    unet_pictures=16,
    critic_pictures=16,
)
"""A step or two of everything: does the recipe run?"""


@dataclass(frozen=True)
class RefinerBudget:
    """How much of everything."""

    clips: int = 200
    steps: int = 1_000
    """Of 4 clips, 8 frames of 128² each."""
