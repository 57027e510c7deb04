"""Anchor attention (docs/method.md, section 2.6): frames that are denoised in full also attend to the first
frame of their shot.

Text2Video-Zero (Khachatryan et al., 2023) puts the first frame's keys and values in the place of the frame's own. Here
they stand beside them, so that what the anchor does not show keeps what it attended to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from diffusers.models.attention_processor import AttnProcessor2_0
from torch import Tensor

Mode = Literal["off", "record", "replay"]


class AnchorAttention:
    """What every self-attention layer of a UNet saw of the anchor frame, call by call.

    `mode` says what a run of the pipeline does. "record" keeps what the layers see; the run must be of the anchor
    alone. "replay" lets every frame attend to itself and to the same branch of the anchor; the
    run must have the settings of the recorded one. "off" changes nothing.
    """

    def __init__(self) -> None:
        self._memory: dict[str, list[Tensor]] = defaultdict(list)
        self._calls: dict[str, int] = defaultdict(int)
        self._mode: Mode = "off"

    @property
    def mode(self) -> Mode:
        """ "record", "replay" or "off"."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        self._mode = mode
        self._calls.clear()
        if mode == "record":
            self._memory.clear()

    def seen_by(self, layer: str, hidden_states: Tensor) -> Tensor:
        """What the layer's keys and values are made of: (B, HW, C) -> (B, HW or 2·HW, C)."""
        known = self._memory[layer]
        if self._mode == "record":
            known.append(hidden_states.detach())
        if self._mode != "replay" or not known:
            return hidden_states
        # A run repeats the anchor's calls, batch after batch.
        anchor = known[self._calls[layer] % len(known)]
        self._calls[layer] += 1
        return torch.cat([hidden_states, anchor.repeat_interleave(len(hidden_states) // len(anchor), dim=0)], dim=1)


class _AnchoredProcessor:
    """diffusers' own attention, with the anchor's positions among the keys and values."""

    def __init__(self, anchor: AnchorAttention, layer: str) -> None:
        self.anchor, self.layer, self.attend = anchor, layer, AttnProcessor2_0()

    def __call__(self, attn: Any, hidden_states: Tensor, *arguments: Any, **named: Any) -> Tensor:
        seen = self.anchor.seen_by(self.layer, hidden_states)
        named["encoder_hidden_states"] = None if seen is hidden_states else seen
        attended: Tensor = self.attend(attn, hidden_states, *arguments, **named)
        return attended


@contextmanager
def anchor_attention(unet: Any) -> Iterator[AnchorAttention]:
    """While open, the UNet's self-attention layers go through the anchor that this yields. It begins "off"."""
    before = unet.attn_processors
    anchor = AnchorAttention()
    unet.set_attn_processor(
        {
            name: _AnchoredProcessor(anchor, name) if ".attn1." in name else processor
            for name, processor in before.items()
        }
    )
    try:
        yield anchor
    finally:
        unet.set_attn_processor(before)
