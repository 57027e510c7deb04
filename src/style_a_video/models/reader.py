"""What a sentence asks for: medium, palette, tone, scale, lines, surface and second medium.

The UNet of the bundled model knows some ten thousand looks, and says them in plain words. People say them in any words.
The reader tells which look a sentence means, and the UNet gets the plain sentence for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ..styles.spec import CHOICES, StyleSpec

FILE = "reader.safetensors"
"""In a model's folder."""
SURE_MEDIUM, SURE_MODIFIER = 0.5, 0.6
"""Medium and modifiers are taken from a sentence if they are at least so probable."""


class SpecHeads(nn.ModuleDict):
    """Linear classifiers of every part of a spec."""

    def __init__(self, width: int) -> None:
        super().__init__({name: nn.Linear(width, 1 + len(names)) for name, names in CHOICES.items()})

    def losses(self, features: Tensor, specs: Sequence[StyleSpec | None]) -> dict[str, Tensor]:
        """By field, the cross-entropy of features (B, width). A spec that is None has nothing in any field."""
        classes = torch.tensor([classes_of(spec) for spec in specs], device=features.device)
        return {name: F.cross_entropy(self[name](features), classes[:, k]) for k, name in enumerate(CHOICES)}


def classes_of(spec: StyleSpec | None) -> list[int]:
    """By field of StyleSpec, 0 where it is empty, else 1 + its place among CHOICES."""
    values = [getattr(spec, name) if spec else "" for name in CHOICES]
    return [1 + CHOICES[name].index(value) if value else 0 for name, value in zip(CHOICES, values, strict=True)]


class Reader(nn.Module):
    """Attention over a sentence's token states, then one classifier for every part of a spec.

    Args:
        text_width: of the token states.
        width: of what the classifiers see.
    """

    def __init__(self, text_width: int, width: int = 160) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(1, 4, width) * 0.1)
        self.attention = nn.MultiheadAttention(width, 4, kdim=text_width, vdim=text_width, batch_first=True)
        self.mix = nn.Sequential(nn.LayerNorm(4 * width), nn.Linear(4 * width, width), nn.SiLU())
        self.heads = SpecHeads(width)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Features (B, width) of states (B, T, D) with the mask of true tokens (B, T)."""
        query = self.query.expand(len(states), -1, -1)
        seen, _ = self.attention(query, states, states, key_padding_mask=mask == 0, need_weights=False)
        features: Tensor = self.mix(seen.flatten(1))
        return features

    @torch.no_grad()
    def read(self, text_encoder: Any, tokenizer: Any, sentence: str) -> StyleSpec | None:
        """What a sentence asks for. None where no medium is probable enough."""
        tokens = tokenizer([sentence], truncation=True, return_tensors="pt").to(text_encoder.device)
        states = text_encoder(**tokens)[0].float().cpu()
        features = self(states, tokens.attention_mask.cpu())
        shares = {name: head(features)[0].softmax(dim=0) for name, head in self.heads.items()}
        named = {
            name: (("", *CHOICES[name])[int(share.argmax())], float(share.max())) for name, share in shares.items()
        }
        least = {"medium": SURE_MEDIUM}
        parts = {name: value for name, (value, share) in named.items() if share >= least.get(name, SURE_MODIFIER)}
        if parts.get("second") == parts.get("medium"):
            parts.pop("second", None)
        return StyleSpec(**parts) if parts.get("medium") else None

    def save(self, folder: Path) -> None:
        """Write it to a model's folder, in float16."""
        save_file({name: value.half().contiguous() for name, value in self.state_dict().items()}, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> Reader:
        """Of a model of this project's recipe. Raises OSError, KeyError or RuntimeError for any other."""
        state = {name: value.float() for name, value in load_file(folder / FILE).items()}
        reader = cls(state["attention.k_proj_weight"].shape[1], state["query"].shape[-1])
        reader.load_state_dict(state)
        return reader.eval().requires_grad_(False)
