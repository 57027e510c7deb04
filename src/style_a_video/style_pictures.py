"""Style from a picture: φ's states of it, as tokens that the UNet attends to beside those of the text."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

PLACES = 4
"""The states of φ's patches are averaged over PLACES x PLACES parts of the picture."""


def style_tokens(image_encoder: Any, pixels: Tensor) -> Tensor:
    """φ's class state and the means of its patch states, through its own projection: (B, 1 + PLACES², D).

    Args:
        image_encoder: a `CLIPVisionModelWithProjection`.
        pixels: (B, 3, S, S), normalized, S the encoder's size.
    """
    model = image_encoder.vision_model
    states = model(pixel_values=pixels.to(image_encoder.dtype)).last_hidden_state
    side = round((states.shape[1] - 1) ** 0.5)
    patches = states[:, 1:].transpose(1, 2).unflatten(2, (side, side))
    places = F.adaptive_avg_pool2d(patches, PLACES).flatten(2).transpose(1, 2)
    chosen = torch.cat([states[:, :1], places], dim=1)
    tokens: Tensor = image_encoder.visual_projection(model.post_layernorm(chosen))
    return tokens
